/*
 * Files that go into every evidence package, as bytes of this program. They are read by the
 * assembler, from the top of the source tree, where make runs: mk/package.mk has the dependencies.
 */
#include "package/embed.h"

#include <string.h>

#define EMBED(symbol, path)                                                \
    extern const uint8_t symbol[];                                         \
    extern const uint8_t symbol##_end[];                                   \
    __asm__(".section .rodata\n"                                           \
            ".hidden " #symbol "\n.hidden " #symbol "_end\n"               \
            ".global " #symbol "\n.global " #symbol "_end\n" #symbol ":\n" \
            ".incbin \"" path "\"\n" #symbol "_end:\n"                     \
            ".byte 0\n"                                                    \
            ".previous\n")

EMBED(embed_verify_sh, "lib/package/embed/verify.sh");
EMBED(embed_verify_txt, "lib/package/embed/VERIFY.txt");
EMBED(embed_style_css, "lib/package/embed/style.css");
EMBED(embed_ledger_proto, "proto/ledger.proto");
EMBED(embed_parcel_proto, "proto/parcel.proto");
EMBED(embed_record_proto, "proto/record.proto");
EMBED(embed_roster_proto, "proto/roster.proto");

static const struct {
    const char *name;
    const uint8_t *begin;
    const uint8_t *end;
} files[] = {
    {"verify.sh", embed_verify_sh, embed_verify_sh_end},
    {"VERIFY.txt", embed_verify_txt, embed_verify_txt_end},
    {"style.css", embed_style_css, embed_style_css_end},
    {"proto/ledger.proto", embed_ledger_proto, embed_ledger_proto_end},
    {"proto/parcel.proto", embed_parcel_proto, embed_parcel_proto_end},
    {"proto/record.proto", embed_record_proto, embed_record_proto_end},
    {"proto/roster.proto", embed_roster_proto, embed_roster_proto_end},
};

struct bytes embedded_file(const char *name)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (strcmp(files[i].name, name) == 0)
            return BYTES(files[i].begin, (size_t)(files[i].end - files[i].begin));
    return BYTES_NONE;
}

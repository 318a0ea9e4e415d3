/*
 * What people read in a package: README.html, and the files that are the same in every one.
 */
#include "package/text.h"

#include "package/embed.h"

#include <string.h>

static void put_escaped(struct buf *out, const char *text)
{
    for (; text && *text; text++) {
        switch (*text) {
        case '&':
            buf_put_str(out, "&amp;");
            break;
        case '<':
            buf_put_str(out, "&lt;");
            break;
        case '>':
            buf_put_str(out, "&gt;");
            break;
        case '"':
            buf_put_str(out, "&quot;");
            break;
        default:
            buf_put_u8(out, (uint8_t)*text);
        }
    }
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void put_row(struct buf *out, const char *label, const char *text)
{
    if (!text)
        return;
    buf_printf(out, "<tr><th>%s<td>", label);
    put_escaped(out, text);
    buf_put_str(out, "\n");
}

/* A table of the objects in a list: the columns are pairs of key and heading. */
static void put_table(struct buf *out, const char *title, const json_t *list,
                      const char *const (*columns)[2], size_t n)
{
    size_t i = 0;
    const json_t *item = NULL;
    if (!json_array_size(list))
        return;
    buf_printf(out, "<h2>%s</h2>\n<table><tr>", title);
    for (size_t k = 0; k < n; k++)
        buf_printf(out, "<th>%s", columns[k][1]);
    buf_put_str(out, "\n");
    json_array_foreach(list, i, item)
    {
        buf_put_str(out, "<tr>");
        for (size_t k = 0; k < n; k++) {
            buf_put_str(out, "<td><code>");
            put_escaped(out, text_at(item, columns[k][0]));
            buf_put_str(out, "</code>");
        }
        buf_put_str(out, "\n");
    }
    buf_put_str(out, "</table>\n");
}

static void put_readme(struct buf *out, const json_t *about)
{
    static const char *const files[][2] = {
        {"path", "文件 File"}, {"name", "原名 Name"}, {"sha256", "SHA-256"}};
    static const char *const officers[][2] = {{"licence", "执法证号 Licence"},
                                              {"name", "姓名 Name"},
                                              {"role", "身份 Role"},
                                              {"time", "时间 Time"}};
    static const char *const members[][2] = {{"member", "单位 Member"}, {"time", "时间 Time"}};
    const char *title = text_at(about, "title");
    buf_put_str(out, "<!DOCTYPE html>\n<html lang=\"zh\"><meta charset=\"utf-8\">\n<title>");
    put_escaped(out, title ? title : text_at(about, "ref"));
    buf_put_str(out, "</title>\n<style>\n");
    buf_put_bytes(out, embedded_file("style.css"));
    buf_put_str(out, "</style>\n<h1>证据包 Evidence package</h1>\n<table>\n");
    put_row(out, "标题 Title", title);
    put_row(out, "编号 Reference", text_at(about, "ref"));
    put_row(out, "账本 Ledger", text_at(about, "origin"));
    put_row(out, "类型 Kind", text_at(about, "kind"));
    put_row(out, "记录时间 Recorded", text_at(about, "time"));
    put_row(out, "记录哈希 Record hash", text_at(about, "record_hash"));
    put_row(out, "制作单位 Made by", text_at(about, "made_by"));
    put_row(out, "制作时间 Made", text_at(about, "made"));
    buf_put_str(out, "</table>\n");
    put_table(out, "证据文件 Files", json_object_get(about, "files"), files, 3);
    put_table(out, "签名 Signatures", json_object_get(about, "signatures"), officers, 4);
    put_table(out, "接收回执 Receipts", json_object_get(about, "receipts"), members, 2);
    buf_put_str(out, "<h2>核验 Verification</h2>\n"
                     "<p>本页仅供阅读，不是证明。证明在各文件中，用通用工具即可核验，方法见 <a "
                     "href=\"VERIFY.txt\">VERIFY.txt</a>。"
                     "主管机关公钥须从包外取得。</p>\n"
                     "<p>This page is for reading and proves nothing. The proofs are in the files, "
                     "and stock tools verify them: "
                     "see <a href=\"VERIFY.txt\">VERIFY.txt</a>. The authority's key comes from "
                     "outside of this package.</p>\n"
                     "<pre><code>sh verify.sh NET.network</code></pre>\n");
}

void package_add_signer(struct value *list, const struct officer_signature *sig,
                        const struct officer_key *key)
{
    struct value s = value_object();
    value_set(&s, "licence", value_text(sig->licence));
    value_set(&s, "name", value_text(key->enrolment.name));
    value_set(&s, "role", json_string(signature_role_word(sig->role)));
    value_set(&s, "time", value_time(sig->time_ms));
    value_add(list, s.json);
}

int package_add_texts(struct package_files *p, const json_t *about)
{
    static const char *const names[] = {"verify.sh",          "VERIFY.txt",
                                        "proto/ledger.proto", "proto/parcel.proto",
                                        "proto/record.proto", "proto/roster.proto"};
    struct buf readme = BUF_INIT;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < sizeof names / sizeof names[0]; i++)
        err = package_add(p, names[i], embedded_file(names[i]));
    put_readme(&readme, about);
    if (!err)
        err = buf_check(&readme);
    if (!err)
        err = package_add(p, "README.html", buf_bytes(&readme));
    buf_free(&readme);
    return err;
}

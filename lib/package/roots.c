/*
 * What everything else in a package rests on: the list of sums, and the roster.
 */
#include "package/checks.h"

#include "audit/shared.h"

#include <stdio.h>
#include <string.h>

static enum package_status status_of(bool ok)
{
    return ok ? PACKAGE_OK : PACKAGE_FAIL;
}

/* ---- sums ---- */

/* "<hex>  <path>\n" */
static bool next_sum(struct bytes *rest, struct hash *ret, char *path)
{
    struct bytes line;
    enum { HEX = 2 * HASH_LEN };
    if (!bytes_next_line(rest, &line) || line.len <= HEX + 2 ||
        line.len - HEX - 2 > PACKAGE_PATH_MAX || line.data[HEX] != ' ' || line.data[HEX + 1] != ' ')
        return false;
    if (text_get_hex(bytes_slice(line, 0, HEX), ret->b, HASH_LEN))
        return false;
    snprintf(path, PACKAGE_PATH_MAX + 1, "%.*s", (int)(line.len - HEX - 2), line.data + HEX + 2);
    return true;
}

/* Each file that is not as the list has it, or the list itself where it is none. */
static bool sums_fit(const struct package_files *p, struct value *ret_files)
{
    struct bytes rest = package_bytes(p, "SHA256SUMS");
    bool is_list = rest.len > 0;
    while (rest.len) {
        char path[PACKAGE_PATH_MAX + 1];
        struct hash sum;
        const struct package_file *f = NULL;
        if (!next_sum(&rest, &sum, path))
            is_list = false;
        else if (!(f = package_find(p, path)) || !hash_equal(&f->sha256, &sum))
            value_add(ret_files, json_string(path));
    }
    if (!is_list)
        value_add(ret_files, json_string("SHA256SUMS"));
    return json_array_size(ret_files->json) == 0;
}

static bool is_listed(const struct package_files *p, const char *wanted)
{
    struct bytes rest = package_bytes(p, "SHA256SUMS");
    char path[PACKAGE_PATH_MAX + 1];
    struct hash sum;
    while (rest.len && next_sum(&rest, &sum, path))
        if (strcmp(path, wanted) == 0)
            return true;
    return false;
}

void package_check_sums(struct package_checks *c)
{
    const struct package_files *p = &c->files;
    struct value differ = value_array();
    struct value unlisted = value_array();
    bool fits = sums_fit(p, &differ);
    package_say_files(c, status_of(fits), "sums", "SHA256SUMS", &differ);
    for (size_t i = 0; i < p->file.count; i++)
        if (strcmp(p->file.at[i].path, "SHA256SUMS") != 0 &&
            strcmp(p->file.at[i].path, "SHA256SUMS.note") != 0 && !is_listed(p, p->file.at[i].path))
            value_add(&unlisted, json_string(p->file.at[i].path));
    bool is_complete = json_array_size(unlisted.json) == 0;
    package_say_files(c, status_of(is_complete), "complete", "SHA256SUMS", &unlisted);
}

/* ---- the roster ---- */

/* The note and the bytes belong together, whoever signed. */
static bool roster_fits(struct package_checks *c, struct bytes note, struct bytes bytes)
{
    struct bytes text, signatures, lines[7];
    struct roster_doc doc;
    struct hash said, hash;
    uint64_t number = 0;
    if (note_split(note, &text, &signatures) || note_fields(text, "comity roster v1", lines, 7) ||
        text_get_base64_exact(lines[6], said.b, HASH_LEN) || text_get_u64(lines[2], &number) ||
        roster_doc_decode(c->arena, bytes, &doc))
        return false;
    hash_of(suite_get(SUITE_1), &hash, bytes);
    return hash_equal(&hash, &said) && number == doc.number && bytes_equal(lines[1], doc.network);
}

void package_check_roster(struct package_checks *c)
{
    struct roster *by_anchor = NULL;
    struct bytes note = package_bytes(&c->files, "roster.note");
    struct bytes bytes = package_bytes(&c->files, "roster.bin");
    package_say(c, status_of(note.data && bytes.data && roster_fits(c, note, bytes)), "roster",
                "roster.bin");
    int err = rosters_open_by_itself(c->anchor, c->arena, note, bytes, &c->roster);
    if (!err)
        err = roster_open(roster_file(c->roster), c->anchor, NULL, &by_anchor);
    c->has_other_keys = c->roster && err;
    package_say(c, status_of(!err), "authority", "roster.note");
    roster_free(by_anchor);
}

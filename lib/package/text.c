/*
 * What people read in a package: README.html, and the files that are the same in every one.
 */
#include "package/text.h"

#include "base/text.h"
#include "domain/record.h"
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

/* ---- how a value is shown ---- */

enum shown { AS_IT_IS, AS_CODE, AS_TIME, AS_KIND, AS_DECISION, AS_ROLE, AS_WAY };

/* "2026-11-24 17:47:15 +08:00" */
static void put_time(struct buf *out, const char *text)
{
    enum { DAY = 10, CLOCK = 8 };
    int64_t ms = 0;
    struct buf whole = BUF_INIT;
    if (text_get_time(bytes_of(text), &ms) != COMITY_OK) {
        put_escaped(out, text);
        return;
    }
    text_put_time_china(&whole, ms);
    const char *t = buf_str(&whole);
    buf_printf(out, "%.*s %.*s %s", DAY, t, CLOCK, t + DAY + 1, t + DAY + 1 + CLOCK);
    buf_free(&whole);
}

static void put_term(struct buf *out, enum record_vocabulary v, const char *token)
{
    const struct record_term *t = record_term_named(v, bytes_of(token));
    if (t)
        buf_printf(out, "%s %s", t->zh, t->en);
    else
        put_escaped(out, token);
}

static void put_word(struct buf *out, const char *token)
{
    static const char *const words[][2] = {{"collector", "收集人 Collector"},
                                           {"approver", "负责人 Approver"},
                                           {"reviewer", "审核人 Reviewer"},
                                           {"record", "直接发送 Sent as recorded"},
                                           {"share", "转送 Handed on"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i][0], token) == 0)
            token = words[i][1];
    put_escaped(out, token);
}

static void put_shown(struct buf *out, enum shown as, const char *text)
{
    switch (as) {
    case AS_IT_IS:
        put_escaped(out, text);
        break;
    case AS_CODE:
        buf_put_str(out, "<code>");
        put_escaped(out, text);
        buf_put_str(out, "</code>");
        break;
    case AS_TIME:
        put_time(out, text);
        break;
    case AS_KIND:
        put_term(out, TERMS_RECORD_KIND, text);
        break;
    case AS_DECISION:
        put_term(out, TERMS_DECISION, text);
        break;
    case AS_ROLE:
    case AS_WAY:
        put_word(out, text);
        break;
    }
}

/* ---- tables ---- */

struct column {
    const char *key;
    const char *heading;
    enum shown as;
};

/* The object itself: a row for each member that it has. */
static void put_rows(struct buf *out, const json_t *object, const struct column *columns, size_t n)
{
    buf_put_str(out, "<table>\n");
    for (size_t k = 0; k < n; k++) {
        const char *text = text_at(object, columns[k].key);
        if (!text)
            continue;
        buf_printf(out, "<tr><th>%s<td>", columns[k].heading);
        put_shown(out, columns[k].as, text);
        buf_put_str(out, "\n");
    }
    buf_put_str(out, "</table>\n");
}

/* A list of objects: a row each. Nothing where there is none. */
static void put_table(struct buf *out, const char *title, const json_t *list,
                      const struct column *columns, size_t n)
{
    size_t i = 0;
    const json_t *item = NULL;
    if (!json_array_size(list))
        return;
    buf_printf(out, "<h2>%s</h2>\n<table><tr>", title);
    for (size_t k = 0; k < n; k++)
        buf_printf(out, "<th>%s", columns[k].heading);
    buf_put_str(out, "\n");
    json_array_foreach(list, i, item)
    {
        buf_put_str(out, "<tr>");
        for (size_t k = 0; k < n; k++) {
            const char *text = text_at(item, columns[k].key);
            buf_put_str(out, "<td>");
            if (text)
                put_shown(out, columns[k].as, text);
        }
        buf_put_str(out, "\n");
    }
    buf_put_str(out, "</table>\n");
}

#define ROWS(columns) (columns), sizeof(columns) / sizeof(columns)[0]

static const struct column about_rows[] = {
    {"title", "标题 Title", AS_IT_IS},
    {"kind", "类型 Kind", AS_KIND},
    {"ref", "编号 Reference", AS_CODE},
    {"owner", "登记单位 Recorded by", AS_IT_IS},
    {"origin", "账本 Ledger", AS_CODE},
    {"time", "登记时间 Recorded", AS_TIME},
    {"record_hash", "记录哈希 Record hash", AS_CODE},
    {"made_by", "制作单位 Made by", AS_IT_IS},
    {"sealer", "封存人 Sealed by", AS_IT_IS},
    {"sealer_licence", "封存人执法证号 Licence", AS_CODE},
    {"made", "制作时间 Made", AS_TIME},
};
static const struct column file_columns[] = {{"path", "文件 File", AS_CODE},
                                             {"name", "原名 Name", AS_IT_IS},
                                             {"sha256", "完整性校验值 SHA-256", AS_CODE},
                                             {"sm3", "完整性校验值 SM3", AS_CODE}};
static const struct column signer_columns[] = {{"name", "姓名 Name", AS_IT_IS},
                                               {"licence", "执法证号 Licence", AS_CODE},
                                               {"role", "角色 Role", AS_ROLE},
                                               {"time", "签名时间 Signed", AS_TIME}};
static const struct column sent_columns[] = {{"size", "检查点 Checkpoint", AS_CODE},
                                             {"way", "方式 How", AS_WAY},
                                             {"time", "条目时间 Entry", AS_TIME}};
static const struct column accepted_columns[] = {{"name", "中转站 Broker", AS_IT_IS},
                                                 {"size", "检查点 Checkpoint", AS_CODE},
                                                 {"time", "接受时间 Accepted", AS_TIME}};
static const struct column receipt_columns[] = {{"name", "收件单位 Received by", AS_IT_IS},
                                                {"member", "成员编号 Member", AS_CODE},
                                                {"time", "收到时间 Received", AS_TIME}};
static const struct column recognition_columns[] = {
    {"name", "单位 Bureau", AS_IT_IS},         {"decision", "决定 Decision", AS_DECISION},
    {"basis", "依据 Reason", AS_IT_IS},        {"limits", "采信范围 Limits", AS_IT_IS},
    {"reviewer", "审核人 Reviewer", AS_IT_IS}, {"licence", "执法证号 Licence", AS_CODE},
    {"time", "登记时间 Recorded", AS_TIME}};

static void put_readme(struct buf *out, const json_t *about)
{
    const char *title = text_at(about, "title");
    buf_put_str(out, "<!DOCTYPE html>\n<html lang=\"zh\"><meta charset=\"utf-8\">\n<title>");
    put_escaped(out, title ? title : text_at(about, "ref"));
    buf_put_str(out, "</title>\n<style>\n");
    buf_put_bytes(out, embedded_file("style.css"));
    buf_put_str(out, "</style>\n<h1>证据包 Evidence package</h1>\n");
    put_rows(out, about, ROWS(about_rows));
    put_table(out, "证据文件 Files", json_object_get(about, "files"), ROWS(file_columns));
    put_table(out, "签名 Signatures", json_object_get(about, "signatures"), ROWS(signer_columns));
    put_table(out, "发送 Sent", json_object_get(about, "sent"), ROWS(sent_columns));
    put_table(out, "中转站接受 Accepted", json_object_get(about, "accepted"),
              ROWS(accepted_columns));
    put_table(out, "收到 Received", json_object_get(about, "receipts"), ROWS(receipt_columns));
    put_table(out, "采信决定 Recognitions", json_object_get(about, "recognitions"),
              ROWS(recognition_columns));
    buf_put_str(out, "<h2>核验 Verification</h2>\n"
                     "<p>本页仅供阅读，不是证明。证明在各文件中，用通用工具即可核验，方法见 <a "
                     "href=\"VERIFY.txt\">VERIFY.txt</a>。"
                     "主管机构公钥须从包外取得。时间均为北京时间（+08:00），"
                     "由各账本所有者的时钟记录。</p>\n"
                     "<p>This page is for reading and proves nothing. The proofs are in the files, "
                     "and stock tools verify them: "
                     "see <a href=\"VERIFY.txt\">VERIFY.txt</a>. The authority's key comes from "
                     "outside of this package. Times are China Standard Time (+08:00), "
                     "by the clock of each ledger's owner.</p>\n"
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

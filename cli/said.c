/*
 * Sentences of the node. See said.h; a test sees to it that each is one that the node can say.
 */
#include "said.h"

#include "base/text.h"
#include "domain/record.h"

#include <string.h>

enum { BLANKS_MAX = 4 };

static const char *const sentences[] = {
    N_("{} is this very bureau"),
    N_("{} is no bureau of roster {}"),
    N_("the ledger of {} is closed"),
    N_("at most {} recipients at a time"),
    N_("{} is named twice"),
    N_("entry {} of this ledger is no record"),
    N_("no officer with licence {} is enrolled here"),
    N_("the key of officer {} was retired"),
    N_("officer {} is not enrolled for the role signed in"),
    N_("the signature of {} is not one over this record by the key enrolled"),
    N_("officer {} has signed twice"),
    N_("officer {} has signed as a collector, but the record does not name him"),
    N_("evidence needs the signature of a collector"),
    N_("evidence is sent with the signatures of two collectors; there is one"),
    N_("evidence is sent with the signatures of two collectors; {} so far"),
    N_("{} was not received here"),
    N_("another entry stands at {} than the one named"),
    N_("the reviewer has signed this evidence as a collector"),
    N_("a recognition needs one signature, of the reviewer"),
    N_("the record names another reviewer than {}, who has signed it"),
    N_("what stands there is {}, not {}"),
    N_("entry {} was made under this request id, with other content or recipients"),
    N_("entry {} was made under this request id, for something else"),
    N_("{} was decided about here: entry {}"),
    N_("comity evidence show {}; --again records a further decision"),
    N_("a case of that document number was filed here: entry {}"),
    N_("comity case show {}; --again files a further one"),
    N_("comity case list shows them; give the REF of one"),
    N_("comity key list shows who holds which role; another role needs a new enrolment"),
    N_("nothing of the ledger '{}' came here"),
    N_("a ledger is NETWORK/MEMBER, as comity member list shows it"),
    N_("'{}' is no role of a member"),
    N_("no file may be longer than 16 TiB"),
    N_("this record is no evidence: it has no files"),
    N_("the evidence has no file '{}'"),
    N_("the file has not been fetched yet"),
    N_("the file '{}' has not been fetched yet"),
    N_("licence {} has a key in force: entry {}"),
    N_("no officer with licence {} is enrolled"),
    N_("the key of officer {} is retired already"),
    N_("'{}' is no role"),
    N_("a role is named twice"),
    N_("this ledger has {} entries"),
    N_("no parcel brought that entry here"),
    N_("'{}' is no kind of record"),
    N_("the record with its proofs and signatures is too large to be shared"),
    N_("this is a record of kind {}, not evidence"),
    N_("this is a record of kind {}, not a case"),
    N_("no case here has that document number"),
    N_("{} cases here have that document number"),
    N_("the signature is not one over this record by the key enrolled for that licence"),
    N_("officer {} has signed this record in this role already"),
    N_("the record does not name officer {} as a collector"),
    N_("this record is another bureau's: its officers sign it there"),
    N_("'{}' is not a reference"),
    N_("'after' must be what 'next' was"),
    N_("this node has no method '{}'"),
    N_("refused on its way to {}: {}"),
    N_("it is safe here, and {} so far; not {} in time"),
    N_("this entry goes to nobody of those named"),
    N_("only own entries are on their way from here"),
    N_("it is not in this ledger, nor did anybody send it here"),
    N_("its content was withheld by whoever sent it"),
    N_("its content was erased here"),
};

const char *said_sentence(size_t n)
{
    return n < sizeof sentences / sizeof sentences[0] ? sentences[n] : NULL;
}

/* What stands in ${message} where ${sentence} has blanks; false when they do not fit. */
static bool match(const char *sentence, const char *message, struct bytes blanks[BLANKS_MAX],
                  size_t *ret)
{
    size_t n = 0;
    for (;;) {
        const char *blank = strstr(sentence, "{}");
        size_t len = blank ? (size_t)(blank - sentence) : strlen(sentence);
        if (strncmp(sentence, message, len) != 0)
            return false;
        message += len;
        if (!blank) {
            *ret = n;
            return *message == 0;
        }
        sentence = blank + 2;
        size_t next = strcspn(sentence, "{");
        const char *end = message + strlen(message);
        if (next) { /* the words behind the blank say where it ends; at the end of the sentence they
                       must be the last */
            bool is_last = sentence[next] == 0;
            end = is_last ? end - (next <= strlen(message) ? next : strlen(message))
                          : (const char *)memmem(message, strlen(message), sentence, next);
        }
        if (!end || end < message || n == BLANKS_MAX)
            return false;
        blanks[n++] = BYTES(message, (size_t)(end - message));
        message = end;
    }
}

/* The kinds of records are tokens in English, and words in Chinese. */
static void put_blank(struct buf *out, struct bytes blank)
{
    const struct record_term *kind =
        lang_is_zh() ? record_term_named(TERMS_RECORD_KIND, blank) : NULL;
    if (kind)
        buf_put_str(out, kind->zh);
    else
        buf_put_bytes(out, blank);
}

bool said_fill(const char *sentence, const char *message, const char *text, struct buf *out)
{
    struct bytes blanks[BLANKS_MAX];
    size_t count = 0;
    size_t next = 0;
    if (!match(sentence, message, blanks, &count))
        return false;
    while (*text) {
        size_t len = strcspn(text, "{");
        buf_put(out, text, len);
        text += len;
        size_t which =
            text[0] && text[1] >= '1' && text[1] <= '9' ? (size_t)(text[1] - '1') : next++;
        size_t skip = strcspn(text, "}");
        if (!*text)
            break;
        if (which < count)
            put_blank(out, blanks[which]);
        text += skip + (text[skip] == '}');
    }
    return true;
}

static const char *translate(struct cli *c, const char *message)
{
    const char *sentence = NULL;
    for (size_t i = 0; (sentence = said_sentence(i)); i++) {
        struct buf out = BUF_INIT;
        bool fits = said_fill(sentence, message, _(sentence), &out);
        const char *text = fits ? cli_text(c, "%s", buf_str(&out)) : NULL;
        buf_free(&out);
        if (text)
            return text;
    }
    return NULL;
}

/* Some sentences come behind what they are about: "330100-001/999: it is not …". */
const char *said_translate(struct cli *c, const char *message)
{
    const char *text = translate(c, message);
    const char *tail = text ? NULL : strstr(message, ": ");
    const char *rest = tail ? translate(c, tail + 2) : NULL;
    return rest ? cli_text(c, "%.*s：%s", (int)(tail - message), message, rest) : text;
}

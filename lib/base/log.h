/*
 * The daemons' log: one line an event, to stderr, `time level event key=value …`.
 *
 * An event is a stable token; strings from peers are quoted and escaped, so that a line is always
 * one line. Only daemons log, once, where they decide; library code reports errors to its caller.
 * The ledger is not the log: what must be provable is an entry. Safe from any thread: a line is one
 * write.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/bytes.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *key;
    enum { LOG_FIELD_U64, LOG_FIELD_STR, LOG_FIELD_HEX } kind;
    uint64_t number;
    struct bytes bytes;
};

#define LOG_U64(k, v) \
    ((struct log_field){.key = (k), .kind = LOG_FIELD_U64, .number = (uint64_t)(v)})
#define LOG_STR(k, s) ((struct log_field){.key = (k), .kind = LOG_FIELD_STR, .bytes = bytes_of(s)})
#define LOG_BYTES(k, b) ((struct log_field){.key = (k), .kind = LOG_FIELD_STR, .bytes = (b)})
#define LOG_HEX(k, b) ((struct log_field){.key = (k), .kind = LOG_FIELD_HEX, .bytes = (b)})
/* The token of a negative error. */
#define LOG_ERR(err) LOG_STR("error", comity_err_token(err))

/* Lines below ${level} are dropped. Before threads start. */
void log_init(enum log_level level);
/* "debug", "info", "warn", "error"; false for other words. */
bool log_level_from(const char *word, enum log_level *ret);

void log_fields(enum log_level level, const char *event, const struct log_field *fields, size_t n);

#define log_event(level, event, ...)                                      \
    log_fields((level), (event), (const struct log_field[]){__VA_ARGS__}, \
               sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif

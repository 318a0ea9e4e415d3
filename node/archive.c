/*
 * The archives opened, and found. See archive.h.
 */
#include "archive.h"

#include "base/file.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char columns[] =
    "SELECT number, origin, size, closed, taken, after, done, lost, lost_to FROM archive WHERE ?1"
    " ORDER BY number";

static void read_row(struct db_rows *rows, struct archive *ret)
{
    ret->number = (unsigned)db_u64(rows, 0);
    snprintf(ret->origin, sizeof ret->origin, "%.*s", (int)db_bytes(rows, 1).len,
             (const char *)db_bytes(rows, 1).data);
    ret->size = db_u64(rows, 2);
    ret->closed = db_u64(rows, 3);
    ret->taken = db_u64(rows, 4);
    ret->after = db_u64(rows, 5);
    ret->is_done = db_u64(rows, 6) != 0;
    ret->has_lost = !db_is_null(rows, 7);
    ret->lost = db_u64(rows, 7);
    ret->lost_to = db_u64(rows, 8);
}

static int open_one(struct node *n, struct archive *a)
{
    char name[32];
    snprintf(name, sizeof name, "archive/%u", a->number);
    char *dir = file_path(n->site->dir, name);
    a->as_node = (struct node){
        .site = n->site, .keys = n->keys, .clock = n->clock, .member = n->member, .base = a->base};
    int err = dir ? store_open(dir, site_store_name(n->site), DB_IMMUTABLE, &a->as_node.store)
                  : COMITY_E_NOMEM;
    if (!err)
        err = ledger_open_read(a->as_node.store, &a->as_node.ledger);
    if (!err && (strcmp(ledger_origin(a->as_node.ledger), a->origin) != 0 ||
                 ledger_size(a->as_node.ledger) != a->size))
        err = COMITY_E_LEDGER_DAMAGED;
    if (err)
        log_event(LOG_ERROR, "archive_not_opened", LOG_STR("dir", dir ? dir : name), LOG_ERR(err));
    free(dir);
    return err;
}

int archives_load(struct node *n)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(store_db(n->store), &rows, columns, DB_U64(1));
    for (size_t i = 0; !err && (got = db_next(rows)) == DB_ROW && i < n->archive_count; i++)
        read_row(rows, &n->archives[i]);
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

int archives_open(struct node *n)
{
    const struct db_value none = DB_U64(1);
    uint64_t count = 0;
    int err = db_get_u64(store_db(n->store), 0, &count, "SELECT count(*) FROM archive WHERE ?1",
                         &none, 1);
    if (err || count == 0)
        return err;
    if (count > ROSTER_LEDGERS_MAX)
        return COMITY_E_LEDGER_DAMAGED;
    n->archives = calloc(count, sizeof *n->archives);
    if (!n->archives)
        return COMITY_E_NOMEM;
    n->archive_count = count;
    err = archives_load(n);
    for (size_t i = 0; !err && i < count; i++) {
        struct archive *a = &n->archives[i];
        a->base = n->base;
        n->base += a->size > a->closed ? a->size : a->closed;
        err = open_one(n, a);
    }
    return err;
}

void archives_close(struct node *n)
{
    for (size_t i = 0; i < n->archive_count; i++) {
        ledger_close(n->archives[i].as_node.ledger);
        store_close(n->archives[i].as_node.store);
    }
    free(n->archives);
    n->archives = NULL;
    n->archive_count = 0;
}

struct archive *archive_of(struct node *n, struct bytes origin)
{
    for (size_t i = 0; i < n->archive_count; i++)
        if (bytes_is(origin, n->archives[i].origin))
            return &n->archives[i];
    return NULL;
}

struct node *archive_home_at(struct node *n, size_t i)
{
    if (i > n->archive_count)
        return NULL;
    if (i == n->archive_count)
        return n;
    n->archives[i].as_node.roster = n->roster; /* another one may be in force by now */
    return &n->archives[i].as_node;
}

struct node *archive_home(struct node *n, struct bytes origin)
{
    struct node *home = NULL;
    for (size_t i = 0; (home = archive_home_at(n, i)); i++)
        if (bytes_is(origin, ledger_origin(home->ledger)))
            return home;
    return NULL;
}

struct node *archive_at(struct node *n, uint64_t at, uint64_t *ret_index)
{
    size_t i = n->archive_count;
    while (i > 0 && at < archive_home_at(n, i)->base)
        i--;
    struct node *home = archive_home_at(n, i);
    *ret_index = at - home->base;
    return home;
}

int archive_opening(struct node *n, struct arena *a, struct bytes origin, uint64_t index,
                    struct opening *ret)
{
    int err = COMITY_E_NOT_FOUND;
    for (size_t i = n->archive_count + 1; i-- > 0 && err == COMITY_E_NOT_FOUND;)
        err = ledger_opening(archive_home_at(n, i)->ledger, origin, index, a, ret);
    return err;
}

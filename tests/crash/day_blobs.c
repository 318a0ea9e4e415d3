/* Attachments at the broker: what its bulk thread does, without thread and socket. See day.h. */
#include "day.h"

#include "../../broker/blobs.h"
#include "../../broker/store.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

struct broker_blobs {
    struct blobs *folder;
};

void day_blobs_open(struct day *d)
{
    char *dir = site_path(&d->world->site, "blobs");
    d->blobs = calloc(1, sizeof *d->blobs);
    MUST(dir && d->blobs && blobs_open(dir, &d->blobs->folder) == 0);
    free(dir);
}

void day_blobs_close(struct day *d)
{
    if (d->blobs)
        blobs_close(d->blobs->folder);
    free(d->blobs);
    d->blobs = NULL;
}

void day_blob_put(struct day *d, const char *member, const struct hash *id, uint64_t len,
                  struct bytes block, const struct bytes *path, size_t n)
{
    struct blob_access may;
    struct blob *b = NULL;
    struct db *db = store_db(d->world->broker->store);
    if (queue_blob_access(db, hash_bytes(id), bytes_of(member), &may) || !may.may_put)
        return;
    MUST(blobs_get(d->blobs->folder, id, len, true, &b) == 0);
    MUST(blob_next(b) == blob_count(b) || blob_put(b, block, path, n) == 0);
}

uint64_t day_blob_sync(struct day *d, const struct hash *id, uint64_t len)
{
    struct blob *b = NULL;
    if (blobs_get(d->blobs->folder, id, len, false, &b))
        return 0;
    MUST(blob_sync(b) == 0);
    if (blob_durable(b) == blob_count(b))
        day_mark(d, NULL, &(struct mark){.kind = MARK_BLOB, .number = len, .hash = *id});
    return blob_durable(b);
}

bool day_blob_get(struct day *d, const struct hash *id, uint64_t len, uint64_t i, struct buf *block,
                  struct hash *path, size_t *ret_count)
{
    struct blob *b = NULL;
    return blobs_get(d->blobs->folder, id, len, false, &b) == 0 &&
           blob_get(b, i, block, path, ret_count) == 0;
}

struct freed {
    struct hash id[16];
    size_t count;
};

static int write_gone(struct broker *b, void *self)
{
    const struct freed *f = self;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < f->count; i++)
        err = queue_blob_gone(b->store, hash_bytes(&f->id[i]));
    return err;
}

void day_blobs_tidy(struct day *d)
{
    struct freed f = {0};
    MUST(queue_freed(d->world->broker->store, f.id, 16, &f.count) == 0);
    for (size_t i = 0; i < f.count; i++) {
        day_mark(d, NULL, &(struct mark){.kind = MARK_FREED, .hash = f.id[i]});
        MUST(blobs_remove(d->blobs->folder, &f.id[i]) == 0);
    }
    if (f.count)
        MUST(broker_turn(d->world->broker, write_gone, &f) == 0);
}

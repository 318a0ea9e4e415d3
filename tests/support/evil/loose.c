/* A ledger that keeps no promise. See loose.h. */
#include "evil/loose.h"

#include "base/file.h"
#include "evil/must.h"

#include <stdlib.h>
#include <string.h>

enum { LOOSE_FILE_MAX = 64 * 1024 * 1024 };

static struct loose_entry *add(struct loose *l, struct bytes bytes)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->at = realloc(l->at, l->cap * sizeof *l->at);
        if (!l->at)
            abort();
    }
    struct loose_entry *e = &l->at[l->count++];
    *e = (struct loose_entry){.bytes = BUF_INIT};
    buf_put_bytes(&e->bytes, bytes);
    MUST(buf_check(&e->bytes));
    hash_leaf(l->suite, bytes, &e->leaf);
    return e;
}

static int add_real(void *self, uint64_t index, struct bytes entry)
{
    (void)index;
    add(self, entry);
    return 0;
}

static char *kept_path(const struct site *site)
{
    char *path = site_path(site, "evil.entries");
    if (!path)
        abort();
    return path;
}

static void open_real(struct loose *l, const struct site *site)
{
    struct store *store = NULL;
    struct ledger *real = NULL;
    MUST(site_open_store(site, DB_READ, &store));
    MUST(ledger_open_read(store, &real));
    MUST(ledger_each(real, 0, ledger_size(real), add_real, l));
    ledger_close(real);
    store_close(store);
}

void loose_open(struct loose *l, const struct site *site, const struct site_keys *keys)
{
    *l = (struct loose){.suite = suite_get(site->suite), .signer = keys->ledger};
    ledger_genesis_hash(l->suite, bytes_of(site->origin), BYTES_NONE, &l->genesis);
    char *path = kept_path(site);
    struct buf kept = BUF_INIT;
    int err = file_read(path, LOOSE_FILE_MAX, &kept);
    struct bytes rest = buf_bytes(&kept);
    while (!err && rest.len) {
        size_t len = get_u32be(rest.data);
        add(l, bytes_slice(rest, 4, len));
        rest = bytes_slice(rest, 4 + len, rest.len);
    }
    if (err)
        open_real(l, site);
    buf_free(&kept);
    free(path);
}

void loose_save(const struct loose *l, const struct site *site)
{
    struct buf all = BUF_INIT;
    char *path = kept_path(site);
    for (size_t i = 0; i < l->count; i++)
        buf_put_lp(&all, buf_bytes(&l->at[i].bytes));
    MUST(buf_check(&all));
    MUST(file_write(path, buf_bytes(&all), 0600));
    buf_free(&all);
    free(path);
}

void loose_done(struct loose *l)
{
    loose_cut(l, 0);
    free(l->at);
}

uint64_t loose_append(struct loose *l, struct entry *e)
{
    struct buf bytes = BUF_INIT;
    e->index = l->count;
    if (!e->prev.data)
        e->prev = hash_bytes(l->count ? &l->at[l->count - 1].leaf : &l->genesis);
    MUST(entry_encode(e, &bytes));
    add(l, buf_bytes(&bytes));
    buf_free(&bytes);
    return e->index;
}

void loose_replace_last(struct loose *l, const struct entry *e)
{
    struct buf bytes = BUF_INIT;
    MUST(entry_encode(e, &bytes));
    loose_cut(l, l->count - 1);
    add(l, buf_bytes(&bytes));
    buf_free(&bytes);
}

void loose_cut(struct loose *l, size_t size)
{
    while (l->count > size)
        buf_free(&l->at[--l->count].bytes);
}

static int subtree(void *self, uint64_t lo, uint64_t hi, struct hash *ret)
{
    struct loose *l = self;
    if (hi - lo == 1) {
        *ret = l->at[lo].leaf;
        return COMITY_OK;
    }
    struct hash left;
    struct hash right;
    uint64_t mid = lo + (hi - lo) / 2;
    MUST(subtree(l, lo, mid, &left));
    MUST(subtree(l, mid, hi, &right));
    hash_node(l->suite, &left, &right, ret);
    return COMITY_OK;
}

struct tree_source loose_tree(struct loose *l)
{
    return (struct tree_source){.subtree = subtree, .self = l, .suite = l->suite};
}

void loose_sign(struct loose *l, size_t size, struct checkpoint *ret, struct buf *note)
{
    struct tree_source tree = loose_tree(l);
    memset(ret, 0, sizeof *ret);
    snprintf(ret->origin, sizeof ret->origin, "%.80s", note_signer_public(l->signer)->name);
    ret->size = size;
    MUST(tree_hash(&tree, 0, size, &ret->root));
    MUST(checkpoint_sign(ret, l->signer, note));
}

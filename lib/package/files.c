/*
 * The files of a package: collected, read from a folder or zip, written as one. The only place with
 * libarchive.
 */
#include "package/files.h"

#include "base/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

void package_files_free(struct package_files *p)
{
    for (size_t i = 0; i < p->file.count; i++) {
        buf_free(&p->file.at[i].bytes);
        free(p->file.at[i].source);
    }
    LIST_FREE(p->file);
    *p = (struct package_files){0};
}

/* Letters, digits, "._-" and single slashes; no part begins with a dot. */
static bool is_safe(struct bytes path)
{
    bool begins = true;
    if (path.len == 0 || path.len > PACKAGE_PATH_MAX)
        return false;
    for (size_t i = 0; i < path.len; i++) {
        char c = (char)path.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
        if (!is_word && (begins || (c != '.' && c != '/')))
            return false;
        begins = c == '/';
    }
    return !begins;
}

/* A new row; NULL without memory, or for a path that is none. */
static struct package_file *new_file(struct package_files *p, const char *path, int *ret_err)
{
    struct package_file f = {0};
    *ret_err = COMITY_OK;
    if (!is_safe(bytes_of(path)))
        *ret_err = COMITY_E_INVALID;
    for (size_t i = 0; !*ret_err && i < p->file.count; i++)
        if (strcmp(p->file.at[i].path, path) == 0)
            *ret_err = COMITY_E_EXISTS;
    if (!*ret_err && p->file.count >= PACKAGE_FILES_MAX)
        *ret_err = COMITY_E_LIMIT;
    if (*ret_err)
        return NULL;
    snprintf(f.path, sizeof f.path, "%s", path);
    *ret_err = LIST_ADD(p->file, f);
    return *ret_err ? NULL : &p->file.at[p->file.count - 1];
}

static bool is_evidence(const char *path)
{
    return strncmp(path, "files/", strlen("files/")) == 0;
}

/* Bytes of a file as they come: kept, unless it is evidence, and hashed. */
struct intake {
    struct package_files *files;
    struct package_file *file;
    struct file_digest *digest;
};

static int intake_begin(struct intake *in, struct package_files *p, const char *path)
{
    int err = COMITY_OK;
    *in = (struct intake){.files = p, .digest = file_digest_new()};
    if (!in->digest)
        return COMITY_E_NOMEM;
    in->file = new_file(p, path, &err);
    if (in->file)
        in->file->is_loaded = !is_evidence(path);
    return err;
}

static int intake_add(struct intake *in, struct bytes bytes)
{
    file_digest_add(in->digest, bytes);
    in->file->len += bytes.len;
    if (!in->file->is_loaded)
        return COMITY_OK;
    in->files->loaded += bytes.len;
    if (in->file->len > PACKAGE_LOADED_MAX || in->files->loaded > PACKAGE_TOTAL_MAX)
        return COMITY_E_TOO_LARGE;
    buf_put_bytes(&in->file->bytes, bytes);
    return buf_check(&in->file->bytes);
}

static int intake_end(struct intake *in, int err)
{
    if (!err && in->file)
        file_digest_finish(in->digest, &in->file->sha256, &in->file->sm3);
    file_digest_free(in->digest);
    return err;
}

static int intake_fd(struct intake *in, int fd)
{
    uint8_t chunk[CHUNK];
    int err = COMITY_OK;
    while (!err) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? file_err(errno) : COMITY_OK;
        err = intake_add(in, BYTES(chunk, (size_t)n));
    }
    return err;
}

static int intake_path(struct intake *in, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return file_err(errno);
    int err = intake_fd(in, fd);
    close(fd);
    return err;
}

int package_add(struct package_files *p, const char *path, struct bytes content)
{
    struct intake in;
    int err = intake_begin(&in, p, path);
    if (!err)
        err = intake_add(&in, content);
    return intake_end(&in, err);
}

int package_add_source(struct package_files *p, const char *path, const char *source)
{
    struct intake in;
    int err = intake_begin(&in, p, path);
    if (!err)
        err = intake_path(&in, source);
    if (!err && !(in.file->source = strdup(source)))
        err = COMITY_E_NOMEM;
    return intake_end(&in, err);
}

/* ---- finding ---- */

static int compare_paths(const void *x, const void *y)
{
    return strcmp(((const struct package_file *)x)->path, ((const struct package_file *)y)->path);
}

void package_sort(struct package_files *p)
{
    if (p->file.count)
        qsort(p->file.at, p->file.count, sizeof *p->file.at, compare_paths);
}

static int compare_path(const void *path, const void *file)
{
    return strcmp(path, ((const struct package_file *)file)->path);
}

const struct package_file *package_find(const struct package_files *p, const char *path)
{
    return p->file.count
               ? bsearch(path, p->file.at, p->file.count, sizeof *p->file.at, compare_path)
               : NULL;
}

struct bytes package_bytes(const struct package_files *p, const char *path)
{
    const struct package_file *f = package_find(p, path);
    return f && f->is_loaded ? (f->bytes.len ? buf_bytes(&f->bytes) : BYTES_LIT("")) : BYTES_NONE;
}

/* ---- reading ---- */

static int read_folder(struct package_files *p, const char *root, const char *below)
{
    struct buf path = BUF_INIT;
    struct buf inner = BUF_INIT;
    buf_printf(&path, "%s/%s", root, below);
    DIR *dir = opendir(buf_str(&path));
    int err = dir ? COMITY_OK : file_err(errno);
    for (struct dirent *d = NULL; !err && (d = readdir(dir));) {
        struct stat st;
        struct intake in;
        if (d->d_name[0] == '.')
            continue;
        buf_reset(&inner);
        buf_printf(&inner, "%s%s%s", below, *below ? "/" : "", d->d_name);
        buf_reset(&path);
        buf_printf(&path, "%s/%s", root, buf_str(&inner));
        if (lstat(buf_str(&path), &st) != 0) {
            err = file_err(errno);
        } else if (S_ISDIR(st.st_mode)) {
            err = inner.len < PACKAGE_PATH_MAX ? read_folder(p, root, buf_str(&inner))
                                               : COMITY_E_NOT_A_PACKAGE;
        } else if (!S_ISREG(st.st_mode)) {
            err = COMITY_E_NOT_A_PACKAGE; /* a link, a socket of a node … */
        } else {
            err = intake_begin(&in, p, buf_str(&inner));
            err = intake_end(&in, err ? err : intake_path(&in, buf_str(&path)));
        }
    }
    if (dir)
        closedir(dir);
    buf_free(&path);
    buf_free(&inner);
    return err;
}

static int read_member(struct package_files *p, struct archive *zip, const char *path)
{
    uint8_t chunk[CHUNK];
    struct intake in;
    int err = intake_begin(&in, p, path);
    while (!err) {
        la_ssize_t n = archive_read_data(zip, chunk, sizeof chunk);
        if (n < 0)
            err = COMITY_E_NOT_A_PACKAGE;
        if (n <= 0)
            break;
        err = intake_add(&in, BYTES(chunk, (size_t)n));
    }
    return intake_end(&in, err);
}

static int read_zip(struct package_files *p, const char *path)
{
    struct archive *zip = archive_read_new();
    struct archive_entry *e = NULL;
    int got = ARCHIVE_OK;
    if (!zip)
        return COMITY_E_NOMEM;
    int err = COMITY_OK;
    if (archive_read_support_format_zip(zip) != ARCHIVE_OK ||
        archive_read_open_filename(zip, path, CHUNK) != ARCHIVE_OK)
        err = COMITY_E_NOT_A_PACKAGE;
    while (!err && (got = archive_read_next_header(zip, &e)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(e);
        if (archive_entry_filetype(e) == AE_IFDIR)
            continue;
        if (!name || archive_entry_filetype(e) != AE_IFREG)
            err = COMITY_E_NOT_A_PACKAGE;
        else
            err = read_member(p, zip, name);
    }
    if (!err && got != ARCHIVE_EOF)
        err = COMITY_E_NOT_A_PACKAGE;
    archive_read_free(zip);
    return err;
}

/* Before all of a large folder is read for nothing. */
static bool has_sums(const char *folder)
{
    char *path = file_path(folder, "SHA256SUMS");
    bool yes = !path || access(path, F_OK) == 0;
    free(path);
    return yes;
}

int package_load(const char *path, struct package_files *ret)
{
    struct stat st;
    struct package_files p = {0};
    if (stat(path, &st) != 0)
        return file_err(errno);
    int err = !S_ISDIR(st.st_mode) ? read_zip(&p, path)
              : has_sums(path)     ? read_folder(&p, path, "")
                                   : COMITY_E_NOT_A_PACKAGE;
    if (err == COMITY_E_INVALID || err == COMITY_E_EXISTS)
        err = COMITY_E_NOT_A_PACKAGE;
    package_sort(&p);
    if (!err && (!package_find(&p, "SHA256SUMS") || !package_find(&p, "record/entry.bin")))
        err = COMITY_E_NOT_A_PACKAGE;
    if (err) {
        package_files_free(&p);
        return err;
    }
    *ret = p;
    return COMITY_OK;
}

/* ---- writing ---- */

/* Where the bytes go. */
struct outlet {
    int (*put)(void *self, struct bytes bytes);
    void *self;
};

static int put_fd(void *self, struct bytes bytes)
{
    int fd = *(const int *)self;
    while (bytes.len) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_err(errno);
        bytes = bytes_slice(bytes, (size_t)n, bytes.len);
    }
    return COMITY_OK;
}

/* Why libarchive could not write: without memory it has no number, and the disk is what is left. */
static int archive_err(struct archive *zip)
{
    int number = archive_errno(zip);
    return number > 0 ? file_err(number) : COMITY_E_IO;
}

static int put_archive(void *self, struct bytes bytes)
{
    while (bytes.len) {
        la_ssize_t n = archive_write_data(self, bytes.data, bytes.len);
        if (n <= 0)
            return archive_err(self);
        bytes = bytes_slice(bytes, (size_t)n, bytes.len);
    }
    return COMITY_OK;
}

/* Copy what lies elsewhere; it must be what it was when its digests were computed, which the
 * package is verified for. */
static int copy_source(const struct package_file *f, const struct outlet *to)
{
    uint8_t chunk[CHUNK];
    uint64_t left = f->len;
    int err = COMITY_OK;
    int fd = open(f->source, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_err(errno);
    while (!err && left) {
        ssize_t n = read(fd, chunk, left < sizeof chunk ? (size_t)left : sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            err = COMITY_E_IO;
            break;
        }
        left -= (uint64_t)n;
        err = to->put(to->self, BYTES(chunk, (size_t)n));
    }
    close(fd);
    return err;
}

static int write_content(const struct package_file *f, const struct outlet *to)
{
    return f->source ? copy_source(f, to) : to->put(to->self, buf_bytes(&f->bytes));
}

static mode_t mode_of(const struct package_file *f)
{
    return strcmp(f->path, "verify.sh") == 0 ? 0755 : 0644;
}

static int write_file(const char *root, const struct package_file *f)
{
    char *path = file_path(root, f->path);
    char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash) {
        free(path);
        return COMITY_E_NOMEM;
    }
    *slash = '\0';
    int err = file_mkdirs(path, 0755);
    *slash = '/';
    int fd = err ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_of(f));
    if (!err && fd < 0)
        err = file_err(errno);
    const struct outlet to = {.put = put_fd, .self = &fd};
    if (!err)
        err = write_content(f, &to);
    if (!err && fsync(fd) != 0)
        err = file_err(errno);
    if (fd >= 0)
        close(fd);
    free(path);
    return err;
}

static int write_member(struct archive *zip, const struct package_file *f, int64_t time_ms)
{
    struct archive_entry *e = archive_entry_new();
    if (!e)
        return COMITY_E_NOMEM;
    archive_entry_set_pathname(e, f->path);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, mode_of(f));
    archive_entry_set_size(e, (la_int64_t)f->len);
    archive_entry_set_mtime(e, (time_t)(time_ms / 1000), 0);
    int err = archive_write_header(zip, e) == ARCHIVE_OK ? COMITY_OK : archive_err(zip);
    const struct outlet to = {.put = put_archive, .self = zip};
    if (!err)
        err = write_content(f, &to);
    if (!err && archive_write_finish_entry(zip) != ARCHIVE_OK)
        err = archive_err(zip);
    archive_entry_free(e);
    return err;
}

static int write_zip(const char *path, const struct package_files *p, int64_t time_ms)
{
    struct archive *zip = archive_write_new();
    if (!zip)
        return COMITY_E_NOMEM;
    int err = COMITY_OK;
    if (archive_write_set_format_zip(zip) != ARCHIVE_OK ||
        archive_write_open_filename(zip, path) != ARCHIVE_OK)
        err = archive_err(zip);
    for (size_t i = 0; !err && i < p->file.count; i++)
        err = write_member(zip, &p->file.at[i], time_ms);
    if (archive_write_close(zip) != ARCHIVE_OK && !err)
        err = archive_err(zip);
    archive_write_free(zip);
    return err;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *d = NULL; dir && (d = readdir(dir));) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        char *inner = file_path(path, d->d_name);
        if (inner && unlink(inner) != 0)
            remove_tree(inner);
        free(inner);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

void package_remove(const char *path)
{
    if (unlink(path) != 0)
        remove_tree(path);
}

static bool is_zip_name(const char *path)
{
    size_t len = strlen(path);
    return len > 4 && strcmp(path + len - 4, ".zip") == 0;
}

static int write_folder(const char *path, const struct package_files *p)
{
    int err = mkdir(path, 0755) == 0 ? COMITY_OK : file_err(errno);
    for (size_t i = 0; !err && i < p->file.count; i++)
        err = write_file(path, &p->file.at[i]);
    return err;
}

int package_write(const char *path, const struct package_files *p, int64_t time_ms)
{
    struct buf tmp = BUF_INIT;
    if (access(path, F_OK) == 0)
        return COMITY_E_EXISTS;
    buf_printf(&tmp, "%s.part-%ld", path, (long)getpid());
    int err = buf_check(&tmp);
    if (!err)
        err = is_zip_name(path) ? write_zip(buf_str(&tmp), p, time_ms)
                                : write_folder(buf_str(&tmp), p);
    if (!err)
        err = file_settle(buf_str(&tmp), path);
    if (err)
        package_remove(buf_str(&tmp));
    buf_free(&tmp);
    return err;
}

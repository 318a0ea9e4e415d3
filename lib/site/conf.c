/*
 * The configuration file, through libconfuse. See conf.h.
 */
#include "site/conf.h"

#include "base/file.h"

#include <comity/err.h>
#include <confuse.h>
#include <stdlib.h>
#include <string.h>

/* libconfuse reports errors through a callback without context; a start reads one file, in one
 * thread. */
static struct buf *error_text;

__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    char line[512];
    vsnprintf(line, sizeof line, fmt, ap);
    if (error_text && error_text->len == 0)
        buf_printf(error_text, "%s:%d: %s", cfg && cfg->filename ? cfg->filename : "configuration",
                   cfg ? cfg->line : 0, line);
}

static int check_positive(cfg_t *cfg, cfg_opt_t *opt)
{
    long v = cfg_opt_getnint(opt, cfg_opt_size(opt) - 1);
    if (v < 1) {
        cfg_error(cfg, "option '%s' must be at least 1", opt->name);
        return -1;
    }
    return 0;
}

static int check_log_level(cfg_t *cfg, cfg_opt_t *opt)
{
    enum log_level level;
    const char *word = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
    if (!word || !log_level_from(word, &level)) {
        cfg_error(cfg, "option '%s' must be debug, info, warn or error", opt->name);
        return -1;
    }
    return 0;
}

/* A path as it stands, or in the site's folder when it is relative. */
static char *resolve(const struct site *s, const char *path)
{
    if (!path)
        return NULL;
    bool is_as_is = path[0] == '/' || strcmp(path, "-") == 0 || strncmp(path, "fd:", 3) == 0;
    return is_as_is ? strdup(path) : file_path(s->dir, path);
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

/* The options of one role alone. In the other's file nobody would obey them, so they are refused.
 */
static const char *const node_options[] = {"control", "checkpoint_entries", NULL};
static const char *const broker_options[] = {"listen",    "listen_bulk", "metrics",
                                             "keep_days", "quota_mib",   NULL};

static int refuse_options(cfg_t *cfg, const char *const *names, const char *whose,
                          struct buf *detail)
{
    for (; *names; names++) {
        const cfg_opt_t *opt = cfg_getopt(cfg, *names);
        if (!opt || !(opt->flags & CFGF_MODIFIED))
            continue;
        buf_printf(detail, "%s: the option %s is a %s's", cfg->filename, *names, whose);
        return COMITY_E_CONFIG;
    }
    return COMITY_OK;
}

static int take(cfg_t *cfg, struct site *s, struct buf *detail)
{
    const char *role = cfg_getstr(cfg, "role");
    const char *member = cfg_getstr(cfg, "member");
    if (!role || !member || !cfg_getstr(cfg, "name")) {
        buf_printf(detail, "%s: the options role, member and name are needed", cfg->filename);
        return COMITY_E_CONFIG;
    }
    bool is_node = strcmp(role, "node") == 0;
    if ((!is_node && strcmp(role, "broker") != 0) || !text_is_member_id(bytes_of(member))) {
        buf_printf(detail, "%s: role must be node or broker, and member a member id",
                   cfg->filename);
        return COMITY_E_CONFIG;
    }
    int err = is_node ? refuse_options(cfg, broker_options, "broker", detail)
                      : refuse_options(cfg, node_options, "node", detail);
    if (err)
        return err;
    if (!is_node && (!cfg_getstr(cfg, "listen") || !cfg_getstr(cfg, "listen_bulk"))) {
        buf_printf(detail, "%s: a broker needs the options listen and listen_bulk", cfg->filename);
        return COMITY_E_CONFIG;
    }
    s->role = is_node ? MEMBER_BUREAU : MEMBER_BROKER;
    s->member = copy(member);
    s->name = copy(cfg_getstr(cfg, "name"));
    s->suite = (uint32_t)cfg_getint(cfg, "suite");
    s->passphrase_file = resolve(s, cfg_getstr(cfg, "passphrase_file"));
    log_level_from(cfg_getstr(cfg, "log_level"), &s->log_level);
    s->memory_bytes = (uint64_t)cfg_getint(cfg, "memory_mib") << 20;
    s->control = resolve(s, cfg_getstr(cfg, "control"));
    s->checkpoint_entries = (uint64_t)cfg_getint(cfg, "checkpoint_entries");
    s->listen = copy(cfg_getstr(cfg, "listen"));
    s->listen_bulk = copy(cfg_getstr(cfg, "listen_bulk"));
    s->metrics = copy(cfg_getstr(cfg, "metrics"));
    s->keep_days = (uint64_t)cfg_getint(cfg, "keep_days");
    s->quota_bytes = (uint64_t)cfg_getint(cfg, "quota_mib") << 20;
    return s->member && s->name && s->control ? COMITY_OK : COMITY_E_NOMEM;
}

int conf_read(const char *path, struct site *s, struct buf *detail)
{
    cfg_opt_t options[] = {CFG_STR("role", NULL, CFGF_NODEFAULT),
                           CFG_STR("member", NULL, CFGF_NODEFAULT),
                           CFG_STR("name", NULL, CFGF_NODEFAULT),
                           CFG_INT("suite", SUITE_1, CFGF_NONE),
                           CFG_STR("passphrase_file", NULL, CFGF_NODEFAULT),
                           CFG_STR("log_level", "info", CFGF_NONE),
                           CFG_INT("memory_mib", 8192, CFGF_NONE),
                           CFG_STR("control", "node.sock", CFGF_NONE),
                           CFG_INT("checkpoint_entries", 256, CFGF_NONE),
                           CFG_STR("listen", NULL, CFGF_NODEFAULT),
                           CFG_STR("listen_bulk", NULL, CFGF_NODEFAULT),
                           CFG_STR("metrics", NULL, CFGF_NODEFAULT),
                           CFG_INT("keep_days", 90, CFGF_NONE),
                           CFG_INT("quota_mib", 1048576, CFGF_NONE),
                           CFG_END()};
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    if (!cfg)
        return COMITY_E_NOMEM;
    cfg_set_error_function(cfg, on_error);
    static const char *const counts[] = {"suite", "checkpoint_entries", "keep_days", "quota_mib",
                                         "memory_mib"};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        cfg_set_validate_func(cfg, counts[i], check_positive);
    cfg_set_validate_func(cfg, "log_level", check_log_level);
    error_text = detail;
    int parsed = cfg_parse(cfg, path);
    error_text = NULL;
    int err = COMITY_OK;
    if (parsed == CFG_FILE_ERROR) {
        buf_printf(detail, "%s: cannot be read", path);
        err = COMITY_E_NOT_FOUND;
    } else if (parsed != CFG_SUCCESS) {
        err = COMITY_E_CONFIG;
    } else {
        err = take(cfg, s, detail);
    }
    cfg_free(cfg);
    return err;
}

/* A double-quoted string of libconfuse: backslash escapes, and `${` would be an environment
 * variable. */
static void put_string(struct buf *out, const char *option, const char *value)
{
    buf_printf(out, "%s = \"", option);
    for (const char *c = value; *c; c++) {
        if (*c == '"' || *c == '\\' || *c == '$')
            buf_put_u8(out, '\\');
        buf_put_u8(out, (uint8_t)*c);
    }
    buf_put_str(out, "\"\n");
}

void conf_put(struct buf *out, const struct site_plan *plan)
{
    bool is_node = plan->role != MEMBER_BROKER;
    buf_printf(
        out, "# Configuration of comity-%s; see comity-%s(1). Relative paths lie in this folder.\n",
        is_node ? "node" : "broker", is_node ? "node" : "broker");
    put_string(out, "role", is_node ? "node" : "broker");
    put_string(out, "member", plan->member);
    put_string(out, "name", plan->name);
    buf_printf(out, "suite = %d\n", SUITE_1);
    if (plan->passphrase_file)
        put_string(out, "passphrase_file", plan->passphrase_file);
    else
        buf_put_str(out, "# passphrase_file = \"/run/credentials/passphrase\"\n");
    buf_put_str(out, "log_level = \"info\"\n# memory_mib = 8192\n");
    if (is_node) {
        buf_put_str(out, "control = \"node.sock\"\n# checkpoint_entries = 256\n");
        return;
    }
    put_string(out, "listen", plan->endpoint);
    put_string(out, "listen_bulk", plan->endpoint_bulk);
    buf_put_str(out, "# metrics = \"127.0.0.1:9464\"\nkeep_days = 90\nquota_mib = 1048576\n");
}

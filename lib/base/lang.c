/*
 * Choosing the language. See lang.h.
 *
 * A machine need not have the Chinese locale installed for this: gettext looks at LANGUAGE as soon
 * as the locale is any other than "C", and C.UTF-8 is always there.
 */
#include "base/lang.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_zh;

static bool is_set(const char *value)
{
    return value && value[0];
}

/* The variables in the order in which gettext looks at them. */
static bool environment_says_zh(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *locale = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !is_set(locale); i++)
        locale = getenv(names[i]);
    if (!is_set(locale) || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0)
        return false;
    const char *language = getenv("LANGUAGE");
    return strncmp(is_set(language) ? language : locale, "zh", 2) == 0;
}

/* Where it was told, else beside the program in a build folder, else where programs are installed
 * next to. NULL: nowhere. */
static const char *catalogue_dir(void)
{
    static const char *const near[] = {"/locale", "/../share/locale"};
    static char dir[PATH_MAX + sizeof "/../share/locale"];
    const char *told = getenv("COMITY_LOCALEDIR");
    if (is_set(told))
        return told;
    ssize_t n = readlink("/proc/self/exe", dir, PATH_MAX);
    char *slash = n > 0 ? memrchr(dir, '/', (size_t)n) : NULL;
    for (size_t i = 0; slash && i < sizeof near / sizeof near[0]; i++) {
        strcpy(slash, near[i]);
        if (access(dir, R_OK | X_OK) == 0)
            return dir;
    }
    return NULL;
}

void lang_init(const char *lang, bool is_plain)
{
    is_zh = !is_plain && (lang ? strcmp(lang, "zh") == 0 : environment_says_zh());
    setlocale(LC_ALL, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    setlocale(LC_NUMERIC, "C");
    if (is_zh) {
        setenv("LANGUAGE", "zh_CN", 1);
        if (!setlocale(LC_MESSAGES, "zh_CN.UTF-8"))
            setlocale(LC_MESSAGES, "C.UTF-8");
    } else {
        unsetenv("LANGUAGE");
        setlocale(LC_MESSAGES, "C");
    }
    const char *dir = catalogue_dir();
    if (dir)
        bindtextdomain("comity", dir);
    bind_textdomain_codeset("comity", "UTF-8");
    textdomain("comity");
}

bool lang_is_zh(void)
{
    return is_zh;
}

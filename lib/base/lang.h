/*
 * The language that the programs speak to people. Chinese where the locale says zh or --lang does,
 * English elsewhere; machine-readable output and logs are never translated.
 */
#ifndef BASE_LANG_H
#define BASE_LANG_H

#include <libintl.h>
#include <stdbool.h>

/* Translated where it stands; only marked, to be translated where it is shown. */
#define _(text) gettext(text)
#define N_(text) text

/*
 * Set the locale and the catalogue. ${lang} is "zh", "en" or NULL for what the environment says;
 * ${is_plain} keeps English whatever else is said. Text is UTF-8 in any case. Once, before anything
 * is printed.
 */
void lang_init(const char *lang, bool is_plain);
bool lang_is_zh(void);

#endif

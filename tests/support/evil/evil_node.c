/*
 * evil-node: one attack of a member upon the broker, and through it upon other members. What
 * happened is told on standard output (peer.h); what should have happened is for the scenario to
 * say.
 *
 *     evil-node -c SITE/node.conf -p PASSPHRASE [--to MEMBER]… [--other MEMBER] [--count N] ATTACK
 */
#include "evil/attacks.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

enum { RECEIPT_MS = 10000 };

struct options {
    const char *conf;
    const char *passphrase_file;
    const char *attack;
    struct attack_args args;
};

static const struct argp_option option_table[] = {
    {"config", 'c', "FILE", 0, "the member's node.conf", 0},
    {"passphrase-file", 'p', "FILE", 0, "opens its keys", 0},
    {"to", 't', "MEMBER", 0, "a recipient; in ascending order", 0},
    {"other", 'o', "MEMBER", 0, "whose name is taken in vain", 0},
    {"blob", 'b', "HEX", 0, "somebody else's file", 0},
    {"count", 'n', "N", 0, "entries of a parcel, or how often", 0},
    {"list", 'l', NULL, 0, "say what attacks there are", 0},
    {0}};

static void list(const struct attack *a)
{
    for (; a->name; a++)
        printf("%-24s %s\n", a->name, a->what);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->conf = arg;
        return 0;
    case 'p':
        o->passphrase_file = arg;
        return 0;
    case 't':
        if (o->args.to_count == EVIL_TO_MAX)
            return EINVAL;
        o->args.to[o->args.to_count++] = arg;
        return 0;
    case 'o':
        o->args.other = arg;
        return 0;
    case 'b':
        o->args.blob = arg;
        return 0;
    case 'n':
        o->args.count = (size_t)strtoul(arg, NULL, 10);
        return 0;
    case 'l':
        list(session_attacks);
        list(parcel_attacks);
        list(bulk_attacks);
        exit(0);
    case ARGP_KEY_ARG:
        if (o->attack)
            argp_usage(state);
        o->attack = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->attack || !o->conf || !o->passphrase_file)
            argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct attack *find(const char *name)
{
    static const struct attack *const tables[] = {session_attacks, parcel_attacks, bulk_attacks};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct attack *a = tables[i]; a->name; a++)
            if (strcmp(a->name, name) == 0)
                return a;
    return NULL;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_table, .parser = parse_option, .args_doc = "ATTACK"};
    struct options o = {0};
    struct evil e;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    const struct attack *a = find(o.attack);
    if (!a) {
        fprintf(stderr, "evil-node: no such attack: %s\n", o.attack);
        return 2;
    }
    evil_open(&e, o.conf, o.passphrase_file);
    a->run(&e, &o.args);
    if (a->waits && e.socket && e.receipts == 0)
        evil_wait(&e, FRAME_DELIVER, RECEIPT_MS);
    e.forgets = a->forgets;
    evil_close(&e);
    return 0;
}

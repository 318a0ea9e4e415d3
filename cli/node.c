/*
 * node: a bureau's own folder, from its making to its place in the network.
 */
#include "commands.h"
#include "restore.h"
#include "site_command.h"

static const struct flag init_flags[] = {
    {"dir", N_("FOLDER"), FLAG_NEEDED,
     N_("The folder to make; all that belongs to the node lies in it")},
    {"network", N_("FILE"), FLAG_NEEDED, N_("The authority's network file, NET.network")},
    {"member", N_("ID"), FLAG_NEEDED, N_("The bureau's member id: 330100-001")},
    {"name", N_("NAME"), FLAG_NEEDED, N_("The bureau's name, as others are to see it")},
    {"out", N_("FILE"), 0, N_("Where to write the join file (default: ID.join)")},
    {0},
};

static const struct flag join_flags[] = {
    {"dir", N_("FOLDER"), FLAG_NEEDED, N_("The node's folder")},
    {"roster", N_("FILE"), FLAG_NEEDED, N_("The roster that names this member")},
    {0},
};

static const struct flag restore_flags[] = {
    {"dir", N_("FOLDER"), FLAG_NEEDED, N_("The node's folder, as it was put back")},
    {"roster", N_("FILE"), 0,
     N_("The authority's roster that closes the old ledger and lists its successor: the second "
        "half")},
    {"new-keys", NULL, 0,
     N_("Also new keys for the line and for sealing, where the old ones may be known to others")},
    {"out", N_("FILE"), 0, N_("Where to write the join file (default: ID.N.join)")},
    {0},
};

static int node_init(struct cli *c)
{
    return site_command_init(c, MEMBER_BUREAU);
}

static int node_join(struct cli *c)
{
    return site_command_join(c, MEMBER_BUREAU);
}

static int node_restore(struct cli *c)
{
    return restore_command(c, MEMBER_BUREAU);
}

const struct command node_commands[] = {
    {.noun = "node",
     .verb = "init",
     .uses = USES_PASSPHRASE,
     .doc = N_("Make a node's folder: keys, configuration, empty ledger, join file"),
     .more = N_(
         "The join file goes to the authority, and its SHA-256 to them by another way. When "
         "--passphrase-file "
         "names a file, its path is written into the configuration, so that the daemon finds it."),
     .flags = init_flags,
     .view = &site_init_view,
     .run = node_init},
    {.noun = "node",
     .verb = "join",
     .doc = N_("Take the roster that names this member into the node's folder"),
     .more = N_("The roster is verified against the network's keys, and must name this member with "
                "the very keys of "
                "this folder. Later rosters come through the broker by themselves."),
     .flags = join_flags,
     .view = &site_join_view,
     .run = node_join},
    {.noun = "node",
     .verb = "restore",
     .uses = USES_PASSPHRASE | USES_YES,
     .doc =
         N_("A folder was put back from an old copy: close its ledger, and go on with a successor"),
     .more =
         N_("First without --roster: it makes the successor's key and its join file, which goes to "
            "the authority (comity authority add … --at, with what comity broker witness writes). "
            "Then with the roster that came of it: the old ledger moves to archive/ in the folder, "
            "the new one takes its place, and once the node runs it fetches what the broker still "
            "holds. Each half can be repeated. Officers are enrolled anew."),
     .flags = restore_flags,
     .view = &restore_view,
     .run = node_restore},
    {0},
};

/*
 * node: a bureau's own folder, from its making to its place in the network.
 */
#include "commands.h"
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

static int node_init(struct cli *c)
{
    return site_command_init(c, MEMBER_BUREAU);
}

static int node_join(struct cli *c)
{
    return site_command_join(c, MEMBER_BUREAU);
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
    {0},
};

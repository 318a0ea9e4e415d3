"""The roster: who is a member, signed by a threshold of the network's authority (PROTOCOL.md, "Roster")."""
from collections import namedtuple

from comity import pb
from comity.errors import must
from comity.notes import note_lines, note_open, signed_by, unb64, vkey_parse
from comity.tree import H

BUREAU, BROKER, AUDITOR = 1, 2, 3
MAX_ROSTER = 8 * 1024 * 1024

Network = namedtuple("Network", "name threshold authority")     # NET.network: where trust begins


def network_parse(data):
    lines = note_lines(data.decode(), "comity network v1")
    must(len(lines) >= 3 and lines[1].isdigit() and data.endswith(b"\n"), "malformed", "network")
    keys = [vkey_parse(line) for line in lines[2:]]
    must(0 < int(lines[1]) <= len(keys), "malformed", "threshold")
    return Network(lines[0], int(lines[1]), keys)


def _take(data):
    size = int.from_bytes(data[:4], "big")
    must(len(data) >= 4 + size, "malformed", "roster file")
    return data[4:4 + size], data[4 + size:]


class Roster:
    """One roster in force."""

    def __init__(self, note, message, text, lines):
        self.note, self.message, self.text = note, message, text
        self.network, self.number = message.network, message.number
        self.issued, self.renew_by = lines[3], lines[4]
        self.threshold = message.threshold
        self.authority = [vkey_parse(key.decode()) for key in message.authority]
        self.members = {member.id: member for member in message.members}
        self.ledgers = {ledger.origin: (member, ledger) for member in message.members for ledger in member.ledgers}

    @staticmethod
    def accept(data, network, before=None):
        """The roster in a file, after `before`, or after the network's text alone."""
        must(len(data) <= MAX_ROSTER, "too_large", "roster")
        note, rest = _take(data)
        body, rest = _take(rest)
        must(not rest, "malformed", "roster file")
        message = pb.decode(pb.roster.Roster, body)
        text = note_open(note)[0]
        lines = note_lines(text, "comity roster v1", 6)
        roster = Roster(note, message, text, lines)
        must(lines[0] == roster.network == network.name and lines[1] == str(roster.number), "malformed", "network or number")
        must(unb64(lines[5]) == H(body), "signature_invalid", "the note is of another roster")
        ids = [member.id for member in message.members]
        must(ids == sorted(set(ids)), "malformed", "members")
        in_force = before or network
        for threshold, keys in ((in_force.threshold, in_force.authority), (roster.threshold, roster.authority)):
            must(threshold > 0 and sum(signed_by(note, key) for key in set(keys)) >= threshold, "authority_unproven")
        if before:
            must(roster.number > before.number, "roster_old", "older than the one in force")
            if roster.number == before.number + 1:
                must(unb64(lines[2]) == H(before.text.encode()), "roster_chain", "follows another roster")
            roster._must_keep(before)
        return roster

    def _must_keep(self, before):
        """No ledger is forgotten, none changes its key, none that was closed is closed elsewhere."""
        for origin, (_, was) in before.ledgers.items():
            _, now = self.ledgers.get(origin, (None, None))
            must(now and (now.suite, now.vkey) == (was.suite, was.vkey), "roster_chain", origin)
            must(not was.HasField("closed") or (now.HasField("closed") and now.closed == was.closed), "roster_chain", origin)

    def note_hash(self):
        return H(self.text.encode())

    def broker(self):
        """The member that is the broker (one today)."""
        return next(member for member in self.message.members if member.role == BROKER)

    def current(self, member_id):
        """The ledger that a member writes now, or None."""
        member = self.members.get(member_id)
        ledger = member.ledgers[-1] if member and member.ledgers else None
        return ledger if ledger and not ledger.HasField("closed") else None

    def key_of(self, origin):
        """Member and key of a ledger."""
        must(origin in self.ledgers, "member_unknown", origin)
        member, ledger = self.ledgers[origin]
        must(ledger.suite == 1, "unsupported", "suite")
        key = vkey_parse(ledger.vkey.decode())
        must(key.name == origin, "malformed", "the key of another origin")
        return member, key

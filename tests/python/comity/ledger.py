"""A bureau's own ledger: entries as first written, their openings, the tree over them, and what of others is known."""
import os
import time
from collections import namedtuple

from comity import pb
from comity.errors import must
from comity.notes import checkpoint_text, note_sign
from comity.parcel import genesis, salted_hash
from comity.tree import leaf_hash, root

# What is to become an entry. `body` is the exact bytes of a Body or None; salt is chosen when it is None.
Draft = namedtuple("Draft", "kind body salt source ref")
Draft.__new__.__defaults__ = (None, None, None, None)


class Ledger:
    """Kept in `rows`, a list of {entry, salt?, body?} in hex, which the caller stores."""

    def __init__(self, origin, key, rows):
        self.origin, self.key, self.rows = origin, key, rows
        self.leaves = [leaf_hash(bytes.fromhex(row["entry"])) for row in rows]

    @property
    def size(self):
        return len(self.rows)

    def root_at(self, size):
        return root(self.leaves, 0, size)

    def checkpoint(self):
        return note_sign(checkpoint_text(self.origin, self.size, self.root_at(self.size)), (self.origin, self.key))

    def entry(self, index):
        return bytes.fromhex(self.rows[index]["entry"])

    def message(self, index):
        return pb.decode(pb.ledger.LedgerEntry, self.entry(index))

    def opening(self, index):
        row, opening = self.rows[index], pb.parcel.Opening()
        if "body" in row:
            set_opening(opening, bytes.fromhex(row["salt"]), bytes.fromhex(row["body"]))
        return opening

    def body(self, index):
        return pb.decode(pb.ledger.Body, bytes.fromhex(self.rows[index]["body"]))

    @staticmethod
    def with_salts(drafts):
        return [d._replace(salt=os.urandom(32)) if d.body is not None and d.salt is None else d for d in drafts]

    def append(self, draft, roster_number, to=(), seal=None):
        """Append an entry; `to` holds pairs of member and pair_seq. Gives its index."""
        entry = pb.ledger.LedgerEntry(index=self.size, time_ms=int(time.time() * 1000), kind=draft.kind, roster=roster_number)
        entry.prev = self.leaves[-1] if self.leaves else genesis(self.origin)
        row = {}
        if draft.body is not None:
            entry.body_hash = salted_hash("body", self.origin, draft.salt, draft.body)
            row = {"salt": draft.salt.hex(), "body": draft.body.hex()}
        if seal:
            entry.seal = seal
        if draft.source is not None:
            entry.source.CopyFrom(draft.source)
        for member, pair_seq in sorted(to):
            entry.to.add(member=member, pair_seq=pair_seq)
        if draft.ref:
            entry.ref = draft.ref
        data = pb.encode(entry)
        row["entry"] = data.hex()
        self.rows.append(row)
        self.leaves.append(leaf_hash(data))
        return self.size - 1


def set_opening(opening, salt, body):
    """An empty body is opened by its salt alone: an optional field is never present and empty."""
    opening.salt = salt
    if body:
        opening.body = body


def place(origin, index, leaf):
    return pb.ledger.Source(origin=origin, index=index, leaf=leaf)


MAX_GAPS = 1024


class Pairs:
    """pair_seq of what one origin sends to us: next, and the gaps (PROTOCOL.md, "pair_seq")."""

    def __init__(self, kept):
        self.kept = kept              # {"next": n, "gaps": [[first, end], …]}, empty before the first

    def take(self, first, count):
        """'next', 'beyond', 'gap' or 'below'; refused when some of the numbers were taken and others not."""
        must(first > 0 and count > 0, "pair_seq", "no numbers")
        if not self.kept:
            self.kept.update(next=first, gaps=[])
        gaps, end = self.kept["gaps"], first + count
        if first >= self.kept["next"]:
            beyond = first > self.kept["next"]
            if beyond:
                must(len(gaps) < MAX_GAPS, "limit", "gaps")
                gaps.append([self.kept["next"], first])
            self.kept["next"] = end
            return "beyond" if beyond else "next"
        for n, (a, b) in enumerate(gaps):
            if a <= first and end <= b:
                gaps[n:n + 1] = [gap for gap in ([a, first], [end, b]) if gap[0] < gap[1]]
                must(len(gaps) <= MAX_GAPS, "limit", "gaps")
                return "gap"
        must(end <= self.kept["next"] and not any(a < end and first < b for a, b in gaps), "pair_seq", "taken in part")
        return "below"

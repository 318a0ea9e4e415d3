"""Entries and parcels: their hashes, and how a parcel is verified (PROTOCOL.md, "Entry kinds" and "Verifying a parcel")."""
from collections import namedtuple

from comity import pb
from comity.errors import Refused, must
from comity.notes import checkpoint_verify
from comity.roster import BROKER
from comity.seal import seal_hash
from comity.tree import H, check_multiproof, leaf_hash

(RECORD, SIGNATURE, SHARE, RECEIVED, RECEIPT, ROUTED, CHECKPOINT, ROSTER, FILE, KEY, REFUSED, ERASED, NOTE) = range(1, 14)
RECEIPT_CLASS = {RECEIVED, REFUSED, FILE}

MAX_PARCEL, MAX_ENTRY, MAX_BODY, MAX_REF, MAX_NOTE = 960 * 1024, 16 * 1024, 64 * 1024, 1024, 64 * 1024
MAX_ENTRIES, MAX_RECIPIENTS, MAX_ENCLOSURES, MAX_PROOF, MAX_ENCLOSURE_PROOF = 1024, 64, 256, 8192, 64

Entry = namedtuple("Entry", "index leaf data message")


def genesis(origin, predecessor=b""):
    return H(b"comity-genesis/v1\n", origin.encode(), b"\n1\n", predecessor)


def salted_hash(what, origin, salt, data):
    """body_hash (what = body) and record_hash (what = record)."""
    return H(b"comity-%s/v1\n" % what.encode(), origin.encode(), b"\n", salt, data)


def parcel_hash(head):
    return H(b"comity-parcel-head/v1\n", head)


def entry_decode(data):
    message = pb.decode(pb.ledger.LedgerEntry, data, MAX_ENTRY)
    must(len(message.prev) == 32 and len(message.ref) <= MAX_REF, "malformed", "entry")
    members = [to.member for to in message.to]
    must(members == sorted(set(members)), "malformed", "to")
    return Entry(message.index, leaf_hash(data), data, message)


class Parcel:
    """A parcel that decodes within the limits. What it claims is not yet believed."""

    def __init__(self, data):
        self.data = data
        self.outer = pb.decode(pb.parcel.Parcel, data, MAX_PARCEL)
        self.head = head = pb.decode(pb.parcel.Head, self.outer.head)
        self.hash = parcel_hash(self.outer.head)
        must(len(head.entries) <= MAX_ENTRIES and len(head.recipients) <= MAX_RECIPIENTS and len(head.checkpoint) <= MAX_NOTE
             and len(head.enclosures) <= MAX_ENCLOSURES and len(head.proof) <= MAX_PROOF, "too_large", "parcel")
        self.origin, self.recipients = head.origin, list(head.recipients)
        must(self.recipients == sorted(set(self.recipients)), "malformed", "recipients")
        since = [(s.member, s.size) for s in head.since]
        must(since == sorted(set(since)), "malformed", "since")
        must(list(head.blobs) == sorted(set(head.blobs)) and all(len(b) == 40 for b in head.blobs), "malformed", "blobs")
        self.entries = [entry_decode(entry) for entry in head.entries]

    def receipt_class(self):
        return bool(self.entries) and all(entry.message.kind in RECEIPT_CLASS for entry in self.entries)

    def since_of(self, member):
        return [s.size for s in self.head.since if s.member == member]


class Verified:
    """What a parcel has been found to prove."""

    def __init__(self, parcel, member, checkpoint, cuts):
        self.parcel, self.member, self.checkpoint, self.cuts = parcel, member, checkpoint, cuts
        self.enclosed = []            # (origin, Entry) of each enclosure, in order
        self.foreign = []             # checkpoints of other ledgers that came along
        self.known_size = 0           # 0: it links to what is known here, else the newest size known


def verify(parcel, roster, known, statement=False, routing=None):
    """Steps 2 to 6, the first sentence of 7, and 8. `known` maps origin to {size: root} of what was verified before; `routing` is
    origin and index of the ROUTED entry of a parcel that was delivered."""
    member, key = roster.key_of(parcel.origin)
    checkpoint = checkpoint_verify(parcel.head.checkpoint, key)
    _closing_rule(roster, checkpoint, routing)
    wanted = {}
    for n, entry in enumerate(parcel.entries):
        wanted[entry.index] = entry.leaf
        before = parcel.entries[n - 1] if n else None
        if statement:
            must(entry.message.kind in (ROUTED, REFUSED), "malformed", "no statement")
            must(not before or before.index < entry.index, "malformed", "order of a statement")
            continue
        must(not before or (entry.index == before.index + 1 and entry.message.prev == before.leaf), "chain_broken")
        must([to.member for to in entry.message.to] == parcel.recipients, "recipients_mismatch")
    if parcel.entries and parcel.entries[0].index == 0:
        must(parcel.entries[0].message.prev == genesis(parcel.origin), "chain_broken", "genesis")
    enclosed = [_enclosure(enclosure, parcel, roster, wanted) for enclosure in parcel.head.enclosures]
    cuts = {s.size for s in parcel.head.since}
    must(all(cut <= checkpoint.size for cut in cuts), "proof_invalid", "since beyond the checkpoint")
    root, at = check_multiproof(checkpoint.size, wanted, cuts, parcel.head.proof)
    must(root == checkpoint.root, "inclusion_failed", "another root")
    at[checkpoint.size] = root
    for size, cut in at.items():
        must(known.get(parcel.origin, {}).get(size, cut) == cut,
             "equivocation" if size == checkpoint.size else "consistency_failed", "%s at %d" % (parcel.origin, size))
    result = Verified(parcel, member, checkpoint, at)
    result.enclosed = [(origin, entry) for origin, entry, _ in enclosed]
    result.foreign = [foreign for _, _, foreign in enclosed if foreign]
    for foreign in result.foreign:
        must(known.get(foreign.origin, {}).get(foreign.size, foreign.root) == foreign.root, "equivocation", foreign.origin)
    if not statement:
        _content(parcel, result.enclosed)
        must(bool(parcel.entries) == bool(parcel.recipients), "recipients_mismatch", "entries for nobody")
    return result


def _closing_rule(roster, checkpoint, routing):
    ledger = roster.ledgers[checkpoint.origin][1]
    if not ledger.HasField("closed") or (checkpoint.size, checkpoint.root) == (ledger.closed.size, ledger.closed.root):
        return
    must(routing and any(w.broker == routing[0] and routing[1] <= w.routed for w in ledger.closed.witness), "ledger_closed",
         checkpoint.origin)


def _enclosure(enclosure, parcel, roster, wanted):
    """Origin, entry and foreign checkpoint; an own entry joins `wanted`."""
    entry = entry_decode(enclosure.entry)
    if not enclosure.HasField("checkpoint"):
        must(not enclosure.proof and not enclosure.HasField("routed"), "malformed", "own enclosure")
        must(entry.index not in wanted, "malformed", "enclosed twice")
        wanted[entry.index] = entry.leaf
        return parcel.origin, entry, None
    text_origin = enclosure.checkpoint.split(b"\n", 1)[0].decode("utf-8", "replace")
    _, key = roster.key_of(text_origin)
    checkpoint = checkpoint_verify(enclosure.checkpoint, key)
    must(len(enclosure.proof) <= MAX_ENCLOSURE_PROOF, "too_large", "enclosure")
    root, _ = check_multiproof(checkpoint.size, {entry.index: entry.leaf}, (), enclosure.proof)
    must(root == checkpoint.root, "inclusion_failed", "enclosure")
    routing = _routing_of(enclosure.routed, checkpoint, roster) if enclosure.HasField("routed") else None
    _closing_rule(roster, checkpoint, routing)
    return text_origin, entry, checkpoint


def _routing_of(statement, checkpoint, roster):
    """Where the broker's statement says that a parcel with this checkpoint was routed."""
    for entry in verify_statement(Parcel(statement), roster, {}).parcel.entries:
        source = entry.message.source
        if entry.message.kind == ROUTED and (source.origin, source.size, source.root) == checkpoint[:3]:
            return Parcel(statement).origin, entry.index
    raise Refused("statement_invalid", "enclosure")


def _content(parcel, enclosed):
    """Step 8."""
    places = {(origin, entry.index, entry.leaf) for origin, entry in enclosed if entry.message.kind == RECORD}
    for entry in parcel.entries:
        source = entry.message.source
        if entry.message.kind == SHARE:
            must((source.origin, source.index, source.leaf) in places, "malformed", "a share without its record")
    outer, want = parcel.outer, None
    if outer.HasField("sealed"):
        must(len(outer.wraps) == len(parcel.recipients) + 1, "seal_mismatch", "wraps")
        want = seal_hash(outer.sealed, outer.wraps, parcel.head.blobs)
    else:
        must(not outer.wraps and not parcel.head.blobs, "seal_mismatch", "wraps or blobs without a sealed part")
    for entry in parcel.entries:
        must(entry.message.seal == (want or b""), "seal_mismatch")
        must(want or not entry.message.HasField("body_hash"), "seal_mismatch", "a body that is not sealed")


def verify_statement(parcel, roster, known):
    """A broker's statement: entries of its ledger, ROUTED or REFUSED."""
    result = verify(parcel, roster, known, statement=True)
    must(result.member.role == BROKER, "statement_invalid", "not by a broker")
    head, outer = parcel.head, parcel.outer
    must(not head.recipients and not head.enclosures and not head.blobs and not outer.HasField("sealed") and not outer.wraps,
         "statement_invalid", "more than entries")
    return result


def routed_parcel(entry):
    """What a ROUTED entry says: parcel hash, parcel_seq, origin, size, root."""
    message = entry.message
    must(message.kind == ROUTED and len(message.ref) == 40, "malformed", "ROUTED")
    return message.ref[:32], int.from_bytes(message.ref[32:], "big"), message.source.origin, message.source.size, message.source.root


def is_void(message):
    """A REFUSED entry that voids numbers of its own sender: its source is an entry of the broker's."""
    return message.kind == REFUSED and message.source.HasField("leaf")


def pair_range(parcel, member):
    """First number and count that a parcel has for a member."""
    first, end = None, None
    for entry in parcel.entries:
        number = next(to.pair_seq for to in entry.message.to if to.member == member)
        must(end is None or number == end, "pair_seq", "not consecutive")
        first = number if first is None else first
        end = number + (int.from_bytes(entry.message.ref[32:36], "big") if is_void(entry.message) else 1)
    return first, end - first

"""What the opened bodies of a parcel say, and whether the officers have signed it (PROTOCOL.md, "Verifying a parcel", 10).

The domain's rules of records (which fields a kind needs, check characters) are not the protocol's, and not checked here.
"""
from collections import namedtuple

from comity import parcel as P
from comity import pb
from comity.errors import must
from comity.notes import officer_verify, signature_licence, signature_verify
from comity.seal import u64

OFFICER, APPROVER, REVIEWER, AUDITOR = 1, 2, 3, 4
MAY_SIGN = {"collector": OFFICER, "approver": APPROVER, "reviewer": REVIEWER}
RECORD_KINDS = {1: "CASE", 2: "EVIDENCE", 3: "RECOGNITION"}

# An opened entry: of the parcel itself, or enclosed. `body` is a Body, or None where the entry has none or it is withheld.
Item = namedtuple("Item", "origin entry salt body is_enclosed")


def items_of(verified, openings):
    """Pair the openings with the entries; every body has the hash that its entry commits to."""
    parcel = verified.parcel
    entries = [(parcel.origin, entry, False) for entry in parcel.entries]
    entries += [(origin, entry, True) for origin, entry in verified.enclosed]
    must(len(openings) == len(entries), "malformed", "openings")
    items = []
    for (origin, entry, is_enclosed), opening in zip(entries, openings):
        body = None
        if not opening.HasField("salt"):
            must(not opening.HasField("body"), "body_mismatch", "a body without its salt")
            must(is_enclosed or not entry.message.HasField("body_hash"), "withheld", "entry %d" % entry.index)
        else:
            must(len(opening.salt) == 32 and len(opening.body) <= P.MAX_BODY, "body_mismatch", "opening")
            digest = P.salted_hash("body", origin, opening.salt, opening.body)
            must(digest == entry.message.body_hash, "body_mismatch", "entry %d" % entry.index)
            body = pb.decode(pb.ledger.Body, opening.body)
        items.append(Item(origin, entry, opening.salt, body, is_enclosed))
    return items


def _keys(items):
    """(origin, licence) to a list of (index, key, roles) of those enrolled in KEY entries that came along."""
    keys = {}
    for item in items:
        if item.entry.message.kind == P.KEY and item.body:
            must(len(item.body.notes) == 1, "malformed", "KEY")
            licence, _, key = officer_verify(item.body.notes[0], item.origin)
            if item.body.roles:
                keys.setdefault((item.origin, licence), []).append((item.entry.index, key, list(item.body.roles)))
    return keys


class Content:
    """The records of a parcel, each with the signatures that were verified under it."""

    def __init__(self, verified, items, signed_before):
        """`signed_before(origin, index)` gives kind and hash of a record received earlier, or None."""
        self.items, self.keys = items, _keys(items)
        self.records = {}             # (origin, index): (Item, Record, record_hash)
        for item in items:
            if item.entry.message.kind == P.RECORD and item.body:
                must(item.body.HasField("record"), "field_missing", "record")
                record = pb.decode(pb.record.Record, item.body.record)
                must(record.kind in RECORD_KINDS, "unsupported", "kind")
                digest = P.salted_hash("record", item.origin, item.salt, item.body.record)
                self.records[item.origin, item.entry.index] = (item, record, digest)
        self.signatures = {}          # (origin, index): [(licence, role)]
        for item in items:
            if item.body and item.entry.message.kind in (P.RECORD, P.SIGNATURE):
                self._signatures(item, signed_before)
        self._files(verified.parcel.head.blobs)

    def _signatures(self, item, signed_before):
        place = (item.origin, item.entry.index)
        if item.entry.message.kind == P.SIGNATURE:
            source = item.entry.message.source
            must(source.origin == item.origin and item.body.notes, "malformed", "SIGNATURE")
            place = (source.origin, source.index)
        if place in self.records:
            _, record, digest = self.records[place]
            kind = record.kind
        else:
            kind, digest = signed_before(*place) or (None, None)
        for note in item.body.notes:
            enrolled = [key for key in self.keys.get((item.origin, signature_licence(note)), []) if key[0] < item.entry.index]
            must(enrolled, "key_unknown", signature_licence(note))
            _, key, roles = max(enrolled)
            licence, role = signature_verify(note, key, item.origin, kind, digest)
            must(MAY_SIGN[role] in roles, "role_missing", licence)
            self.signatures.setdefault(place, []).append((licence, role))

    def _files(self, blobs):
        """Files of RECORD entries are among the blobs, and each blob is of such a one, or of a record that a SHARE hands on."""
        shared = {(item.entry.message.source.origin, item.entry.message.source.index)
                  for item in self.items if item.entry.message.kind == P.SHARE}
        named, blobs = set(), set(blobs)
        self.files = []
        for place, (item, record, _) in self.records.items():
            if item.is_enclosed and place not in shared:
                continue
            for file in record.evidence.files:
                blob = file.blob + u64(file.len)
                must(blob in blobs or item.is_enclosed, "attachment_mismatch", file.name)
                if blob in blobs:
                    named.add(blob)
                    self.files.append(file)
        must(named == blobs, "attachment_mismatch", "blobs of the head")

    def rows(self):
        """For the inbox: what came, and who has signed it."""
        for (origin, index), (item, record, digest) in self.records.items():
            content = getattr(record, record.WhichOneof("content"))
            yield {"ref": "%s/%d" % (origin.split("/", 1)[1], index), "origin": origin, "index": index, "leaf": item.entry.leaf.hex(),
                   "kind": RECORD_KINDS[record.kind], "title": getattr(content, "title", None), "record_hash": digest.hex(),
                   "signatures": [{"licence": licence, "role": role} for licence, role in self.signatures.get((origin, index), [])]}

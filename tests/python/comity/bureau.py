"""A bureau: its keys, ledger, outbox and inbox, in one file that is written anew at the end of each turn.

What is sent is built here (seal, append, sign, prove) and what arrives is judged here; session.py moves the frames.
"""
import json
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from comity import parcel as P
from comity import pb
from comity.errors import Refused, must
from comity.ledger import Draft, Ledger, Pairs, place
from comity.notes import checkpoint_verify, join_note, officer_note, officer_verify, signature_note, signature_verify, vkey_parse
from comity.notes import vkey_text
from comity.roster import BUREAU, Roster, network_parse
from comity.seal import private_bytes, public_of, seal_hash, seal_openings, u32, u64, unseal_openings
from comity.tree import multiproof

RECORD_KINDS = {1: "CASE", 2: "EVIDENCE", 3: "RECOGNITION"}
OFFICER, APPROVER, REVIEWER, AUDITOR = 1, 2, 3, 4


class Bureau:
    def __init__(self, path):
        self.path = path
        with open(path) as f:
            self.state = json.load(f)
        s = self.state
        self.member, self.origin = s["member"], s["origin"]
        self.key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(s["keys"]["ledger"]))
        self.seal_key = X25519PrivateKey.from_private_bytes(bytes.fromhex(s["keys"]["seal"]))
        self.ledger = Ledger(self.origin, self.key, s["entries"])
        self.roster = None
        for data in s["rosters"]:
            self.roster = Roster.accept(bytes.fromhex(data), network_parse(s["network"].encode()), self.roster)
        self.known = {origin: {int(n): bytes.fromhex(r) for n, r in at.items()} for origin, at in s["known"].items()}

    @staticmethod
    def create(path, network_text, member, name, curve_secret, curve_public):
        """A bureau's file, and its join note."""
        network = network_parse(network_text.encode())
        key, seal = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        origin = network.name + "/" + member
        state = {"member": member, "name": name, "origin": origin, "network": network_text, "rosters": [],
                 "keys": {"ledger": private_bytes(key).hex(), "seal": private_bytes(seal).hex(),
                          "curve": curve_secret.hex(), "curve_public": curve_public.hex()},
                 "officers": {}, "entries": [], "pair_next": {}, "parcel_seq": 0, "answered": 0, "taken": 0,
                 "outbox": [], "sent": {}, "known": {}, "broker_note": None, "pairs": {}, "leaves": {}, "inbox": [], "files": {}}
        with open(path, "x", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            json.dump(state, f)
        return join_note(member, name, origin, key, curve_public, public_of(seal))

    def save(self):
        """The end of a turn: durable, or not done."""
        self.state["known"] = {origin: {str(n): r.hex() for n, r in at.items()} for origin, at in self.known.items()}
        temporary = self.path + ".new"
        with open(temporary, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            json.dump(self.state, f, ensure_ascii=False)
            f.flush()
            os.fsync(f.fileno())
        os.replace(temporary, self.path)

    # ---- roster ----------------------------------------------------------------------------------------

    def adopt_roster(self, data):
        """Take a roster that proves itself, and log it."""
        roster = Roster.accept(data, network_parse(self.state["network"].encode()), self.roster)
        self.roster = roster
        self.state["rosters"].append(data.hex())
        self.append(Draft(P.ROSTER, ref=u64(roster.number) + roster.note_hash()))

    @property
    def roster_number(self):
        return self.roster.number if self.roster else 0

    # ---- own entries -----------------------------------------------------------------------------------

    def append(self, draft):
        """An entry that goes nowhere."""
        return self.ledger.append(Ledger.with_salts([draft])[0], self.roster_number)

    def enrol(self, licence, name, roles):
        """A new officer; gives the index of the KEY entry."""
        key = Ed25519PrivateKey.generate()
        body = pb.ledger.Body(notes=[officer_note(self.origin, name, licence, key)], roles=roles)
        index = self.append(Draft(P.KEY, pb.encode(body)))
        self.state["officers"][licence] = {"seed": private_bytes(key).hex(), "name": name, "entry": index}
        return index

    def record_draft(self, record, salt, signers=()):
        """RECORD with the signatures of `signers`, pairs of licence and role; and the KEY entries that belong to it."""
        data = pb.encode(record)
        digest = P.salted_hash("record", self.origin, salt, data)
        notes, enclose = [], []
        for licence, role in signers:
            officer = self.state["officers"][licence]
            key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(officer["seed"]))
            notes.append(signature_note(self.origin, licence, role, RECORD_KINDS[record.kind], digest, key))
            enclose.append(officer["entry"])
        body = pb.ledger.Body(record=data, notes=notes)
        return Draft(P.RECORD, pb.encode(body), salt), enclose

    # ---- sending ---------------------------------------------------------------------------------------

    def send(self, recipients, drafts, enclose=(), blobs=()):
        """Seal, append, sign, prove: one parcel in the outbox. Gives the index of its first entry."""
        recipients, drafts, blobs = sorted(recipients), Ledger.with_salts(drafts), sorted(set(blobs))
        enclose = sorted(set(enclose))
        sealed, wraps, seal = None, [], None
        if any(draft.body is not None for draft in drafts) or enclose:
            openings = pb.parcel.Openings()
            for draft in drafts:
                opening = openings.opening.add()
                if draft.body is not None:
                    opening.salt, opening.body = draft.salt, draft.body
            for index in enclose:
                openings.opening.add().CopyFrom(self.ledger.opening(index))
            keys = {member: self.roster.members[member].seal[-1] for member in recipients}
            keys[self.member] = public_of(self.seal_key)
            sealed, wraps = seal_openings(self.origin, self.member, recipients, keys, pb.encode(openings))
            seal = seal_hash(sealed, wraps, blobs)
        first = self.ledger.size
        for draft in drafts:
            to = [(member, self._next_pair(member)) for member in recipients]
            self.ledger.append(draft, self.roster_number, to, seal)
        self._queue({"recipients": recipients, "first": first, "count": len(drafts), "enclose": list(enclose),
                     "blobs": [blob.hex() for blob in blobs], "sealed": sealed.hex() if sealed else None,
                     "wraps": [wrap.hex() for wrap in wraps]})
        return first

    def _next_pair(self, member):
        number = self.state["pair_next"].get(member, 1)
        self.state["pair_next"][member] = number + 1
        return number

    def _last_sent(self, member):
        """The newest size that a member (or the broker, which gets all) was sent and did not refuse; 0 for none."""
        sizes = [0]
        for row in list(self.state["sent"].values()) + self.state["outbox"]:
            if "refused" in row or row.get("receipts", {}).get(member, {}).get("kind") == "REFUSED":
                continue
            if member in row["recipients"] or member == self.roster.broker().id:
                sizes.append(row["size"])
        return max(sizes)

    def _queue(self, row):
        """Sign and prove: the head of a row, with the next parcel_seq."""
        ledger, broker = self.ledger, self.roster.broker().id
        indices = range(row["first"], row["first"] + row["count"])
        head = pb.parcel.Head(origin=self.origin, recipients=row["recipients"], entries=[ledger.entry(i) for i in indices])
        head.checkpoint = ledger.checkpoint()
        for member in sorted(row["recipients"] + [broker]):
            size = self._last_sent(member)
            if size:
                head.since.add(member=member, size=size)
        cuts = [since.size for since in head.since]
        head.proof.extend(multiproof(ledger.leaves, ledger.size, list(indices) + row["enclose"], cuts))
        head.blobs.extend(bytes.fromhex(blob) for blob in row["blobs"])
        for index in row["enclose"]:
            head.enclosures.add(entry=ledger.entry(index))
        message = pb.parcel.Parcel(head=pb.encode(head), wraps=[bytes.fromhex(wrap) for wrap in row["wraps"]])
        if row["sealed"]:
            message.sealed = bytes.fromhex(row["sealed"])
        self.state["parcel_seq"] += 1
        row.update(seq=self.state["parcel_seq"], parcel=pb.encode(message).hex(), size=ledger.size,
                   root=ledger.root_at(ledger.size).hex(), hash=P.parcel_hash(message.head).hex())
        self.state["outbox"].append(row)

    # ---- what the broker answers ---------------------------------------------------------------------------

    def answered(self, seq, statement):
        """The broker's statement about own parcels up to `seq`. True when one of them was refused."""
        outbox, refused = self.state["outbox"], None
        if statement:
            verified = P.verify_statement(P.Parcel(statement), self.roster, self.known)
            self.learn(verified)
            for n, entry in enumerate(verified.parcel.entries):
                if entry.message.kind == P.REFUSED:
                    must(n == len(verified.parcel.entries) - 1, "statement_mismatch", "REFUSED is not the last")
                    refused = (verified.parcel.origin, entry)
                else:
                    self._routed(entry, verified.parcel.origin)
        last = [row for row in outbox if row["seq"] <= seq and "routed" not in row]
        if refused:
            row = next((r for r in outbox if bytes.fromhex(r["hash"]) == refused[1].message.ref[:32]), None)
            if row:
                must(last == [row], "statement_mismatch", "REFUSED")
                self._refused(row, *refused)
                self.state["answered"] = row["seq"]
                return True
        must(not last, "statement_mismatch", "an answer without its statement")
        for row in [row for row in outbox if row["seq"] <= seq]:
            outbox.remove(row)
            self.state["sent"][row.pop("hash")] = {**row, "receipts": {}}
        self.state["answered"] = max(self.state["answered"], seq)
        return False

    def _routed(self, entry, broker):
        digest, seq, origin, size, root = P.routed_parcel(entry)
        row = next((r for r in self.state["outbox"] if r["seq"] == seq), None)
        if row is None:
            must(digest.hex() in self.state["sent"], "statement_mismatch", "ROUTED of something else")
            return
        must((digest.hex(), origin, size, root.hex()) == (row["hash"], self.origin, row["size"], row["root"]), "statement_mismatch")
        must([to.member for to in entry.message.to] == row["recipients"], "statement_mismatch", "recipients")
        row["routed"] = {"broker": broker, "index": entry.index}

    def _refused(self, row, broker, entry):
        """What "Refusals" asks for: void the numbers, and build everything behind anew."""
        outbox = self.state["outbox"]
        behind = [r for r in outbox if r["seq"] > row["seq"]]
        outbox.clear()
        ref = entry.message.ref
        token = ref[36:].decode()
        self.state["sent"][row.pop("hash")] = {**row, "receipts": {}, "refused": token}
        self.state["parcel_seq"] = row["seq"]
        source = place(broker, entry.index, entry.leaf)
        for member in row["recipients"]:
            if not self.roster.current(member) or not row["count"]:
                continue
            numbers = {to.member: to.pair_seq for to in self.ledger.message(row["first"]).to}
            void = Draft(P.REFUSED, source=source, ref=ref[:32] + u32(row["count"]) + token.encode())
            index = self.ledger.append(void, self.roster_number, [(member, numbers[member])])
            self._queue({"recipients": [member], "first": index, "count": 1, "enclose": [], "blobs": [], "sealed": None, "wraps": []})
        for later in behind:
            self._queue(later)

    # ---- what others send --------------------------------------------------------------------------------

    def learn(self, verified):
        """Remember the roots that a verified parcel has proven."""
        self.known.setdefault(verified.parcel.origin, {}).update(verified.cuts)
        for foreign in verified.foreign:
            self.known.setdefault(foreign.origin, {})[foreign.size] = foreign.root

    def deliver(self, seq, data, routed):
        """Judge a delivery and log what came of it. `routed` is the ROUTED entry for it. Gives what to tell."""
        digest, _, origin, size, root = P.routed_parcel(routed)
        parcel = P.Parcel(data)
        must(parcel.hash == digest and parcel.origin == origin, "statement_mismatch", "another parcel")
        must({to.member: to.pair_seq for to in routed.message.to}.get(self.member) == seq, "statement_mismatch", "delivery_seq")
        self.state["taken"] = seq
        try:
            verified, openings = self._judge(parcel, size, root)
        except Refused as problem:
            sender = self.roster.ledgers[origin][0].id
            first = parcel.entries[0].index if parcel.entries else 0
            source = pb.ledger.Source(origin=origin, index=first, size=size, root=root)
            ref = digest + u32(len(parcel.entries)) + problem.token.encode()
            self.send([sender], [Draft(P.REFUSED, source=source, ref=ref)])
            return {"event": "refused", "from": sender, "token": problem.token, "detail": str(problem)}
        return self._take(verified, openings)

    def _judge(self, parcel, size, root):
        verified = P.verify(parcel, self.roster, self.known)
        must(self.member in parcel.recipients, "recipients_mismatch")
        must((verified.checkpoint.size, verified.checkpoint.root) == (size, root), "statement_mismatch", "checkpoint")
        here, since = self.known.get(parcel.origin, {}), parcel.since_of(self.member)
        if here and not any(n in here and n <= size for n in since):
            verified.known_size = max(here)
        leaves = self.state["leaves"].get(parcel.origin, {})
        for entry in parcel.entries:
            must(leaves.get(str(entry.index), entry.leaf.hex()) == entry.leaf.hex(), "equivocation", "two leaves at one index")
        openings = self._open(verified) if parcel.outer.HasField("sealed") else []
        return verified, openings

    def _open(self, verified):
        """Body (or None) of each entry, then of each enclosure; every body has the hash that its entry commits to."""
        parcel = verified.parcel
        opened = unseal_openings(parcel.origin, parcel.recipients, self.member, self.seal_key,
                                 parcel.recipients.index(self.member), parcel.outer.sealed, parcel.outer.wraps)
        openings = list(pb.decode(pb.parcel.Openings, opened).opening)
        entries = [(parcel.origin, entry) for entry in parcel.entries] + verified.enclosed
        must(len(openings) == len(entries), "malformed", "openings")
        result = []
        for (origin, entry), opening in zip(entries, openings):
            if not opening.HasField("body"):
                result.append(None)
                continue
            must(len(opening.salt) == 32, "malformed", "salt")
            digest = P.salted_hash("body", origin, opening.salt, opening.body)
            must(digest == entry.message.body_hash, "body_mismatch", "entry %d" % entry.index)
            result.append((opening.salt, pb.decode(pb.ledger.Body, opening.body, P.MAX_BODY)))
        return result

    def _take(self, verified, openings):
        parcel, sender = verified.parcel, verified.member.id
        told = {"event": "received", "from": sender, "first": parcel.entries[0].index, "count": len(parcel.entries),
                "known_size": verified.known_size}
        if self._pair(parcel) == "below":
            return {**told, "event": "duplicate"}
        leaves = self.state["leaves"].setdefault(parcel.origin, {})
        leaves.update((str(entry.index), entry.leaf.hex()) for entry in parcel.entries)
        self.learn(verified)
        source = pb.ledger.Source(origin=parcel.origin, index=parcel.entries[0].index, size=verified.checkpoint.size,
                                  root=verified.checkpoint.root)
        ref = parcel.hash + u32(len(parcel.entries)) + u64(verified.known_size)
        if parcel.receipt_class():
            self.append(Draft(P.RECEIPT, source=source, ref=ref))
            return {**told, "event": "receipt", "of": [self._receipt(entry, sender) for entry in parcel.entries]}
        self.send([sender], [Draft(P.RECEIVED, source=source, ref=ref)])
        told["records"] = self._keep(verified, openings)
        return told

    def _pair(self, parcel):
        pairs = Pairs(self.state["pairs"].setdefault(parcel.origin, {}))
        outcome = "next"
        for entry in parcel.entries:
            message, count = entry.message, 1
            if message.kind == P.REFUSED and message.source.origin != self.origin:
                count = int.from_bytes(message.ref[32:36], "big")
            first = next(to.pair_seq for to in message.to if to.member == self.member)
            outcome = pairs.take(first, count)
        return outcome

    def _receipt(self, entry, sender):
        """What a RECEIVED, REFUSED or FILE entry of `sender` says, held against what was sent."""
        message, ref = entry.message, entry.message.ref
        if message.kind == P.FILE:
            file = self.state["files"].get(ref.hex())
            if file is not None:
                file.setdefault("received", []).append(sender)
            return {"kind": "FILE", "blob": ref.hex(), "known": file is not None}
        if message.source.origin != self.origin:
            return {"kind": "VOID", "count": int.from_bytes(ref[32:36], "big"), "token": ref[36:].decode()}
        row = self.state["sent"].get(ref[:32].hex())
        row = row or next((r for r in self.state["outbox"] if r["hash"] == ref[:32].hex()), None)
        must(row and sender in row["recipients"], "receipt_mismatch", "not sent to " + sender)
        must((message.source.index, message.source.size, message.source.root.hex()) == (row["first"], row["size"], row["root"])
             and int.from_bytes(ref[32:36], "big") == row["count"], "receipt_mismatch", "another parcel")
        said = {"kind": "RECEIVED", "at": entry.index, "known_size": int.from_bytes(ref[36:], "big")}
        if message.kind == P.REFUSED:
            said = {"kind": "REFUSED", "at": entry.index, "token": ref[36:].decode()}
        row.setdefault("receipts", {})[sender] = said
        return {**said, "first": row["first"], "count": row["count"]}

    def _keep(self, verified, openings):
        """Records that came along, with the signatures that hold, into the inbox."""
        entries = [(verified.parcel.origin, entry) for entry in verified.parcel.entries] + verified.enclosed
        keys = {}
        for (origin, entry), opening in zip(entries, openings):
            if entry.message.kind == P.KEY and opening and opening[1].roles:
                licence, name, key = officer_verify(opening[1].notes[0], origin)
                keys[(origin, licence)] = (vkey_text(*key[::2]), name, list(opening[1].roles))
        found = []
        for (origin, entry), opening in zip(entries, openings):
            if entry.message.kind == P.RECORD and opening and opening[1].HasField("record"):
                found.append(self._record(origin, entry, opening[0], opening[1], keys))
        self.state["inbox"].extend(found)
        return [{k: v for k, v in record.items() if k != "record"} for record in found]

    def _record(self, origin, entry, salt, body, keys):
        record = pb.decode(pb.record.Record, body.record)
        kind = RECORD_KINDS.get(record.kind, str(record.kind))
        digest = P.salted_hash("record", origin, salt, body.record)
        signatures = []
        for note in body.notes:
            licence = note.decode().split("\n")[2]
            vkey, name, roles = keys.get((origin, licence), (None, None, []))
            signed = {"licence": licence, "valid": False}
            if vkey:
                try:
                    signed["licence"], signed["role"] = signature_verify(note, vkey_parse(vkey), origin, kind, digest)
                    signed["valid"] = signed["role"] != "collector" or OFFICER in roles
                except Refused as problem:
                    signed["token"] = problem.token
            signatures.append(signed)
        content = getattr(record, record.WhichOneof("content"))
        return {"ref": "%s/%d" % (origin.split("/", 1)[1], entry.index), "origin": origin, "index": entry.index,
                "leaf": entry.leaf.hex(), "kind": kind, "title": getattr(content, "title", None),
                "record_hash": digest.hex(), "signatures": signatures, "record": body.record.hex()}

    # ---- the broker's own ledger ----------------------------------------------------------------------------

    def broker_checkpoint(self, note):
        """A checkpoint of the broker, verified but not yet linked."""
        ledger = self.roster.broker().ledgers[-1]
        return checkpoint_verify(note, vkey_parse(ledger.vkey.decode()))

    def is_bureau(self, member):
        return member in self.roster.members and self.roster.members[member].role == BUREAU


__all__ = ["Bureau", "OFFICER", "APPROVER", "REVIEWER", "AUDITOR"]

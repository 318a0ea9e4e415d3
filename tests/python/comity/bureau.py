"""A bureau: its keys, ledger and outbox, in one file that is written anew at the end of each turn.

What is sent is built here: seal, append, sign, prove. What arrives is judged in inbox.py; session.py moves the frames.
"""
import hashlib
import json
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from comity import parcel as P
from comity import pb
from comity.blobs import sealed_file
from comity.errors import must
from comity.ledger import Draft, Ledger, place, set_opening
from comity.notes import checkpoint_verify, join_note, officer_note, signature_note, vkey_parse
from comity.roster import Roster, network_parse
from comity.seal import private_bytes, public_of, seal_hash, seal_openings, u32, u64
from comity.tree import multiproof


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
                 "outbox": [], "sent": {}, "known": {}, "broker_note": None, "asked": {}, "pairs": {}, "leaves": {}, "inbox": [], "files": {}}
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
            notes.append(signature_note(self.origin, licence, role, record.kind, digest, key))
            enclose.append(officer["entry"])
        body = pb.ledger.Body(record=data, notes=notes)
        return Draft(P.RECORD, pb.encode(body), salt), enclose

    # ---- attachments -----------------------------------------------------------------------------------

    def file_path(self, sha256):
        return os.path.join(self.path + ".files", sha256)

    def _file_write(self, sha256, plain):
        os.makedirs(self.path + ".files", exist_ok=True)
        with open(self.file_path(sha256), "wb") as f:
            f.write(plain)
            f.flush()
            os.fsync(f.fileno())

    def add_file(self, name, plain):
        """A file for a record. It is uploaded once a parcel that names it is accepted."""
        file, _ = sealed_file(name, plain)
        self._file_write(file.sha256.hex(), plain)
        self.state["files"][file.blob.hex()] = {"name": name, "len": file.len, "sha256": file.sha256.hex(), "sm3": file.sm3.hex(),
                                                "secret": file.secret.hex(), "state": "upload", "accepted": False}
        return file

    def file_arrived(self, blob, plain):
        """All blocks are here and open: hold them against the record, keep the file, say so to the sender."""
        file = self.state["files"][blob]
        must((len(plain), hashlib.sha256(plain).hexdigest(), hashlib.new("sm3", plain).hexdigest()) ==
             (file["len"], file["sha256"], file["sm3"]), "blob_mismatch", blob)
        self._file_write(file["sha256"], plain)
        file["state"] = "here"
        self.send([file["from"]], [Draft(P.FILE, ref=bytes.fromhex(blob))])

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
                    set_opening(opening, draft.salt, draft.body)
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
            sizes = {self._last_sent(member), self.state["asked"].pop(member, 0)} - {0}
            for size in sorted(size for size in sizes if size <= ledger.size):
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
        """The broker's verified statement about own parcels up to `seq`, or None. True when one of them was refused."""
        outbox, refused = self.state["outbox"], None
        if statement:
            parcel = statement.parcel
            for n, entry in enumerate(parcel.entries):
                if entry.message.kind == P.REFUSED:
                    must(n == len(parcel.entries) - 1, "statement_invalid", "REFUSED is not the last")
                    refused = (parcel.origin, entry)
                else:
                    self._routed(entry, parcel.origin)
        left = [row for row in outbox if row["seq"] <= seq and "routed" not in row]
        for row in [row for row in outbox if row["seq"] <= seq and "routed" in row]:
            outbox.remove(row)
            self.state["sent"][row.pop("hash")] = {"receipts": {}, **row}
        self.state["answered"] = max(self.state["answered"], seq)
        row = next((r for r in outbox if refused and bytes.fromhex(r["hash"]) == refused[1].message.ref[:32]), None)
        must(left == ([row] if row else []), "statement_invalid", "an answer without its statement")
        if row:
            self._refused(row, *refused)
        return bool(row)

    def _routed(self, entry, broker):
        digest, seq, origin, size, root = P.routed_parcel(entry)
        row = next((r for r in self.state["outbox"] if r["seq"] == seq), None)
        if row is None:
            must(digest.hex() in self.state["sent"], "statement_invalid", "ROUTED of something else")
            return
        must((digest.hex(), origin, size, root.hex()) == (row["hash"], self.origin, row["size"], row["root"]), "statement_invalid")
        must([to.member for to in entry.message.to] == row["recipients"], "statement_invalid", "recipients")
        row["routed"] = {"broker": broker, "index": entry.index}
        for blob in row["blobs"]:
            self.state["files"][blob[:64]]["accepted"] = True

    def _refused(self, row, broker, entry):
        """What "Refusals" asks for: void the numbers, and build everything behind anew."""
        outbox = self.state["outbox"]
        behind = [r for r in outbox if r["seq"] > row["seq"]]
        outbox.clear()
        self.state["parcel_seq"] = row["seq"]
        gone = [r for r in behind if not all(self.roster.current(member) for member in r["recipients"])]
        for void in [row] + gone:
            token = "ledger_closed" if void is not row else entry.message.ref[36:].decode()
            digest = bytes.fromhex(void.pop("hash"))
            self.state["sent"][digest.hex()] = {**void, "receipts": {}, "refused": token}
            for member in void["recipients"]:
                if self.roster.current(member):
                    self._void(member, P.Parcel(bytes.fromhex(void["parcel"])), place(broker, entry.index, entry.leaf), token)
        for later in behind:
            if later not in gone:
                self._queue(later)

    def _void(self, member, parcel, source, token):
        first, count = P.pair_range(parcel, member)
        draft = Draft(P.REFUSED, source=source, ref=parcel.hash + u32(count) + token.encode())
        index = self.ledger.append(draft, self.roster_number, [(member, first)])
        self._queue({"recipients": [member], "first": index, "count": 1, "enclose": [], "blobs": [], "sealed": None, "wraps": []})

    # ---- what others send --------------------------------------------------------------------------------

    def learn(self, verified):
        """Remember the roots that a verified parcel has proven."""
        self.known.setdefault(verified.parcel.origin, {}).update(verified.cuts)
        for foreign in verified.foreign:
            self.known.setdefault(foreign.origin, {})[foreign.size] = foreign.root

    def want_files(self, files, sender):
        """Attachments of records that came in, to be fetched."""
        for file in files:
            self.state["files"].setdefault(file.blob.hex(), {
                "name": file.name, "len": file.len, "sha256": file.sha256.hex(), "sm3": file.sm3.hex(), "secret": file.secret.hex(),
                "state": "fetch", "from": sender})

    # ---- the broker's own ledger ----------------------------------------------------------------------------

    def broker_checkpoint(self, note):
        """A checkpoint of the broker, verified but not yet linked."""
        ledger = self.roster.broker().ledgers[-1]
        return checkpoint_verify(note, vkey_parse(ledger.vkey.decode()))

"""Deliveries: judged, opened, logged, answered (PROTOCOL.md, "DELIVER", "Refusals", "pair_seq").

What the broker asserts must hold, or the session ends; what the sender asserts must hold, or he is told so and the queue moves on.
"""
from comity import parcel as P
from comity import pb
from comity.content import Content, items_of
from comity.errors import BrokersFault, Refused, must
from comity.ledger import Draft, Pairs
from comity.seal import u32, u64, unseal_openings


class Inbox:
    def __init__(self, bureau):
        self.bureau, self.state = bureau, bureau.state

    def deliver(self, seq, data, routed, broker):
        """Judge a delivery and log what came of it. `routed` is the entry for it in the ledger `broker`. Gives what to tell."""
        digest, _, origin, size, root = P.routed_parcel(routed)
        must({to.member: to.pair_seq for to in routed.message.to}.get(self.bureau.member) == seq, "statement_invalid", "delivery_seq")
        head = pb.decode(pb.parcel.Parcel, data, P.MAX_PARCEL).head
        must(P.parcel_hash(head) == digest, "statement_invalid", "another parcel")
        claims = {"hash": digest, "origin": origin, "size": size, "root": root, "first": None, "count": 0, "receipt": True,
                  "routing": (broker, routed.index)}
        told = self._judge(data, claims)
        self.state["taken"] = seq
        return told

    def _judge(self, data, claims):
        try:
            parcel = P.Parcel(data)
            claims.update(first=parcel.entries[0].index if parcel.entries else None, count=len(parcel.entries),
                          receipt=parcel.receipt_class() or not parcel.entries)
            verified = self._verify(parcel, claims)
            if self._is_duplicate(parcel):
                return {"event": "duplicate", "from": verified.member.id}
            return self._take(verified, claims)
        except BrokersFault:
            raise
        except Refused as problem:
            return self._refuse(claims, problem)

    def _log(self, kind, claims, ref, answer):
        """An entry about a delivery: back to its sender, or here alone."""
        source = pb.ledger.Source(origin=claims["origin"], size=claims["size"], root=claims["root"])
        if claims["first"] is not None:
            source.index = claims["first"]
        draft = Draft(kind, source=source, ref=claims["hash"] + u32(claims["count"]) + ref)
        sender = self.bureau.roster.ledgers.get(claims["origin"], (None,))[0]
        if answer and sender and self.bureau.roster.current(sender.id):
            self.bureau.send([sender.id], [draft])
        else:
            self.bureau.append(draft)

    def _refuse(self, claims, problem):
        self._log(P.REFUSED, claims, problem.token.encode(), not claims["receipt"])
        return {"event": "refused", "origin": claims["origin"], "token": problem.token, "detail": str(problem)}

    def _verify(self, parcel, claims):
        bureau = self.bureau
        verified = P.verify(parcel, bureau.roster, bureau.known, routing=claims["routing"])
        must(bureau.member in parcel.recipients, "not_recipient")
        if (parcel.origin, verified.checkpoint.size, verified.checkpoint.root) != (claims["origin"], claims["size"], claims["root"]):
            raise BrokersFault("statement_invalid", "routed at another checkpoint")
        here = bureau.known.get(parcel.origin, {})
        if here and not any(size in here for size in parcel.since_of(bureau.member)):
            verified.known_size = max(here)
        return verified

    def _is_duplicate(self, parcel):
        """Take the numbers of a parcel that verified. Below all others it must be one that was received before."""
        pairs = Pairs(self.state["pairs"].setdefault(parcel.origin, {}))
        leaves = self.state["leaves"].setdefault(parcel.origin, {})
        for entry in parcel.entries:
            must(leaves.get(str(entry.index), entry.leaf.hex()) == entry.leaf.hex(), "equivocation", "two leaves at one index")
        if pairs.take(*P.pair_range(parcel, self.bureau.member)) == "below":
            must(all(str(entry.index) in leaves for entry in parcel.entries), "pair_seq", "below, and never received")
            return True
        return False

    def _take(self, verified, claims):
        bureau, parcel = self.bureau, verified.parcel
        bureau.learn(verified)
        leaves = self.state["leaves"][parcel.origin]
        told = {"from": verified.member.id, "first": claims["first"], "count": claims["count"], "known_size": verified.known_size}
        leaves.update((str(entry.index), entry.leaf.hex()) for entry in parcel.entries)
        content = None if claims["receipt"] else self._open(verified)
        if claims["receipt"]:
            self._log(P.RECEIPT, claims, u64(verified.known_size), False)
            return {"event": "receipt", **told, "of": [self._receipt(entry, verified.member.id) for entry in parcel.entries]}
        self._log(P.RECEIVED, claims, u64(verified.known_size), True)
        records = list(content.rows())
        self.state["inbox"].extend(records)
        bureau.want_files(content.files, verified.member.id)
        return {"event": "received", **told, "records": records}

    def _open(self, verified):
        bureau, parcel, openings = self.bureau, verified.parcel, []
        if parcel.outer.HasField("sealed"):
            opened = unseal_openings(parcel.origin, parcel.recipients, bureau.member, bureau.seal_key,
                                     parcel.recipients.index(bureau.member), parcel.outer.sealed, parcel.outer.wraps)
            openings = pb.decode(pb.parcel.Openings, opened).opening
            return Content(verified, items_of(verified, openings), self._signed_before)
        return Content(verified, [], self._signed_before)

    def _signed_before(self, origin, index):
        kinds = {"CASE": 1, "EVIDENCE": 2, "RECOGNITION": 3}
        return next(((kinds[row["kind"]], bytes.fromhex(row["record_hash"])) for row in self.state["inbox"]
                     if (row["origin"], row["index"]) == (origin, index)), None)

    def _receipt(self, entry, sender):
        """What a RECEIVED, REFUSED or FILE entry of `sender` says, held against what was sent."""
        message, ref = entry.message, entry.message.ref
        if message.kind == P.FILE:
            file = self.state["files"].get(ref.hex())
            if file is not None:
                file.setdefault("received", []).append(sender)
            return {"kind": "FILE", "blob": ref.hex(), "known": file is not None}
        if P.is_void(message):
            return {"kind": "VOID", "count": int.from_bytes(ref[32:36], "big"), "token": ref[36:].decode()}
        row = self.state["sent"].get(ref[:32].hex())
        row = row or next((r for r in self.state["outbox"] if r["hash"] == ref[:32].hex()), None)
        if not row or sender not in row["recipients"] or (message.source.size, message.source.root.hex()) != (row["size"], row["root"]):
            return {"kind": "UNKNOWN", "parcel": ref[:32].hex()}
        said = {"kind": "RECEIVED", "at": entry.index, "leaf": entry.leaf.hex(), "known_size": int.from_bytes(ref[36:], "big")}
        if message.kind == P.REFUSED:
            said = {"kind": "REFUSED", "at": entry.index, "leaf": entry.leaf.hex(), "token": ref[36:].decode()}
        else:
            must((message.source.index, int.from_bytes(ref[32:36], "big")) == (row["first"], row["count"]), "malformed", "receipt")
            self.state["asked"].update({sender: said["known_size"]} if said["known_size"] else {})
        row.setdefault("receipts", {})[sender] = said
        return {**said, "first": row["first"], "count": row["count"]}

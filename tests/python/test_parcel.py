#!/usr/bin/python3
"""Goal: what the Python client accepts, it has verified. A broker and two bureaus in one process; every byte of a parcel and of its
statement is turned, and nothing that was turned is taken. TAP on stdout.
"""
import os
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # noqa: E402

import comity_client as client  # noqa: E402
from comity import bureau as bureau_module  # noqa: E402
from comity import notes, parcel as P, pb, seal  # noqa: E402
from comity.bureau import Bureau  # noqa: E402
from comity.content import OFFICER  # noqa: E402
from comity.errors import Refused, must  # noqa: E402
from comity.inbox import Inbox  # noqa: E402
from comity.ledger import Draft, Ledger  # noqa: E402
from comity.roster import Roster, network_parse  # noqa: E402
from comity.seal import lp, public_of, u32, u64  # noqa: E402
from comity.tree import H, multiproof  # noqa: E402


def key():
    return Ed25519PrivateKey.generate()


class Network:
    """An authority, a broker's ledger, and bureaus in a folder."""

    def __init__(self, folder, members):
        self.authority, self.broker = key(), Ledger("cn-test/hub", key(), [])
        vkey = notes.vkey_text("cn-test/authority", public_of(self.authority))
        self.text = "comity network v1\ncn-test\n1\n%s\n" % vkey
        joins = [Bureau.create(os.path.join(folder, member), self.text, member, "局", os.urandom(32), os.urandom(32))
                 for member in members]
        self.roster = pb.roster.Roster(network="cn-test", number=1, threshold=1, authority=[vkey.encode()])
        for join in joins:
            lines = notes.note_open(join)[0].split("\n")
            self.add(lines[1], 1, lines[3], lines[4], notes.unb64(lines[6]), [notes.unb64(lines[7])])
        self.add("hub", 2, "Hub", notes.vkey_text("cn-test/hub", public_of(self.broker.key)), os.urandom(32), [])
        self.roster.members[-1].endpoints.extend(["tcp://127.0.0.1:1", "tcp://127.0.0.1:2"])
        self.broker.append(Draft(P.NOTE), 0)
        self.bureaus = []
        for member in members:
            bureau = Bureau(os.path.join(folder, member))
            bureau.adopt_roster(self.file())
            self.bureaus.append(bureau)
        self.given = {}

    def add(self, member, role, name, vkey, curve, seal):
        entry = self.roster.members.add(id=member, role=role, name=name, curve=curve, seal=seal)
        entry.ledgers.add(origin="cn-test/" + member, suite=1, vkey=vkey.encode())

    def file(self, signer=None):
        data = pb.encode(self.roster)
        lines = ["comity roster v1", "cn-test", str(self.roster.number), notes.b64(H(b"")), notes.now_text(), notes.now_text(),
                 notes.b64(H(data))]
        return lp(notes.note_sign("\n".join(lines) + "\n", ("cn-test/authority", signer or self.authority))) + lp(data)

    def route(self, row):
        """The ROUTED entry for a parcel of an outbox, and the statement for one recipient."""
        parcel = P.Parcel(bytes.fromhex(row["parcel"]))
        to = [(member, self.given.setdefault(member, 0) + 1) for member in parcel.recipients]
        self.given.update(to)
        source = pb.ledger.Source(origin=parcel.origin, size=row["size"], root=bytes.fromhex(row["root"]))
        index = self.broker.append(Draft(P.ROUTED, source=source, ref=parcel.hash + u64(row["seq"])), 1, to)
        return self.statement([index]), parcel

    def statement(self, indices):
        ledger = self.broker
        head = pb.parcel.Head(origin=ledger.origin, entries=[ledger.entry(i) for i in indices], checkpoint=ledger.checkpoint())
        head.proof.extend(multiproof(ledger.leaves, ledger.size, indices, ()))
        return pb.encode(pb.parcel.Parcel(head=pb.encode(head)))


def deliver(bureau, statement, data, seq):
    """As a session does: the statement must hold, then the parcel is judged."""
    verified = P.verify_statement(P.Parcel(statement), bureau.roster, bureau.known)
    must(len(verified.parcel.entries) == 1, "statement_invalid", "entries")
    return Inbox(bureau).deliver(seq, data, verified.parcel.entries[0], verified.parcel.origin)


def fresh(bureau):
    """The bureau as it was saved."""
    return Bureau(bureau.path)


def scene(folder):
    """A network in which A has sent evidence to B, signed by two officers, with a file."""
    network = Network(folder, ["330100-001", "330106-001"])
    a, b = network.bureaus
    for licence in ("L-1", "L-2"):
        a.enrol(licence, "张三", [OFFICER])
    record = client.evidence_record("照片", [("张三", "L-1"), ("张三", "L-2")], None)
    file = a.add_file("photo.jpg", b"x" * 1000)
    record.evidence.files.add().CopyFrom(file)
    draft, enclose = a.record_draft(record, os.urandom(32), [("L-1", "collector"), ("L-2", "collector")])
    a.send([b.member], [draft], enclose, [file.blob + u64(file.len)])
    a.save()
    b.save()
    return network, a, b


def refused(run, *args):
    try:
        return run(*args).get("token")
    except Refused as problem:
        return problem.token


def evidence_arrives_and_is_answered(folder):
    network, a, b = scene(folder)
    statement, parcel = network.route(a.state["outbox"][0])
    told = deliver(b, statement, parcel.data, 1)
    assert told["event"] == "received" and [s["licence"] for s in told["records"][0]["signatures"]] == ["L-1", "L-2"], told
    row = a.state["outbox"][0]
    assert not a.answered(1, P.verify_statement(P.Parcel(statement), a.roster, a.known))
    statement, parcel = network.route(b.state["outbox"][0])
    told = deliver(a, statement, parcel.data, 1)
    assert told["event"] == "receipt" and told["of"][0]["kind"] == "RECEIVED" and told["of"][0]["first"] == row["first"], told
    assert not a.state["outbox"], "a receipt was answered"


def no_byte_of_a_parcel_can_be_turned(folder):
    network, a, b = scene(folder)
    statement, parcel = network.route(a.state["outbox"][0])
    tokens = {}
    for at in range(len(parcel.data)):
        data = bytearray(parcel.data)
        data[at] ^= 1 << (at % 8)
        token = refused(deliver, fresh(b), statement, bytes(data), 1)
        assert token, "byte %d of %d" % (at, len(data))
        tokens[token] = tokens.get(token, 0) + 1
    print("# " + str(tokens))


def no_byte_of_a_statement_can_be_turned(folder):
    network, a, b = scene(folder)
    statement, parcel = network.route(a.state["outbox"][0])
    for at in range(len(statement)):
        data = bytearray(statement)
        data[at] ^= 1 << (at % 8)
        assert refused(deliver, fresh(b), bytes(data), parcel.data, 1), "byte %d" % at


def a_head_that_was_routed_as_it_is_must_still_verify(folder):
    """The broker routes whatever hash it likes: what the head says is proven all the same."""
    network, a, b = scene(folder)
    row = a.state["outbox"][0]

    def routed(change):
        outer = pb.parcel.Parcel.FromString(bytes.fromhex(row["parcel"]))
        head = pb.parcel.Head.FromString(outer.head)
        change(head, outer)
        outer.head = pb.encode(head)
        statement, parcel = network.route({**row, "parcel": pb.encode(outer).hex()})
        return refused(deliver, fresh(b), statement, parcel.data, network.given[b.member])

    def set_entry(head, outer):
        entry = pb.ledger.LedgerEntry.FromString(head.entries[0])
        entry.time_ms += 1
        head.entries[0] = pb.encode(entry)

    def turn(data):
        return bytes([data[0] ^ 1]) + data[1:]

    cases = {
        "inclusion_failed": [set_entry, lambda h, o: h.proof.__setitem__(0, turn(h.proof[0]))],
        "proof_invalid": [lambda h, o: h.proof.append(bytes(32)), lambda h, o: h.since.add(member=b.member, size=99)],
        "seal_mismatch": [lambda h, o: h.blobs.append(bytes([255]) * 40), lambda h, o: o.wraps.append(o.wraps[0]),
                          lambda h, o: o.ClearField("sealed") or o.ClearField("wraps")],
        "signature_invalid": [lambda h, o: setattr(h, "checkpoint", h.checkpoint.replace(b"\n4\n", b"\n5\n"))],
        "recipients_mismatch": [lambda h, o: h.recipients.append("330200-001")],
        "malformed": [lambda h, o: h.enclosures.add(entry=h.entries[0])],
    }
    assert routed(lambda h, o: None) is None
    for token, changes in cases.items():
        for n, change in enumerate(changes):
            assert routed(change) == token, "%s %d: %s" % (token, n, routed(change))


def signatures_that_do_not_hold_are_refused(folder):
    network, a, b = scene(folder)
    record = client.evidence_record("照片", [("张三", "L-1"), ("张三", "L-2")], None)
    draft, enclose = a.record_draft(record, os.urandom(32), [("L-1", "collector"), ("L-2", "collector")])
    other, _ = a.record_draft(client.case_record("另案"), os.urandom(32), [("L-1", "collector")])
    body = pb.ledger.Body.FromString(draft.body)
    body.notes[0] = pb.ledger.Body.FromString(other.body).notes[0]
    reviewer, _ = a.record_draft(record, draft.salt, [("L-1", "reviewer")])
    sent = {"key_unknown": (draft, enclose[:1]), "signature_invalid": (draft._replace(body=pb.encode(body)), enclose),
            "role_missing": (reviewer, enclose)}
    for token, (bad, keys) in sent.items():
        a.send([b.member], [bad], keys)
        statement, parcel = network.route(a.state["outbox"][-1])
        assert refused(deliver, b, statement, parcel.data, network.given[b.member]) == token, token
        assert b.ledger.message(b.ledger.size - 1).kind == P.REFUSED


def a_body_that_the_entry_does_not_commit_to_is_refused(folder):
    network, a, b = scene(folder)
    draft, _ = a.record_draft(client.case_record("一案"), os.urandom(32))
    other, _ = a.record_draft(client.case_record("又一案"), draft.salt)
    honest = bureau_module.set_opening
    bureau_module.set_opening = lambda opening, salt, body: honest(opening, salt, other.body)
    try:
        a.send([b.member], [draft])
    finally:
        bureau_module.set_opening = honest
    statement, parcel = network.route(a.state["outbox"][-1])
    assert refused(deliver, b, statement, parcel.data, 1) == "body_mismatch"


def a_sealed_part_that_commits_to_no_key_is_refused(folder):
    """Without the commitment one ciphertext could open to two texts for two readers."""
    private = X25519PrivateKey.generate()
    public = {"330100-001": public_of(private), "330106-001": public_of(private)}
    honest = seal._parts
    seal._parts = lambda ck: honest(ck)[:2] + (bytes(32),)
    try:
        sealed, wraps = seal.seal_openings("o", "330100-001", ["330106-001"], public, b"text")
    finally:
        seal._parts = honest
    try:
        seal.unseal_openings("o", ["330106-001"], "330106-001", private, 0, sealed, wraps)
    except Refused as problem:
        assert problem.token == "unseal_failed"
        return
    raise AssertionError("opened")


def a_chain_that_is_broken_is_refused(folder):
    network, a, b = scene(folder)
    honest = Ledger.append

    def append(self, *args):
        before, self.leaves[-1] = self.leaves[-1], bytes(32)
        index = honest(self, *args)
        self.leaves[index - 1] = before
        return index

    drafts = [a.record_draft(client.case_record(title), os.urandom(32))[0] for title in ("一案", "又一案")]
    Ledger.append = append
    try:
        a.send([b.member], drafts)
    finally:
        Ledger.append = honest
    statement, parcel = network.route(a.state["outbox"][-1])
    assert refused(deliver, b, statement, parcel.data, 1) == "chain_broken"


def a_parcel_built_upon_another_history_is_equivocation(folder):
    network, a, b = scene(folder)
    twin = Bureau(a.path)
    twin.state["outbox"].clear()
    twin.ledger.rows.pop()
    twin.ledger.leaves.pop()
    twin.state["pair_next"].clear()
    twin.send([b.member], [twin.record_draft(client.case_record("另一本账"), os.urandom(32))[0]])
    statement, parcel = network.route(a.state["outbox"][0])
    assert deliver(b, statement, parcel.data, 1)["event"] == "received"
    statement, parcel = network.route(twin.state["outbox"][0])
    assert refused(deliver, b, statement, parcel.data, 2) == "equivocation"


def voids_and_gaps_close(folder):
    """A parcel that the broker refused is voided; what is behind keeps its entries and its numbers."""
    network, a, b = scene(folder)
    a.send([b.member], [a.record_draft(client.case_record("其后"), os.urandom(32))[0]])
    row = a.state["outbox"][0]
    source = pb.ledger.Source(origin=a.origin, index=row["first"], size=row["size"], root=bytes.fromhex(row["root"]))
    index = network.broker.append(Draft(P.REFUSED, source=source, ref=bytes.fromhex(row["hash"]) + u32(1) + b"quota"), 1)
    statement = P.verify_statement(P.Parcel(network.statement([index])), a.roster, a.known)
    assert a.answered(1, statement)
    assert [r["seq"] for r in a.state["outbox"]] == [2, 3]
    events = []
    for row in a.state["outbox"]:
        statement, parcel = network.route(row)
        events.append(deliver(b, statement, parcel.data, network.given[b.member])["event"])
    assert events == ["receipt", "received"] and b.state["pairs"][a.origin] == {"next": 3, "gaps": []}, events
    statement, parcel = network.route(a.state["outbox"][1])
    assert deliver(b, statement, parcel.data, network.given[b.member])["event"] == "duplicate"


def a_roster_needs_the_authority(folder):
    network, _, b = scene(folder)
    anchor = network_parse(network.text.encode())
    network.roster.number = 3
    Roster.accept(network.file(), anchor, b.roster)
    assert refused(Roster.accept, network.file(key()), anchor, b.roster) == "authority_unproven"
    left = network.roster.members[0].ledgers.pop()
    assert refused(Roster.accept, network.file(), anchor, b.roster) == "roster_chain"
    network.roster.members[0].ledgers.append(left)
    network.roster.number = 2
    assert refused(Roster.accept, network.file(), anchor, b.roster) == "roster_chain"
    network.roster.number = 1
    assert refused(Roster.accept, network.file(), anchor, b.roster) == "roster_old"


TESTS = [evidence_arrives_and_is_answered, no_byte_of_a_parcel_can_be_turned, no_byte_of_a_statement_can_be_turned,
         a_head_that_was_routed_as_it_is_must_still_verify, signatures_that_do_not_hold_are_refused,
         a_body_that_the_entry_does_not_commit_to_is_refused, a_sealed_part_that_commits_to_no_key_is_refused,
         a_chain_that_is_broken_is_refused, a_parcel_built_upon_another_history_is_equivocation, voids_and_gaps_close, a_roster_needs_the_authority]


def main():
    failed = 0
    print("1..%d" % len(TESTS))
    for number, test in enumerate(TESTS, 1):
        try:
            with tempfile.TemporaryDirectory(prefix="comity-") as folder:
                test(folder)
            print("ok %d - %s" % (number, test.__name__))
        except Exception:
            failed += 1
            print("not ok %d - %s" % (number, test.__name__))
            print("# " + traceback.format_exc().replace("\n", "\n# "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""A session with the broker: frames over one CURVE DEALER socket (PROTOCOL.md, "Transport" and "Session").

A turn takes in what has arrived, judges it, writes the bureau's file, and only then answers.
"""
import time

import zmq
import zmq.utils.z85

from comity import blobs
from comity import parcel as P
from comity import pb
from comity.errors import Refused, must
from comity.inbox import Inbox
from comity.notes import Key, checkpoint_text, checkpoint_verify, note_sign
from comity.seal import public_of
from comity.tree import check_consistency, consistency

MAX_FRAME, GRANT, PING_AFTER_S, PONG_WITHIN_S = 1024 * 1024, 4 * 1024 * 1024, 15, 30


def curve_socket(bureau, endpoint, broker_curve):
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    socket.maxmsgsize = MAX_FRAME
    keys = bureau.state["keys"]
    socket.curve_secretkey = zmq.utils.z85.encode(bytes.fromhex(keys["curve"]))
    socket.curve_publickey = zmq.utils.z85.encode(bytes.fromhex(keys["curve_public"]))
    socket.curve_serverkey = zmq.utils.z85.encode(broker_curve)
    socket.connect(endpoint)
    return socket


class Session:
    """`tell` is called with a dictionary for each thing worth knowing."""

    def __init__(self, bureau, tell):
        self.bureau, self.tell = bureau, tell
        broker = bureau.roster.broker()
        self.broker_curve, self.endpoint, self.bulk_endpoint = broker.curve, broker.endpoints[0], broker.endpoints[1]
        self.socket = self.bulk = None
        self.reconnect()

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None
        self.close_bulk()

    def close_bulk(self):
        if self.bulk:
            self.bulk.socket.close()
            self.bulk = None

    def move_files(self):
        """The bulk socket, opened anew whenever there is something to move that it does not know of."""
        moving = sum(file["state"] == "fetch" or (file["state"] == "upload" and file["accepted"])
                     for file in self.bureau.state["files"].values())
        if moving and (self.bulk is None or not self.bulk.waiting()):
            self.close_bulk()
            self.bulk = blobs.Bulk(self.bureau, curve_socket(self.bureau, self.bulk_endpoint, self.broker_curve), self.tell)
            self.bulk_heard = time.monotonic()
        if self.bulk and self.bulk.turn():
            self.bulk_heard = time.monotonic()
        elif moving and time.monotonic() - self.bulk_heard > blobs.ASK_AFTER_S:
            self.bulk.ask_again()
            self.bulk_heard = time.monotonic()

    def reconnect(self):
        self.close()
        self.socket = curve_socket(self.bureau, self.endpoint, self.broker_curve)
        self.hello()

    def send(self, **body):
        data = pb.encode(pb.session.Frame(**body))
        self.socket.send(data)
        self.last_sent = time.monotonic()

    # ---- greeting ----------------------------------------------------------------------------------------------

    def hello(self):
        state = self.bureau.state
        self.epoch, self.wanted, self.parts = None, 0, []
        self.granted = self.sent_bytes = self.got_bytes = self.taken_said = 0
        self.grant = GRANT
        hello = pb.session.Hello(version=1, origin=self.bureau.origin, roster=self.bureau.roster_number, taken=state["taken"],
                                 answered=state["answered"], checkpoint=self.bureau.ledger.checkpoint(), credit=self.grant)
        if state["broker_note"]:
            hello.broker_note = state["broker_note"].encode()
        self.send(hello=hello)
        self.last_heard = time.monotonic()

    def on_welcome(self, welcome):
        bureau, state = self.bureau, self.bureau.state
        checkpoint = bureau.broker_checkpoint(welcome.checkpoint)
        if state["broker_note"]:
            before = bureau.broker_checkpoint(state["broker_note"].encode())
            check_consistency(before.size, before.root, checkpoint.size, checkpoint.root, welcome.proof)
        else:
            must(not welcome.proof, "proof_invalid", "a proof from nothing")
        if welcome.HasField("seen"):
            own = Key(bureau.origin, 1, public_of(bureau.key))
            seen = checkpoint_verify(welcome.seen, own)
            must(seen.size <= bureau.ledger.size and seen.root == bureau.ledger.root_at(seen.size), "rollback",
                 "the broker has seen this ledger at size %d" % seen.size)
        must(len(welcome.epoch) == 16, "malformed", "epoch")
        must(state["answered"] <= welcome.parcel_seq <= state["parcel_seq"], "rollback", "parcel_seq")
        self.learn_broker(checkpoint)
        self.epoch, self.granted, self.submitted = welcome.epoch, welcome.credit, welcome.parcel_seq
        self.stated = checkpoint.size
        self.tell({"event": "welcome", "roster": welcome.roster, "parcel_seq": welcome.parcel_seq, "broker_size": checkpoint.size})
        self.first_submit = welcome.parcel_seq
        self.see_roster(welcome.roster)

    def learn_broker(self, checkpoint):
        roots = self.bureau.known.setdefault(checkpoint.origin, {})
        must(roots.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root, "equivocation", "the broker's checkpoint")
        self.bureau.state["broker_note"] = checkpoint.note.decode()

    def see_roster(self, number):
        """Ask for a roster that is newer than ours. Until it is in force nothing is taken in."""
        if number > max(self.bureau.roster_number, self.wanted):
            self.wanted, self.parts = number, []
            self.send(roster_ask={"epoch": self.epoch, "number": number, "part": 0})
        return number > self.bureau.roster_number

    def on_roster_part(self, part):
        """A part that was asked for, or of a new roster that the broker hands to all."""
        if part.part == 0:
            self.parts = []
        if part.part != len(self.parts) or part.number <= self.bureau.roster_number:
            return
        self.parts.append(part.data)
        if part.part + 1 < part.parts:
            if self.wanted:
                self.send(roster_ask={"epoch": self.epoch, "number": part.number, "part": part.part + 1})
            return
        self.bureau.adopt_roster(b"".join(self.parts))
        self.tell({"event": "roster", "number": part.number})
        self.again = self.again or bool(self.wanted)
        self.wanted, self.parts = 0, []

    # ---- frames ----------------------------------------------------------------------------------------------

    def on_answer(self, answer):
        self.granted = max(self.granted, answer.credit)
        statement = None
        if answer.HasField("statement"):
            statement = P.verify_statement(P.Parcel(answer.statement), self.bureau.roster, self.bureau.known)
            since = [(s.member, s.size) for s in statement.parcel.head.since]
            must(since == [(self.bureau.member, self.stated)], "statement_invalid", "since")
            self.learn_statement(statement)
        refused = self.bureau.answered(answer.parcel_seq, statement)
        self.tell({"event": "answer", "parcel_seq": answer.parcel_seq, "refused": refused})
        self.again = self.again or refused

    def on_deliver(self, deliver):
        bureau = self.bureau
        if self.wanted:
            return                    # it comes again after the next HELLO
        must(deliver.delivery_seq == bureau.state["taken"] + 1, "pair_seq", "delivery_seq %d" % deliver.delivery_seq)
        statement = P.verify_statement(P.Parcel(deliver.statement), bureau.roster, bureau.known)
        since = [(s.member, s.size) for s in statement.parcel.head.since]
        must(since == [(bureau.member, self.stated)], "statement_invalid", "since")
        must(len(statement.parcel.entries) == 1, "statement_invalid", "entries")
        routed = statement.parcel.entries[0]
        self.learn_statement(statement)
        if self.see_roster(routed.message.roster):
            return
        self.tell({"delivery_seq": deliver.delivery_seq,
                   **Inbox(bureau).deliver(deliver.delivery_seq, deliver.parcel, routed, statement.parcel.origin)})

    def learn_statement(self, statement):
        self.bureau.learn(statement)
        self.learn_broker(statement.checkpoint)
        self.stated = statement.checkpoint.size

    def on_pong(self, pong):
        self.granted = max(self.granted, pong.credit)
        checkpoint = self.bureau.broker_checkpoint(pong.checkpoint)
        before = self.bureau.broker_checkpoint(self.bureau.state["broker_note"].encode())
        must(checkpoint.size >= before.size, "rollback", "the broker's checkpoint")
        if checkpoint.size > before.size:
            self.send(prove={"epoch": self.epoch, "from": before.size, "to": checkpoint.size})

    def on_prove(self, prove):
        ledger, first, second = self.bureau.ledger, getattr(prove, "from"), prove.to
        must(first <= second <= ledger.size, "malformed", "sizes")
        note = note_sign(checkpoint_text(ledger.origin, second, ledger.root_at(second)), (ledger.origin, ledger.key))
        self.send(proof={"epoch": self.epoch, "from": first, "to": second, "proof": consistency(ledger.leaves, first, second),
                         "checkpoint": note})

    def on_proof(self, proof):
        checkpoint, first = self.bureau.broker_checkpoint(proof.checkpoint), getattr(proof, "from")
        must(first in self.bureau.known[checkpoint.origin] and checkpoint.size == proof.to, "proof_invalid", "of other sizes")
        check_consistency(first, self.bureau.known[checkpoint.origin][first], checkpoint.size, checkpoint.root, proof.proof)
        if proof.to >= self.bureau.broker_checkpoint(self.bureau.state["broker_note"].encode()).size:
            self.learn_broker(checkpoint)
        self.tell({"event": "proof", "from": first, "to": proof.to})

    def on_frame(self, data):
        frame = pb.decode(pb.session.Frame, data, MAX_FRAME)
        kind = frame.WhichOneof("body")
        must(kind is not None, "malformed", "frame")
        body = getattr(frame, kind)
        self.last_heard = time.monotonic()
        if kind == "bye":
            self.close()
            raise Refused(body.token, "BYE: " + body.detail)
        if kind == "resync":
            self.again = True
            return
        if kind != "welcome" and (self.epoch is None or body.epoch != self.epoch):
            return
        if kind == "deliver":
            self.got_bytes += len(data)
            must(self.got_bytes <= self.grant, "credit")
        handler = getattr(self, "on_" + kind, None)
        must(handler is not None, "malformed", "a broker does not send " + kind)
        handler(body)

    # ---- the turn -------------------------------------------------------------------------------------------

    def turn(self, wait_ms=200):
        self.again = False
        if self.socket.poll(wait_ms):
            for _ in range(64):
                try:
                    parts = self.socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                must(len(parts) == 1, "malformed", "frames")
                self.on_frame(parts[0])
                if self.again:
                    break
            self.bureau.save()
        if self.again:
            self.hello()
        elif self.epoch:
            self.move_files()
            self.speak()
        quiet = time.monotonic()
        if self.epoch and quiet - self.last_sent >= PING_AFTER_S:
            self.send(ping={"epoch": self.epoch, "credit": self.grant})
        if quiet - self.last_heard >= PING_AFTER_S + PONG_WITHIN_S:
            self.reconnect()

    def speak(self):
        """TAKEN for what is durable now, and what the outbox holds, as far as credit goes."""
        taken = self.bureau.state["taken"]
        if taken > self.taken_said and self.got_bytes:
            self.grant = max(self.grant, self.got_bytes + GRANT)
            self.send(taken={"epoch": self.epoch, "delivery_seq": taken, "credit": self.grant})
            self.taken_said = taken
        if self.bureau.state["answered"] < self.first_submit or self.wanted:
            return                    # the answer may be a refusal, and then what is behind must not go as it is
        for row in self.bureau.state["outbox"]:
            if row["seq"] <= self.submitted:
                continue
            submit = pb.session.Submit(epoch=self.epoch, parcel_seq=row["seq"], parcel=bytes.fromhex(row["parcel"]))
            data = pb.encode(pb.session.Frame(submit=submit))
            if self.sent_bytes + len(data) > self.granted:
                break
            self.socket.send(data)
            self.last_sent = time.monotonic()
            self.sent_bytes += len(data)
            self.submitted = row["seq"]

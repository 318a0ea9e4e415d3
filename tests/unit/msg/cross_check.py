#!/usr/bin/python3
"""Hold lib/msg against another implementation of protocol buffers: cross_check.py RECODE

Messages that Google's runtime writes must come back from our decoder and encoder byte for byte; our own samples (the
fuzzers' seeds) must mean to it what they mean to us; and what it takes although it is not canonical, we must refuse.
Runs from the top of the source tree.
"""
import importlib
import random
import subprocess
import sys
import tempfile
from pathlib import Path

RECODE = sys.argv[1]
FILES = {"ledger": ["entry", "body"], "parcel": ["head", "parcel", "openings"], "roster": ["roster_doc"],
         "session": ["frame", "bulk_frame"], "control": ["control_request", "control_reply"]}
CLASSES = {"entry": "LedgerEntry", "body": "Body", "head": "Head", "parcel": "Parcel", "openings": "Openings",
           "roster_doc": "Roster", "frame": "Frame", "bulk_frame": "BulkFrame", "control_request": "Request",
           "control_reply": "Reply"}
rng = random.Random(20261124)
checks = 0


def load():
    """The generated classes, by our decoders' names."""
    out = tempfile.mkdtemp()
    subprocess.run(["protoc", "--proto_path=proto", f"--python_out={out}"] + [f"proto/{f}.proto" for f in FILES],
                   check=True)
    sys.path.insert(0, out)
    return {name: getattr(importlib.import_module(f"{f}_pb2"), CLASSES[name])
            for f, names in FILES.items() for name in names}


def recode(name, data):
    """What our side makes of the bytes: (bytes, None) or (None, error token)."""
    run = subprocess.run([RECODE, name], input=data, capture_output=True, check=False)
    return (run.stdout, None) if run.returncode == 0 else (None, run.stderr.decode().strip())


def expect(name, data, want_error=None):
    global checks
    checks += 1
    got, error = recode(name, data)
    if error != want_error or (error is None and got != data):
        sys.exit(f"cross_check: {name} {data.hex()}: {error or got.hex()}, expected {want_error or 'the same bytes'}")


def octets(n):
    return rng.randbytes(n)


def members(n):
    return sorted(rng.sample([f"{i:06}-{i % 1000:03}" for i in range(330000, 330400)], n))


def number(bits=64):
    return rng.getrandbits(rng.randint(1, bits))


def random_entry(cls):
    m = cls(index=number(48), time_ms=number(48), kind=number(32), roster=number(48), prev=octets(32))
    if rng.random() < .7:
        m.body_hash = octets(32)
    if rng.random() < .7:
        m.seal = octets(32)
    if rng.random() < .7:
        m.source.origin = "cn-samr/330100-001.7"
        for field, value in (("index", number(48)), ("leaf", octets(32)), ("size", 0), ("root", octets(32))):
            if rng.random() < .5:
                setattr(m.source, field, value)
    for member in members(rng.choice([0, 1, 5, 64])):
        m.to.add(member=member, pair_seq=number(48) or 1)
    if rng.random() < .5:
        m.ref = octets(rng.choice([1, 127, 128, 1024]))
    return m


def random_body(cls):
    m = cls(notes=[octets(rng.randint(1, 300)) for _ in range(rng.randint(0, 16))],
            roles=[number(32) for _ in range(rng.randint(0, 8))])
    if rng.random() < .5:
        m.record, m.request_id, m.remark = octets(2000), octets(32), "备注 \u007f \U0001f4dc"
    return m


def random_head(cls):
    m = cls(origin="cn-samr/broker-a", checkpoint=octets(100), recipients=members(rng.randint(0, 64)),
            entries=[octets(rng.randint(1, 400)) for _ in range(rng.choice([0, 1, 256]))],
            proof=[octets(32) for _ in range(rng.randint(0, 40))],
            blobs=sorted(octets(40) for _ in range(rng.randint(0, 40))))
    for member in members(rng.randint(0, 60)):
        m.since.add(member=member, size=3)
        m.since.add(member=member, size=300)
    for _ in range(rng.randint(0, 9)):
        e = m.enclosures.add(entry=octets(200))
        if rng.random() < .5:
            e.checkpoint, e.routed = octets(90), octets(500)
            e.proof.extend(octets(32) for _ in range(20))
    return m


def random_openings(cls):
    m = cls()
    for _ in range(rng.choice([0, 1, 1280])):
        o = m.opening.add()
        if rng.random() < .7:
            o.salt = octets(32)
            if rng.random() < .7:
                o.body = octets(rng.randint(1, 200))
    return m


def random_roster(cls):
    m = cls(network="cn-samr", number=number(), threshold=3, authority=[octets(80) for _ in range(5)])
    for member in members(rng.choice([0, 1, 400])):
        r = m.members.add(id=member, role=1, name="某局", seal=[octets(32)], endpoints=["tcp://[::1]:1"])
        ledger = r.ledgers.add(origin=f"cn-samr/{member}", suite=1, vkey=octets(70))
        if rng.random() < .5:
            r.curve = octets(32)
            ledger.closed.size, ledger.closed.root = number(), octets(32)
            ledger.closed.witness.add(broker="cn-samr/broker-a", routed=number())
    return m


RANDOM = {"entry": random_entry, "body": random_body, "head": random_head, "openings": random_openings,
          "roster_doc": random_roster}


def check_not_canonical(cls):
    """Bytes that Google's runtime reads as the same entry."""
    m = random_entry(cls["entry"])
    m.kind = 5
    data = m.SerializeToString()
    at = 18
    assert data[at:at + 2] == b"\x18\x05"
    for variant in (data + b"\x58\x01",                       # unknown field
                    data[:at] + b"\x18\x05" + data[at:],      # twice
                    data[:at] + b"\x18\x85\x00" + data[at + 2:],  # padded
                    data[9:18] + data[:9] + data[18:]):       # out of order
        assert cls["entry"].FromString(variant).kind == 5
        expect("entry", variant, "not_canonical")
    assert list(cls["body"].FromString(b"\x22\x02\x01\x02").roles) == [1, 2]
    expect("body", b"\x22\x02\x01\x02", "malformed")          # packed


def check_samples(cls):
    """What stands in our samples, read by the other side."""
    for path in sorted(Path("tests/fuzz/corpus").glob("*/*")):
        name, data = path.parent.name, path.read_bytes()
        if name in cls:
            message = cls[name].FromString(data)
            if message.SerializeToString() != data:
                sys.exit(f"cross_check: {path}: written differently")
            expect(name, data)
    entry = cls["entry"].FromString(Path("tests/fuzz/corpus/entry/0").read_bytes())
    assert (entry.index, entry.kind, entry.roster) == (0x030405060708, 3, 300)
    assert entry.source.HasField("index") and entry.source.index == 0 and entry.source.size == 17
    assert [(t.member, t.pair_seq) for t in entry.to] == [("330100-001", 1), ("330200-001", 2**48 - 1),
                                                          ("broker-a", 300)]
    reply = cls["control_reply"].FromString(Path("tests/fuzz/corpus/control_reply/0").read_bytes())
    assert (reply.id, reply.err, reply.more) == (7, -140, True)


def main():
    cls = load()
    check_samples(cls)
    check_not_canonical(cls)
    for name, make in RANDOM.items():
        for _ in range(25):
            expect(name, make(cls[name]).SerializeToString())
    print(f"cross_check: {checks} messages, no difference")


main()

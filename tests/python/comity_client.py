#!/usr/bin/python3
"""A bureau in Python: joins a network, sends and receives records over the broker, and keeps its ledger in one file.

    comity_client.py init FILE NET.network MEMBER NAME > MEMBER.join
    comity_client.py roster FILE NET.roster
    comity_client.py enrol FILE LICENCE NAME
    comity_client.py case FILE TITLE --to MEMBER…
    comity_client.py evidence FILE TITLE --to MEMBER… --by LICENCE LICENCE [--case MEMBER/INDEX] [--attach PATH]
    comity_client.py sync FILE [--until STATE] [--seconds N]
    comity_client.py ping FILE
    comity_client.py show FILE

Each prints JSON; sync one line for each thing that happens. Exit code 1 with a token on stderr when something is refused, 6 when
`sync` has not reached its state in time. States: `sent` (the outbox is empty), `receipted` (and every recipient has answered), `inbox:N`
(N records have come), `files` (all attachments have been moved), `roster:N` (roster N is in force).
"""
import argparse
import datetime
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import zmq  # noqa: E402
import zmq.utils.z85  # noqa: E402

from comity import pb  # noqa: E402
from comity.bureau import Bureau  # noqa: E402
from comity.content import OFFICER  # noqa: E402
from comity.errors import Refused, must  # noqa: E402
from comity.session import Session  # noqa: E402


def say(value):
    print(json.dumps(value, ensure_ascii=False), flush=True)


def china_time():
    zone = datetime.timezone(datetime.timedelta(hours=8))
    return datetime.datetime.now(zone).replace(microsecond=0).isoformat()


# ---- records -----------------------------------------------------------------------------------------------------

def case_record(title):
    now = china_time()
    record = pb.record.Record(kind=1, schema=1, created=now)
    record.case_content.title, record.case_content.filed = title, now
    return record


def evidence_record(title, officers, case_ref):
    """Electronic data, as two officers fixed it; `officers` are pairs of name and licence."""
    now = china_time()
    record = pb.record.Record(kind=2, schema=1, created=now)
    if case_ref:
        record.case_ref.origin, record.case_ref.index, record.case_ref.leaf = case_ref
    for name, licence in officers:
        record.officers.add(name=name, licence=licence)
    evidence = record.evidence
    evidence.kind, evidence.form = 1, 1
    evidence.title, evidence.source, evidence.place, evidence.taken, evidence.method = title, "举报人", "办案场所", now, "提取原物"
    return record


def find_case(bureau, ref):
    """Origin, index and leaf of an own case, or of one that was received."""
    member, index = ref.rsplit("/", 1) if "/" in ref else (bureau.member, ref)
    if member == bureau.member:
        return bureau.origin, int(index), bureau.ledger.leaves[int(index)]
    for record in bureau.state["inbox"]:
        if record["ref"] == ref:
            return record["origin"], record["index"], bytes.fromhex(record["leaf"])
    raise Refused("not_found", ref)


def send_record(bureau, record, to, signers):
    draft, enclose = bureau.record_draft(record, os.urandom(32), signers)
    blobs = [file.blob + file.len.to_bytes(8, "big") for file in record.evidence.files]
    index = bureau.send(to, [draft], enclose, blobs)
    bureau.save()
    say({"ref": "%s/%d" % (bureau.member, index), "index": index, "leaf": bureau.ledger.leaves[index].hex(), "to": sorted(to)})


# ---- commands ---------------------------------------------------------------------------------------------------

def do_init(args):
    public, secret = (zmq.utils.z85.decode(key) for key in zmq.curve_keypair())
    with open(args.network) as f:
        note = Bureau.create(args.file, f.read(), args.member, args.name, secret, public)
    sys.stdout.buffer.write(note)


def do_roster(args):
    bureau = Bureau(args.file)
    with open(args.roster, "rb") as f:
        bureau.adopt_roster(f.read())
    bureau.save()
    say({"number": bureau.roster.number, "renew_by": bureau.roster.renew_by, "members": sorted(bureau.roster.members)})


def do_enrol(args):
    bureau = Bureau(args.file)
    index = bureau.enrol(args.licence, args.name, [OFFICER])
    bureau.save()
    say({"index": index, "licence": args.licence})


def do_case(args):
    send_record(Bureau(args.file), case_record(args.title), args.to, ())


def do_evidence(args):
    bureau = Bureau(args.file)
    officers = [(bureau.state["officers"][licence]["name"], licence) for licence in args.by]
    record = evidence_record(args.title, officers, find_case(bureau, args.case) if args.case else None)
    if args.attach:
        with open(args.attach, "rb") as f:
            record.evidence.files.add().CopyFrom(bureau.add_file(os.path.basename(args.attach), f.read()))
    send_record(bureau, record, args.to, [(licence, "collector") for licence in args.by])


def reached(bureau, until):
    state, _, number = until.partition(":")
    s = bureau.state
    if state == "sent":
        return not s["outbox"]
    if state == "receipted":
        rows = [row for row in s["sent"].values() if "refused" not in row and not is_receipt(bureau, row)]
        files = [file for file in s["files"].values() if "accepted" in file]
        return (not s["outbox"] and all(set(row["recipients"]) == set(row["receipts"]) for row in rows)
                and all("received" in file for file in files))
    if state == "roster":
        return bureau.roster_number >= int(number)
    if state == "files":
        return not s["outbox"] and all(file["state"] in ("uploaded", "here") for file in s["files"].values())
    return len(s["inbox"]) >= int(number)


def is_receipt(bureau, row):
    return all(bureau.ledger.message(i).kind in (4, 9, 11) for i in range(row["first"], row["first"] + row["count"]))


def do_sync(args):
    bureau = Bureau(args.file)
    session, end = Session(bureau, say), time.monotonic() + args.seconds
    while time.monotonic() < end:
        session.turn()
        if session.epoch and reached(bureau, args.until) and not bureau.state["outbox"]:
            session.close()
            return
    sys.exit(6)


def do_ping(args):
    bureau = Bureau(args.file)
    told = []
    session, end = Session(bureau, told.append), time.monotonic() + args.seconds
    while not session.epoch and time.monotonic() < end:
        session.turn()
    must(session.epoch, "timeout", "no WELCOME")
    heard = session.last_heard
    session.send(ping={"epoch": session.epoch, "credit": session.grant})
    while session.last_heard == heard and time.monotonic() < end:
        session.turn()
    must(session.last_heard != heard, "timeout", "no PONG")
    say({"pong": True})


def do_show(args):
    bureau = Bureau(args.file)
    s = bureau.state
    say({"member": bureau.member, "origin": bureau.origin, "size": bureau.ledger.size, "taken": s["taken"],
         "outbox": len(s["outbox"]), "files": {b: [f["name"], f["state"], f.get("received", [])] for b, f in s["files"].items()}, "inbox": s["inbox"],
         "sent": [{k: row.get(k) for k in ("first", "count", "recipients", "routed", "receipts", "refused")}
                  for row in s["sent"].values()]})


def state_name(text):
    if not re.fullmatch(r"sent|receipted|files|(inbox|roster):[0-9]+", text):
        raise argparse.ArgumentTypeError(text)
    return text


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name, run, *plain):
        sub = commands.add_parser(name)
        sub.set_defaults(run=run)
        for argument in ("file",) + plain:
            sub.add_argument(argument)
        return sub

    command("init", do_init, "network", "member", "name")
    command("roster", do_roster, "roster")
    command("enrol", do_enrol, "licence", "name")
    command("case", do_case, "title").add_argument("--to", nargs="+", required=True)
    evidence = command("evidence", do_evidence, "title")
    evidence.add_argument("--to", nargs="+", required=True)
    evidence.add_argument("--by", nargs=2, required=True)
    evidence.add_argument("--case")
    evidence.add_argument("--attach")
    sync = command("sync", do_sync)
    sync.add_argument("--until", default="sent", type=state_name)
    sync.add_argument("--seconds", type=float, default=20)
    command("ping", do_ping).add_argument("--seconds", type=float, default=20)
    command("show", do_show)
    return parser.parse_args()


def main():
    args = arguments()
    try:
        args.run(args)
    except Refused as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Goal: the Python client agrees with what others have published, before it is trusted to judge anything. TAP on stdout.

RFC 6962 roots (as Certificate Transparency's test data has them), RFC 9180 A.1.1, and the log of Tessera's test data with its note,
its inclusion path and a witness's cosignature. Then properties that no vector covers: the multiproof and what breaks it.
"""
import os
import random
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # noqa: E402

from comity import notes, pb, seal, tree  # noqa: E402
from comity.errors import Refused  # noqa: E402
from comity.ledger import Pairs  # noqa: E402

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = """e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328""".split()

LOG_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
LOG_SEED = "eca663f499017d2365c27c7a7679158d43cfec1330bdb259290afbd0d21777a0"
LOG_ENTRIES = "one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()
LOG_ROOT_15 = "aca6c38a90af86e5f5199ee0e4105ef2c03a05b27b8daff59e4e36eefdfcddcb"
LOG_PATH_4 = """yiM+eia4w1wsk/Ukx7kF56IQVkDW3MWUaUz/VtJu+yU=
nk9gCR+floFqznAPtqjjcnnV64dge2jQB95D5t164Hg=
zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=
5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=""".split()
WITNESS_SEED = "31ffc2116ecbe003acaa800ab70757bd7d53206e3febef6a6d0796d95530b34f"
WITNESS_LINE = ("— example.com/witness EKHAGQAAAABkGFDLPX52bqsNVRwJszRsJ4CaZ2z8sjGx+b3pGEdRojnr3kzGm9mykMVsYyGOkN5dOPZIj5bN"
                "xC6O/JjTfKFZwyP5Dg==\n")


def refused(token, run, *args):
    try:
        run(*args)
    except Refused as problem:
        assert problem.token == token, "%s instead of %s" % (problem.token, token)
        return
    raise AssertionError("not refused: " + token)


def log_leaves():
    return [tree.leaf_hash(entry.encode()) for entry in LOG_ENTRIES]


def tree_roots_are_rfc_6962s():
    leaves = [tree.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
    assert [tree.root(leaves, 0, n).hex() for n in range(9)] == ROOTS


def tlog_root_and_path_are_the_published_ones():
    leaves = log_leaves()
    assert tree.root(leaves).hex() == LOG_ROOT_15
    path = tree.inclusion(leaves, 4)
    assert [notes.b64(step) for step in path] == LOG_PATH_4
    assert tree.root_from_inclusion(leaves[4], 4, 15, path) == tree.root(leaves)


def tlog_checkpoint_is_signed_as_published():
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(LOG_SEED))
    vkey = notes.vkey_parse(LOG_KEY)
    assert notes.vkey_text(vkey.name, seal.public_of(key)) == LOG_KEY
    text = notes.checkpoint_text(vkey.name, 15, bytes.fromhex(LOG_ROOT_15))
    note = notes.note_sign(text, (vkey.name, key))
    assert notes.checkpoint_verify(note, vkey).size == 15
    witness = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(WITNESS_SEED))
    assert notes.cosign_line(text, "example.com/witness", witness, 1679315147) == WITNESS_LINE
    damaged = note.replace(b"\n15\n", b"\n16\n")
    refused("signature_invalid", notes.checkpoint_verify, damaged, vkey)


def hpke_is_rfc_9180s():
    info = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
    ephemeral = X25519PrivateKey.from_private_bytes(bytes.fromhex("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"))
    public = bytes.fromhex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d")
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"))
    shared = bytes.fromhex("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc")
    plain = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
    sealed = bytes.fromhex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
                           "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a")
    key, nonce = seal.hpke_key_schedule(shared, info, seal.AES_128_GCM)
    assert (key.hex(), nonce.hex()) == ("4531685d41d65f03dc48f6b8302c05b0", "56d890e5accaaf011cff4b7d")
    assert seal.hpke_seal(public, info, b"Count-0", plain, seal.AES_128_GCM, ephemeral) == sealed
    assert seal.hpke_open(private, info, b"Count-0", sealed, seal.AES_128_GCM) == plain
    refused("unseal_failed", seal.hpke_open, private, info, b"Count-1", sealed, seal.AES_128_GCM)


def hpke_refuses_keys_of_low_order():
    for point in (0, 1, seal.X25519_P - 1, seal.X25519_P):
        refused("bad_key", seal.hpke_seal, point.to_bytes(32, "little"), b"", b"", b"")
    for y in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18):
        refused("bad_key", notes.check_public, y.to_bytes(32, "little"))


def seal_opens_for_each_reader_and_nobody_else():
    keys = {name: X25519PrivateKey.generate() for name in ("330100-001", "330106-001", "330200-001")}
    public = {name: seal.public_of(key) for name, key in keys.items()}
    origin, to = "cn-samr/330100-001", ["330106-001", "330200-001"]
    sealed, wraps = seal.seal_openings(origin, "330100-001", to, public, b"secret")
    for place, reader in enumerate(to + ["330100-001"]):
        assert seal.unseal_openings(origin, to, reader, keys[reader], place, sealed, wraps) == b"secret"
    refused("unseal_failed", seal.unseal_openings, origin, to, to[0], keys[to[1]], 0, sealed, wraps)
    refused("unseal_failed", seal.unseal_openings, origin + "x", to, to[0], keys[to[0]], 0, sealed, wraps)
    broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
    refused("unseal_failed", seal.unseal_openings, origin, to, to[0], keys[to[0]], 0, broken, wraps)


def consistency_holds_between_all_sizes():
    leaves = [tree.leaf_hash(bytes([n])) for n in range(20)]
    roots = [tree.root(leaves, 0, n) for n in range(21)]
    for second in range(21):
        for first in range(second + 1):
            path = tree.consistency(leaves, first, second)
            tree.check_consistency(first, roots[first], second, roots[second], path)
            if path:
                refused("proof_invalid", tree.check_consistency, first, roots[first], second, roots[second], path[:-1])
                refused("proof_invalid", tree.check_consistency, first, roots[first - 1], second, roots[second], path)


def multiproof_gives_the_root_and_every_cut():
    chance = random.Random(6962)
    leaves = [tree.leaf_hash(bytes([n])) for n in range(70)]
    for size in range(71):
        for _ in range(12):
            wanted = chance.sample(range(size), min(size, chance.randrange(6)))
            cuts = [chance.randrange(size + 1) for _ in range(chance.randrange(4))]
            proof = tree.multiproof(leaves, size, wanted, cuts)
            root, at = tree.check_multiproof(size, {i: leaves[i] for i in wanted}, cuts, proof)
            assert root == tree.root(leaves, 0, size)
            assert at == {c: tree.root(leaves, 0, c) for c in cuts if 0 < c < size}
            refused("proof_invalid", tree.check_multiproof, size, {i: leaves[i] for i in wanted}, cuts, proof + [bytes(32)])
            if proof:
                refused("proof_invalid", tree.check_multiproof, size, {i: leaves[i] for i in wanted}, cuts, proof[:-1])


def multiproof_for_one_leaf_is_the_path_from_left_to_right():
    leaves = log_leaves()
    for index in range(15):
        assert sorted(tree.multiproof(leaves, 15, [index], [])) == sorted(tree.inclusion(leaves, index))


def pair_numbers_keep_gaps_and_find_duplicates():
    pairs = Pairs({})
    steps = [((5, 1), "next"), ((6, 1), "next"), ((9, 1), "beyond"), ((7, 1), "gap"), ((6, 1), "below"), ((8, 1), "gap"), ((8, 1), "below"),
             ((10, 3), "next"), ((13, 1), "next")]
    for args, outcome in steps:
        assert pairs.take(*args) == outcome, args
    assert pairs.kept["gaps"] == []


def messages_that_are_not_canonical_are_refused():
    hello = pb.session.Ping(epoch=b"e" * 16, credit=7)
    data = pb.encode(hello)
    assert pb.decode(pb.session.Ping, data) == hello
    refused("not_canonical", pb.decode, pb.session.Ping, data + b"\x18\x01")
    refused("not_canonical", pb.decode, pb.session.Ping, data[18:] + data[:18])
    refused("not_canonical", pb.decode, pb.session.Ping, data[:-1] + b"\x87\x00")
    refused("malformed", pb.decode, pb.session.Ping, data[:18])
    refused("malformed", pb.decode, pb.session.Bye, b"\x0a\x02\xff\xfe")
    empty = pb.session.Welcome(epoch=b"e", roster=1, parcel_seq=0, first_delivery=1, seen=b"", checkpoint=b"c", clock_ms=0, credit=0)
    refused("not_canonical", pb.decode, pb.session.Welcome, pb.encode(empty))


TESTS = [tree_roots_are_rfc_6962s, tlog_root_and_path_are_the_published_ones, tlog_checkpoint_is_signed_as_published, hpke_is_rfc_9180s,
         hpke_refuses_keys_of_low_order, seal_opens_for_each_reader_and_nobody_else, consistency_holds_between_all_sizes,
         multiproof_gives_the_root_and_every_cut, multiproof_for_one_leaf_is_the_path_from_left_to_right,
         pair_numbers_keep_gaps_and_find_duplicates, messages_that_are_not_canonical_are_refused]


def main():
    failed = 0
    print("1..%d" % len(TESTS))
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            print("ok %d - %s" % (number, test.__name__))
        except Exception:
            failed += 1
            print("not ok %d - %s" % (number, test.__name__))
            print("# " + traceback.format_exc().replace("\n", "\n# "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

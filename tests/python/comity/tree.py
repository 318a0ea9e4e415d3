"""Merkle trees as RFC 6962 has them, and the multiproof with cuts (PROTOCOL.md, "Tree and chain" and "Multiproof with cuts")."""
import hashlib

from comity.errors import must

MAX_CONSISTENCY = 130


def H(*parts):
    """The hash of suite 1."""
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(data):
    return H(b"\0", data)


def node_hash(left, right):
    return H(b"\1", left, right)


def split(size):
    """The largest power of two below size, for size > 1."""
    return 1 << ((size - 1).bit_length() - 1)


def root(leaves, lo=0, hi=None):
    """The root over leaves[lo:hi], which are leaf hashes."""
    hi = len(leaves) if hi is None else hi
    if hi == lo:
        return H(b"")
    if hi - lo == 1:
        return leaves[lo]
    k = split(hi - lo)
    return node_hash(root(leaves, lo, lo + k), root(leaves, lo + k, hi))


# ---- RFC 6962 paths, from the leaf to the root ----------------------------------------------------------

def inclusion(leaves, index, lo=0, hi=None):
    """RFC 6962, 2.1.1."""
    hi = len(leaves) if hi is None else hi
    if hi - lo == 1:
        return []
    k = split(hi - lo)
    if index < lo + k:
        return inclusion(leaves, index, lo, lo + k) + [root(leaves, lo + k, hi)]
    return inclusion(leaves, index, lo + k, hi) + [root(leaves, lo, lo + k)]


def root_from_inclusion(leaf, index, size, path):
    """The root that the path leads to (RFC 9162, 2.1.3.2)."""
    must(0 <= index < size, "proof_invalid", "index")
    fn, sn, result = index, size - 1, leaf
    for step in path:
        must(sn > 0, "proof_invalid", "path too long")
        if fn & 1 or fn == sn:
            result = node_hash(step, result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = node_hash(result, step)
        fn, sn = fn >> 1, sn >> 1
    must(sn == 0, "proof_invalid", "path too short")
    return result


def consistency(leaves, first, second=None):
    """RFC 6962, 2.1.2."""
    second = len(leaves) if second is None else second

    def subproof(m, lo, hi, whole):
        if m == hi:
            return [] if whole else [root(leaves, lo, hi)]
        k = split(hi - lo)
        if m <= lo + k:
            return subproof(m, lo, lo + k, whole) + [root(leaves, lo + k, hi)]
        return subproof(m, lo + k, hi, False) + [root(leaves, lo, lo + k)]

    return subproof(first, 0, second, True) if 0 < first < second else []


def check_consistency(first, first_root, second, second_root, path):
    """RFC 9162, 2.1.4.2; nothing is consistent with everything, equal sizes need equal roots."""
    must(first <= second and len(path) <= MAX_CONSISTENCY, "proof_invalid", "sizes")
    if first == 0 or first == second:
        must(not path, "proof_invalid", "a path where none is needed")
        must(first == 0 or first_root == second_root, "equivocation", "two roots at one size")
        return
    path = list(path)
    must(path, "proof_invalid", "no path")
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for step in path[1:]:
        must(sn > 0, "proof_invalid", "path too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(step, fr), node_hash(step, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, step)
        fn, sn = fn >> 1, sn >> 1
    must(sn == 0 and fr == first_root and sr == second_root, "proof_invalid", "consistency")


# ---- the multiproof with cuts -------------------------------------------------------------------------------

def multiproof(leaves, size, wanted, cuts):
    """The hashes that prove the leaves at the indices `wanted`, and the roots at `cuts`, in the tree of `size`."""
    wanted, cuts = set(wanted), {c for c in cuts if 0 < c < size}

    def prove(lo, hi):
        if not any(lo <= i < hi for i in wanted) and not any(lo < c < hi for c in cuts):
            return [root(leaves, lo, hi)]
        if hi - lo == 1:
            return []
        k = split(hi - lo)
        return prove(lo, lo + k) + prove(lo + k, hi)

    return prove(0, size) if size else []


def check_multiproof(size, wanted, cuts, proof):
    """`wanted` maps index to leaf hash. Gives the root, and the root at each cut as a dictionary."""
    cuts = {c for c in cuts if 0 < c < size}
    must(all(0 <= i < size for i in wanted), "proof_invalid", "a leaf beyond the checkpoint")
    hashes = iter(proof)

    def take():
        result = next(hashes, None)
        must(result is not None and len(result) == 32, "proof_invalid", "a hash is missing")
        return result

    def verify(lo, hi):
        """The hash of [lo, hi), and for each cut within it the hash of [lo, cut)."""
        inside = [c for c in cuts if lo < c < hi]
        if not inside and not any(lo <= i < hi for i in wanted):
            return take(), {}
        if hi - lo == 1:
            return wanted[lo], {}
        k = split(hi - lo)
        left, at = verify(lo, lo + k)
        right, beyond = verify(lo + k, hi)
        if lo + k in cuts:
            at[lo + k] = left
        at.update((c, node_hash(left, part)) for c, part in beyond.items())
        return node_hash(left, right), at

    result, at = verify(0, size) if size else (H(b""), {})
    must(next(hashes, None) is None, "proof_invalid", "hashes left over")
    return result, at

#!/usr/bin/env python3
"""An attachment's sealed form, worked out a second time: from the words in lib/wire/blob.h, with python3-cryptography
and nothing of Comity's.

    blob_check.py SECRET_HEX FILE

prints the file key, the number of blocks, each sealed block's SHA-256, and the blob id, one a line.
"""
import hashlib
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

BLOCK = 262128


def root(leaves):
    """RFC 6962, 2.1, word for word."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def main():
    secret = bytes.fromhex(sys.argv[1])
    with open(sys.argv[2], "rb") as f:
        plain = f.read()
    info = b"comity-blob/v1\n" + hashlib.sha256(plain).digest() + len(plain).to_bytes(8, "big")
    key = HKDFExpand(algorithm=SHA256(), length=32, info=info).derive(secret)
    blocks = [plain[at:at + BLOCK] for at in range(0, len(plain), BLOCK)] or [b""]
    sealed = [AESGCM(key).encrypt(i.to_bytes(12, "big"), b, None) for i, b in enumerate(blocks)]
    print(key.hex())
    print(len(sealed))
    for block in sealed:
        print(hashlib.sha256(block).hexdigest())
    print(root(sealed).hex())


main()

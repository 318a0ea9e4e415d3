#!/usr/bin/python3
"""A second HPKE (RFC 9180, base mode, X25519, HKDF-SHA256, AES-GCM), for test_hpke.c to talk to.

Made of Python's `cryptography` primitives and of nothing of ours. Arguments and answers are in hex:

    cross_check.py seal SECRET_E PUBLIC_R INFO AAD PLAIN    enc, then the sealed text
    cross_check.py open SECRET_R ENC INFO AAD SEALED        the plain text

With HPKE_AES_128=1 in the environment it uses AES-128-GCM instead of AES-256-GCM.
"""
import hashlib
import hmac
import os
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AEAD_ID, KEY_LEN = (1, 16) if os.environ.get("HPKE_AES_128") else (2, 32)
KEM = b"KEM" + (0x0020).to_bytes(2, "big")
HPKE = b"HPKE" + b"".join(n.to_bytes(2, "big") for n in (0x0020, 0x0001, AEAD_ID))


def extract(suite, salt, label, ikm):
    return hmac.new(salt, b"HPKE-v1" + suite + label + ikm, hashlib.sha256).digest()


def expand(suite, prk, label, info, length):
    labeled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return HKDFExpand(SHA256(), length, labeled).derive(prk)


def public(secret):
    return secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def aead(dh, enc, recipient, info):
    prk = extract(KEM, b"", b"eae_prk", dh)
    shared = expand(KEM, prk, b"shared_secret", enc + recipient, 32)
    context = b"\0" + extract(HPKE, b"", b"psk_id_hash", b"") + extract(HPKE, b"", b"info_hash", info)
    secret = extract(HPKE, shared, b"secret", b"")
    key = expand(HPKE, secret, b"key", context, KEY_LEN)
    return AESGCM(key), expand(HPKE, secret, b"base_nonce", context, 12)


def main():
    verb = sys.argv[1]
    secret_bytes, other, info, aad, text = (bytes.fromhex(a) for a in sys.argv[2:7])
    secret = X25519PrivateKey.from_private_bytes(secret_bytes)
    dh = secret.exchange(X25519PublicKey.from_public_bytes(other))
    if verb == "seal":
        enc = public(secret)
        cipher, nonce = aead(dh, enc, other, info)
        print(enc.hex())
        print(cipher.encrypt(nonce, text, aad).hex())
    else:
        cipher, nonce = aead(dh, other, public(secret), info)
        print(cipher.decrypt(nonce, text, aad).hex())


main()

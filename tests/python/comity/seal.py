"""HPKE in base mode (RFC 9180) over the primitives of python3-cryptography, and the sealing of parcels (PROTOCOL.md, "Sealing")."""
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from comity.errors import Refused, must
from comity.tree import H

X25519_P = 2**255 - 19
AES_128_GCM, AES_256_GCM = (1, 16), (2, 32)     # RFC 9180: id of the AEAD, length of its key


def u32(number):
    return number.to_bytes(4, "big")


def u64(number):
    return number.to_bytes(8, "big")


def lp(data):
    data = data.encode() if isinstance(data, str) else data
    return u32(len(data)) + data


def lp_list(items):
    return u32(len(items)) + b"".join(lp(item) for item in items)


def expand(key, info, length):
    return HKDFExpand(SHA256(), length, info).derive(key)


# ---- HPKE -------------------------------------------------------------------------------------------------

KEM_SUITE = b"KEM" + (0x20).to_bytes(2, "big")


def _hpke_suite(aead):
    return b"HPKE" + b"".join(n.to_bytes(2, "big") for n in (0x20, 1, aead[0]))


def _labeled_extract(suite, salt, label, ikm):
    return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, hashlib.sha256).digest()


def _labeled_expand(suite, prk, label, info, length):
    return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def _shared_secret(dh, enc, public):
    prk = _labeled_extract(KEM_SUITE, b"", b"eae_prk", dh)
    return _labeled_expand(KEM_SUITE, prk, b"shared_secret", enc + public, 32)


def hpke_key_schedule(shared, info, aead=AES_256_GCM):
    """Key and nonce of sequence 0, in base mode."""
    suite = _hpke_suite(aead)
    context = b"\0" + _labeled_extract(suite, b"", b"psk_id_hash", b"") + _labeled_extract(suite, b"", b"info_hash", info)
    secret = _labeled_extract(suite, shared, b"secret", b"")
    return (_labeled_expand(suite, secret, b"key", context, aead[1]),
            _labeled_expand(suite, secret, b"base_nonce", context, 12))


def public_of(private):
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def private_bytes(private):
    return private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def _exchange(private, public):
    must(len(public) == 32 and int.from_bytes(public, "little") < X25519_P, "bad_key", "X25519 key")
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise Refused("bad_key", "X25519 key of low order")


def hpke_seal(public, info, aad, plain, aead=AES_256_GCM, ephemeral=None):
    """enc ‖ ciphertext. `ephemeral` is for the published vectors alone."""
    ephemeral = ephemeral or X25519PrivateKey.generate()
    enc = public_of(ephemeral)
    shared = _shared_secret(_exchange(ephemeral, public), enc, public)
    key, nonce = hpke_key_schedule(shared, info, aead)
    return enc + AESGCM(key).encrypt(nonce, plain, aad)


def hpke_open(private, info, aad, sealed, aead=AES_256_GCM):
    enc = sealed[:32]
    shared = _shared_secret(_exchange(private, enc), enc, public_of(private))
    key, nonce = hpke_key_schedule(shared, info, aead)
    try:
        return AESGCM(key).decrypt(nonce, sealed[32:], aad)
    except InvalidTag:
        raise Refused("unseal_failed", "wrap")


# ---- parcels --------------------------------------------------------------------------------------------------

def key_id(public):
    return H(b"comity-seal-key-id/v1\n", public)[:8]


def seal_hash(sealed, wraps, blobs):
    return H(b"comity-parcel/v1\n", lp(sealed), lp_list(wraps), lp_list(blobs))


def _parts(ck):
    parts = expand(ck, b"comity-seal-key/v1", 76)
    return parts[:32], parts[32:44], parts[44:]


def _aad(origin, recipients):
    return b"comity-seal/v1\n" + lp(origin) + b"".join(lp(member) for member in recipients)


def _wrap_info(origin, reader, kid):
    return b"comity-wrap/v1\n" + lp(origin) + lp(reader) + lp(kid)


def seal_openings(origin, sender, recipients, seal_keys, openings):
    """Seal the bytes of Openings. `seal_keys` maps each reader's member id to its public key. Gives sealed and the wraps."""
    ck = os.urandom(32)
    key, nonce, commitment = _parts(ck)
    sealed = commitment + AESGCM(key).encrypt(nonce, openings, _aad(origin, recipients))
    wraps = []
    for reader in list(recipients) + [sender]:
        public = seal_keys[reader]
        kid = key_id(public)
        wraps.append(kid + hpke_seal(public, _wrap_info(origin, reader, kid), H(sealed), ck))
    return sealed, wraps


def unseal_openings(origin, recipients, reader, private, place, sealed, wraps):
    """The bytes of Openings. `place` is the reader's place among the recipients, or their number for the sender itself."""
    must(len(wraps) == len(recipients) + 1, "malformed", "wraps")
    wrap = wraps[place]
    kid = key_id(public_of(private))
    must(len(wrap) == 88 and len(sealed) >= 48, "malformed", "sealed part")
    must(wrap[:8] == kid, "unseal_failed", "sealed for another key")
    ck = hpke_open(private, _wrap_info(origin, reader, kid), H(sealed), wrap[8:])
    key, nonce, commitment = _parts(ck)
    must(hmac.compare_digest(sealed[:32], commitment), "unseal_failed", "commitment")
    try:
        return AESGCM(key).decrypt(nonce, sealed[32:], _aad(origin, recipients))
    except InvalidTag:
        raise Refused("unseal_failed", "sealed part")

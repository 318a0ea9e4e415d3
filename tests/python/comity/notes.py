"""Signed notes, keys as text, checkpoints, and the notes of join, officer and signature (PROTOCOL.md, "Notes")."""
import base64
import binascii
import hashlib
import re
import time
from collections import namedtuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from comity.errors import Refused, must
from comity.seal import public_of

MAX_NOTE, MAX_SIGNATURES = 64 * 1024, 64
ED25519, COSIGNATURE = 1, 4

# The y of the points whose order divides 8 (RFC 8032's curve), besides their signs.
_P = 2**255 - 19
_Y8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_LOW_ORDER = {0, 1, _P - 1, _Y8, _P - _Y8}

Key = namedtuple("Key", "name type public")                  # a vkey
Checkpoint = namedtuple("Checkpoint", "origin size root note")


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("malformed", "base64")
    must(b64(data) == text, "malformed", "base64")
    return data


def now_text():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


# ---- keys -----------------------------------------------------------------------------------------------------

def check_public(public):
    must(len(public) == 32, "bad_key", "length")
    y = int.from_bytes(public, "little") & (2**255 - 1)
    must(y < _P and y not in _LOW_ORDER, "bad_key", "not canonical, or of low order")


def vkey_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey_text(name, public, kind=ED25519):
    return "%s+%s+%s" % (name, vkey_id(name, kind, public).hex(), b64(bytes([kind]) + public))


def vkey_parse(text):
    parts = text.split("+", 2)
    must(len(parts) == 3 and parts[0] and not re.search(r"[\s+]", parts[0]), "malformed", "vkey")
    data = unb64(parts[2])
    must(len(data) == 33 and data[0] in (ED25519, COSIGNATURE), "malformed", "vkey")
    check_public(data[1:])
    must(vkey_id(parts[0], data[0], data[1:]).hex() == parts[1], "malformed", "key id")
    return Key(parts[0], data[0], data[1:])


# ---- notes ------------------------------------------------------------------------------------------------------

def _signature_line(name, kind, public, signature):
    return "— %s %s\n" % (name, b64(vkey_id(name, kind, public) + signature))


def note_sign(text, *signers):
    """`signers` are pairs of a key name and an Ed25519 private key."""
    lines = [_signature_line(name, ED25519, public_of(key), key.sign(text.encode())) for name, key in signers]
    return (text + "\n" + "".join(lines)).encode()


def cosign_line(text, name, private, seconds):
    """C2SP tlog-cosignature: a line that vouches for a checkpoint at a time."""
    message = "cosignature/v1\ntime %d\n%s" % (seconds, text)
    return _signature_line(name, COSIGNATURE, public_of(private), seconds.to_bytes(8, "big") + private.sign(message.encode()))


def note_open(note):
    """Text, and signatures as (key name, key id, signature)."""
    must(len(note) <= MAX_NOTE, "too_large", "note")
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise Refused("malformed", "note")
    cut = whole.rfind("\n\n")
    must(cut > 0 and whole.endswith("\n") and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", whole), "malformed", "note")
    text, signatures = whole[:cut + 1], []
    for line in whole[cut + 2:].split("\n")[:-1]:
        parts = line.split(" ")
        must(len(parts) == 3 and parts[0] == "—" and parts[1], "malformed", "signature line")
        data = unb64(parts[2])
        must(len(data) > 4, "malformed", "signature line")
        signatures.append((parts[1], data[:4], data[4:]))
    must(0 < len(signatures) <= MAX_SIGNATURES, "malformed", "signatures")
    return text, signatures


def signed_by(note, key):
    """Whether the note bears a signature by `key`; one by its name and id that does not verify refuses the note."""
    text, signatures = note_open(note)
    found = False
    for name, kid, signature in signatures:
        if (name, kid) != (key.name, vkey_id(*key)):
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text.encode())
        except InvalidSignature:
            raise Refused("signature_invalid", key.name)
        found = True
    return found


def note_verify(note, key):
    """The text of a note that `key` has signed."""
    must(signed_by(note, key), "signature_invalid", "not signed by " + key.name)
    return note_open(note)[0]


def note_lines(text, title, count=None):
    lines = text[:-1].split("\n")
    must(lines[0] == title and all(lines) and (count is None or len(lines) == count + 1), "malformed", title)
    return lines[1:]


# ---- checkpoints ------------------------------------------------------------------------------------------------

def checkpoint_text(origin, size, root):
    return "%s\n%d\n%s\n" % (origin, size, b64(root))


def checkpoint_verify(note, key):
    """A checkpoint of the ledger whose key this is: the key's name is its origin."""
    lines = note_verify(note, key)[:-1].split("\n")
    must(len(lines) == 3 and lines[0] == key.name and re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]), "malformed", "checkpoint")
    root = unb64(lines[2])
    must(len(root) == 32, "malformed", "root")
    return Checkpoint(lines[0], int(lines[1]), root, note)


# ---- the notes that join, enrol and sign ---------------------------------------------------------------------

def join_note(member, name, origin, key, curve, seal):
    """What a new bureau hands to the authority."""
    lines = ["comity join v1", member, "bureau", name, vkey_text(origin, public_of(key)), "1", b64(curve), b64(seal), "-", "-"]
    return note_sign("\n".join(lines) + "\n", (origin, key))


def officer_key_name(origin, licence):
    return origin + "/officer/" + licence


def officer_note(origin, name, licence, key):
    signer = officer_key_name(origin, licence)
    lines = ["comity officer v1", origin, name, licence, vkey_text(signer, public_of(key))]
    return note_sign("\n".join(lines) + "\n", (signer, key))


def officer_verify(note, origin):
    """Licence, name and key of an officer of `origin` who enrols himself with this note."""
    lines = note_lines(note_open(note)[0], "comity officer v1", 4)
    key = vkey_parse(lines[3])
    must(lines[0] == origin and key.name == officer_key_name(origin, lines[2]), "malformed", "officer")
    note_verify(note, key)
    return lines[2], lines[1], key


def signature_note(origin, licence, role, kind, record_hash, key):
    lines = ["comity officer signature v1", origin, licence, role, str(kind), b64(record_hash), now_text()]
    return note_sign("\n".join(lines) + "\n", (officer_key_name(origin, licence), key))


def signature_licence(note):
    """Whose signature a note says that it is."""
    return note_lines(note_open(note)[0], "comity officer signature v1", 6)[1]


def signature_verify(note, key, origin, kind, record_hash):
    """Licence and role of a signature under a record (`kind` None: one that is not at hand). `key` is the officer's."""
    lines = note_lines(note_verify(note, key), "comity officer signature v1", 6)
    must(key.name == officer_key_name(origin, lines[1]) and lines[2] in ("collector", "approver", "reviewer"), "malformed", "signer")
    must(lines[0] == origin, "signature_invalid", "of another ledger")
    must(kind is None or (lines[3], unb64(lines[4])) == (str(kind), record_hash), "signature_invalid", "over something else")
    return lines[1], lines[2]

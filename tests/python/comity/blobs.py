"""Attachments: sealed blocks, and their way over the bulk socket (PROTOCOL.md, "Bulk" and "Blobs")."""
import hashlib
import os

import zmq
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity import pb
from comity.errors import Refused, must
from comity.seal import expand, u64
from comity.tree import inclusion, leaf_hash, root, root_from_inclusion

PLAIN_BLOCK, MAX_BULK_FRAME, AHEAD, GET_AT_ONCE, ASK_AFTER_S = 262128, 264 * 1024, 8, 64, 1.0


def count_of(length):
    return max(1, -(-length // PLAIN_BLOCK))


class Blob:
    """The key of one attachment, and the arithmetic of its blocks."""

    def __init__(self, length, sha256, secret):
        self.length, self.count = length, count_of(length)
        self.aead = AESGCM(expand(secret, b"comity-blob/v1\n" + sha256 + u64(length), 32))

    def seal(self, index, plain):
        return self.aead.encrypt(index.to_bytes(12, "big"), plain, None)

    def open(self, index, block):
        must(len(block) == min(PLAIN_BLOCK, self.length - index * PLAIN_BLOCK) + 16, "blob_mismatch", "length of a block")
        try:
            return self.aead.decrypt(index.to_bytes(12, "big"), block, None)
        except InvalidTag:
            raise Refused("blob_mismatch", "block %d" % index)

    def seal_all(self, plain):
        return [self.seal(i, plain[i * PLAIN_BLOCK:(i + 1) * PLAIN_BLOCK]) for i in range(self.count)]


def sealed_file(name, plain):
    """The File of a record, with a secret of its own, and the sealed blocks."""
    file = pb.record.File(name=name, len=len(plain), sha256=hashlib.sha256(plain).digest(), sm3=hashlib.new("sm3", plain).digest(),
                          secret=os.urandom(32))
    blocks = Blob(file.len, file.sha256, file.secret).seal_all(plain)
    file.blob = root([leaf_hash(block) for block in blocks])
    return file, blocks


class Bulk:
    """Moves what the bureau has to upload, and to fetch. Files lie beside the bureau's own, by SHA-256."""

    def __init__(self, bureau, socket, tell):
        self.bureau, self.socket, self.tell = bureau, socket, tell
        self.uploads, self.put, self.fetching = {}, {}, {}
        for blob, file in bureau.state["files"].items():
            if file["state"] == "upload" and file["accepted"]:
                self.uploads[blob] = self._sealed(file)
                self.send(ask={"blob": bytes.fromhex(blob)})
            elif file["state"] == "fetch":
                self._fetch(blob, file)

    def send(self, **body):
        self.socket.send(pb.encode(pb.session.BulkFrame(**body)))

    def waiting(self):
        return bool(self.uploads or self.fetching)

    def _sealed(self, file):
        with open(self.bureau.file_path(file["sha256"]), "rb") as f:
            return Blob(file["len"], bytes.fromhex(file["sha256"]), bytes.fromhex(file["secret"])).seal_all(f.read())

    def _fetch(self, blob, file):
        self.fetching.setdefault(blob, [])
        count = min(GET_AT_ONCE, count_of(file["len"]) - len(self.fetching[blob]))
        self.send(get={"blob": bytes.fromhex(blob), "from": len(self.fetching[blob]), "count": count})

    def on_have(self, have):
        blob = have.blob.hex()
        must(not have.token, have.token or "malformed", "blob " + blob)
        if blob in self.fetching:
            return                    # not there yet: asked again later
        blocks = self.uploads.get(blob)
        if blocks is None:
            return
        if have.complete:
            del self.uploads[blob]
            self.bureau.state["files"][blob]["state"] = "uploaded"
            self.tell({"event": "uploaded", "blob": blob})
            return
        leaves = [leaf_hash(block) for block in blocks]
        length = self.bureau.state["files"][blob]["len"]
        first = max(have.next, self.put.get(blob, 0))
        for index in range(first, min(have.next + AHEAD, len(blocks))):
            self.send(put={"blob": have.blob, "len": length, "index": index, "block": blocks[index], "proof": inclusion(leaves, index)})
            self.put[blob] = index + 1

    def on_data(self, data):
        blob = data.blob.hex()
        blocks = self.fetching.get(blob)
        if blocks is None or data.index != len(blocks):
            return
        file = self.bureau.state["files"][blob]
        cipher = Blob(file["len"], bytes.fromhex(file["sha256"]), bytes.fromhex(file["secret"]))
        must(root_from_inclusion(leaf_hash(data.block), data.index, cipher.count, data.proof) == data.blob, "proof_invalid", "block")
        blocks.append(cipher.open(data.index, data.block))
        if len(blocks) < cipher.count:
            if len(blocks) % GET_AT_ONCE == 0:
                self._fetch(blob, file)
            return
        del self.fetching[blob]
        self.bureau.file_arrived(blob, b"".join(blocks))
        self.tell({"event": "fetched", "blob": blob, "name": file["name"], "path": self.bureau.file_path(file["sha256"])})

    def ask_again(self):
        """After a silence: uploads that were not asked about or stalled, and what is not there yet."""
        for blob in self.uploads:
            self.put[blob] = 0
            self.send(ask={"blob": bytes.fromhex(blob)})
        for blob in list(self.fetching):
            self._fetch(blob, self.bureau.state["files"][blob])

    def turn(self):
        came = False
        for _ in range(64):
            try:
                parts = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            must(len(parts) == 1, "malformed", "frames")
            frame = pb.decode(pb.session.BulkFrame, parts[0], MAX_BULK_FRAME)
            kind = frame.WhichOneof("body")
            must(kind in ("have", "data"), "malformed", "a broker does not send this")
            getattr(self, "on_" + kind)(getattr(frame, kind))
            came = True
        if came:
            self.bureau.save()
        return came

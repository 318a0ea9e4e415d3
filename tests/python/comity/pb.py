"""The protobuf modules, generated from proto/*.proto, and the rule that a message is canonical.

COMITY_PB names the folder that they were generated into (`protoc --python_out`); without it they are made in a folder of our own.
"""
import glob
import os
import subprocess
import sys
import tempfile

from comity.errors import Refused

PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "proto")


def _modules():
    folder = os.environ.get("COMITY_PB")
    if folder:
        sys.path.insert(0, folder)
        return _load()
    with tempfile.TemporaryDirectory(prefix="comity-pb-") as made:
        files = sorted(glob.glob(os.path.join(PROTO, "*.proto")))
        subprocess.run(["protoc", "--proto_path=" + PROTO, "--python_out=" + made] + files, check=True)
        sys.path.insert(0, made)
        try:
            return _load()
        finally:
            sys.path.remove(made)


def _load():
    import ledger_pb2
    import parcel_pb2
    import record_pb2
    import roster_pb2
    import session_pb2
    return ledger_pb2, parcel_pb2, record_pb2, roster_pb2, session_pb2


ledger, parcel, record, roster, session = _modules()


def _has_empty_optional(message):
    """Looks at every field, and so also at every string: proto2 lets bytes pass that are no UTF-8. ValueError."""
    for field, value in message.ListFields():
        repeated = field.label == field.LABEL_REPEATED
        if field.type == field.TYPE_STRING and not all(isinstance(part, str) for part in (value if repeated else [value])):
            raise ValueError("no text")
        if field.type == field.TYPE_MESSAGE:
            if any(_has_empty_optional(part) for part in (value if repeated else [value])):
                return True
        elif field.type in (field.TYPE_BYTES, field.TYPE_STRING) and field.label == field.LABEL_OPTIONAL and not value:
            return True
    return False


def decode(kind, data, limit=None):
    """The message that `data` holds; refused when it is too large, or is not what its own re-encoding gives."""
    if limit is not None and len(data) > limit:
        raise Refused("too_large", kind.DESCRIPTOR.name)
    message = kind()
    try:
        message.ParseFromString(data)
    except Exception as problem:
        raise Refused("malformed", "%s: %s" % (kind.DESCRIPTOR.name, problem))
    if not message.IsInitialized():
        raise Refused("malformed", kind.DESCRIPTOR.name)
    message.DiscardUnknownFields()
    try:
        is_canonical = message.SerializeToString() == data and not _has_empty_optional(message)
    except ValueError:
        raise Refused("malformed", kind.DESCRIPTOR.name + ": a string that is no text")
    if not is_canonical:
        raise Refused("not_canonical", kind.DESCRIPTOR.name)
    return message


def encode(message):
    return message.SerializeToString()

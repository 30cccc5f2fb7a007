"""DSSE, the envelope of in-toto: what is signed, and how a signature is handed on.

https://github.com/secure-systems-lab/dsse/blob/master/protocol.md and envelope.md there. The `keyid` is
the SHA-256, in hex, of the 32 bytes of the Ed25519 public key: a hint of which key to try, no proof.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import msgspec

from keyaudit.evidence.layout import PAYLOAD_TYPE

KEY_SIZE, SIGNATURE_SIZE = 32, 64
"""Bytes of an Ed25519 public key and signature (RFC 8032)."""


def canonical(document: Any) -> bytes:
    """Print plain data as JSON with sorted keys, no spaces, UTF-8 and no newline at its end."""
    return msgspec.json.encode(document, order="sorted")


def encoded(payload: bytes) -> bytes:
    """Give the bytes that a signature covers: the pre-authentication encoding of a payload."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def key_id(public_key: bytes) -> str:
    """Name an Ed25519 key by the SHA-256, in hex, of its 32 raw bytes."""
    return hashlib.sha256(public_key).hexdigest()


def envelope(payload: bytes, key: str, signature: bytes) -> bytes:
    """Print the envelope of one signature."""
    signatures = [{"keyid": key, "sig": base64.b64encode(signature).decode()}]
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": signatures,
    }
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()

"""Who signed a manifest: what the signature covers, whether it fits, and whether its key is trusted.

A bundle brings the public key of its signer along. That a signature fits it proves nothing: whoever
changes a bundle brings another key. Only a key that the reader has from somebody else does.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

import msgspec

from keyaudit.errors import MissingExtraError
from keyaudit.evidence import dsse, layout, ssh_signatures
from keyaudit.evidence.checking import Manifest
from keyaudit.evidence.dsse import key_id
from keyaudit.evidence.opening import Opened
from keyaudit.evidence.trust import Trust, read_pem
from keyaudit.evidence.verification import Check, Statement, few, fits, left_open, wrong

OF_ED25519 = (layout.ENVELOPE, layout.ENCODED, layout.RAW_SIGNATURE, layout.PUBLIC_KEY)
OF_SSH = (layout.SSH_SIGNATURE, layout.SSH_PUBLIC_KEY)
ED25519, SSH, NONE = "ed25519", "ssh", "none"


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    payload_type: str = msgspec.field(name="payloadType")
    signatures: tuple[_Signature, ...]


class _NotSoundError(Exception):
    """A file of a signature is not what it must be; the message says which and why."""


def check_signature(found: Opened, said: Manifest, trust: Trust) -> Iterator[Statement]:
    """Check every signature that a bundle has, and whose it is."""
    present = [kind for kind, files in ((ED25519, OF_ED25519), (SSH, OF_SSH)) if found.names & set(files)]
    yield from _as_claimed(said, present)
    if ED25519 in present:
        yield from _ed25519(found, said, trust)
    if SSH in present:
        yield from _ssh(found, said, trust)
    if not present:
        text = "nobody signed it: whoever changed it could have made every digest fit again"
        yield (wrong if trust.given else left_open)(Check.SIGNATURE, text)


def _as_claimed(said: Manifest, present: list[str]) -> Iterator[Statement]:
    """Compare what the manifest says of its signer with the signatures that are there."""
    signer = said.predicate.get("signer")
    claimed = signer.get("kind") if isinstance(signer, dict) else None
    if claimed in {ED25519, SSH} and claimed not in present:
        yield wrong(
            Check.SIGNATURE, f"its signature was taken away: the manifest says that it has one, {claimed}"
        )
    for kind in present:
        if claimed == NONE:
            yield wrong(Check.SIGNATURE, "the manifest says that nobody signs it, and a signature is there")
        elif kind != claimed:
            yield wrong(
                Check.SIGNATURE, f"a signature was added: the manifest does not say that it has one, {kind}"
            )


def _ed25519(found: Opened, said: Manifest, trust: Trust) -> Iterator[Statement]:
    try:
        raw, signature = _envelope(found, said)
    except _NotSoundError as error:
        yield wrong(Check.SIGNATURE, str(error))
        return
    yield from _key(said, raw, trust)
    if _verifies(raw, signature, dsse.encoded(said.content)):
        yield fits(Check.SIGNATURE, f"the manifest was signed by the Ed25519 key {key_id(raw)}")
    else:
        yield wrong(
            Check.SIGNATURE, f"the signature is not of the key in {layout.PUBLIC_KEY} over this manifest"
        )


def _envelope(found: Opened, said: Manifest) -> tuple[bytes, bytes]:
    """Give the key that signed, by the bundle's own word, and the signature; raises _NotSoundError."""
    files = {name: _content(found, name) for name in OF_ED25519}
    try:
        envelope = msgspec.json.decode(files[layout.ENVELOPE], type=_Envelope)
        payload = base64.b64decode(envelope.payload, validate=True)
        [one] = envelope.signatures
        signature = base64.b64decode(one.sig, validate=True)
    except (msgspec.DecodeError, UnicodeError, RecursionError, binascii.Error, ValueError):
        raise _NotSoundError(f"{layout.ENVELOPE} is no envelope with one signature") from None
    if payload != said.content or envelope.payload_type != layout.PAYLOAD_TYPE:
        raise _NotSoundError(f"what {layout.ENVELOPE} has signed is not {layout.MANIFEST}")
    raw = read_pem(files[layout.PUBLIC_KEY])
    if raw is None or _pem(raw) != files[layout.PUBLIC_KEY]:
        raise _NotSoundError(f"{layout.PUBLIC_KEY} is no Ed25519 public key, in the one form it can have")
    if one.keyid != key_id(raw):
        raise _NotSoundError(f"{layout.PUBLIC_KEY} is not the key that {layout.ENVELOPE} names")
    if files[layout.RAW_SIGNATURE] != signature:
        raise _NotSoundError(f"{layout.RAW_SIGNATURE} is not the signature in {layout.ENVELOPE}")
    if files[layout.ENCODED] != dsse.encoded(said.content):
        raise _NotSoundError(f"{layout.ENCODED} is not {layout.MANIFEST} as DSSE encodes it for a signature")
    if files[layout.ENVELOPE] != dsse.envelope(said.content, key_id(raw), signature):
        raise _NotSoundError(f"{layout.ENVELOPE} is not in the one form it can have")
    return raw, signature


def _pem(raw: bytes) -> bytes:
    """Write an Ed25519 public key as every program does (RFC 8410, RFC 7468)."""
    body = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + raw)
    return b"-----BEGIN PUBLIC KEY-----\n%b\n-----END PUBLIC KEY-----\n" % body


def _verifies(raw: bytes, signature: bytes, message: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise MissingExtraError("sign", "checking a signature") from None
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _key(said: Manifest, raw: bytes, trust: Trust) -> Iterator[Statement]:
    signer = said.predicate.get("signer")
    named = signer.get("key_id") if isinstance(signer, dict) else None
    if named is not None and named != key_id(raw):
        yield wrong(Check.KEY, f"it was signed by the key {key_id(raw)}; the manifest names another")
    trusted = [key.raw for key in trust.keys if key.raw is not None]
    if raw in trusted:
        yield fits(Check.KEY, "the key that signed is the one that you trust")
    elif trusted:
        listed = few([key_id(each) for each in trusted])
        yield wrong(
            Check.KEY, f"it was signed by another key, {key_id(raw)}, than the one that you trust, {listed}"
        )
    else:
        text = (
            f"its signature fits a key that nobody vouched for, {key_id(raw)}: --key names the one you trust"
        )
        yield left_open(Check.KEY, text)


def _ssh(found: Opened, said: Manifest, trust: Trust) -> Iterator[Statement]:
    try:
        armoured, line = (_content(found, name) for name in OF_SSH)
    except _NotSoundError as error:
        yield wrong(Check.SIGNATURE, str(error))
        return
    yield from ssh_signatures.check(said, armoured, line, trust)


def _content(found: Opened, name: str) -> bytes:
    try:
        return found.read(name)
    except OSError as error:
        why = "is missing" if name not in found.names else f"cannot be read: {error.strerror or error}"
        raise _NotSoundError(f"{name} {why}") from None

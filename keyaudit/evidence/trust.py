"""Whose signature a reader trusts: keys and signers that come from somewhere else than the bundle."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from struct import Struct

from keyaudit.errors import MissingExtraError, UsageError

SSH_ED25519 = b"ssh-ed25519"
_LENGTH = Struct(">I")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key as SSH writes it: its kind (`ssh-ed25519`, …) and its blob."""

    kind: bytes
    blob: bytes

    @property
    def raw(self) -> bytes | None:
        """The 32 bytes of an Ed25519 key; None for another kind."""
        heading = string(SSH_ED25519) + _LENGTH.pack(32)
        raw = self.blob.removeprefix(heading)
        return raw if self.kind == SSH_ED25519 and len(raw) == 32 and self.blob == heading + raw else None

    @property
    def line(self) -> str:
        """What stands in a .pub file, without a comment."""
        return f"{self.kind.decode()} {base64.b64encode(self.blob).decode()}"

    @property
    def fingerprint(self) -> str:
        """What `ssh-keygen -lf` prints of it."""
        return "SHA256:" + base64.b64encode(sha256(self.blob).digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Trust:
    """Public keys that a reader trusts, and a file of signers with the one identity that must have signed."""

    keys: tuple[PublicKey, ...] = ()
    allowed_signers: Path | None = None
    identity: str | None = None

    @property
    def given(self) -> bool:
        """Whether the reader named anybody."""
        return bool(self.keys) or self.allowed_signers is not None


def of_ed25519(raw: bytes) -> PublicKey:
    """Give the 32 bytes of an Ed25519 key as SSH writes them (RFC 8709)."""
    return PublicKey(SSH_ED25519, string(SSH_ED25519) + string(raw))


def read_key(file: Path) -> PublicKey:
    """Read a public key that the reader trusts: PEM (Ed25519) or the line of a .pub file (any SSH key).

    Raises UsageError for anything else, and for a private key, which nobody needs for this.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"--key {file}: {error.strerror}") from None
    if b"PRIVATE KEY" in content:
        raise UsageError(f"--key {file}: is a private key", hint="give its public key; a .pub or a .pem file")
    if b"-----BEGIN PUBLIC KEY-----" in content:
        raw = read_pem(content)
        found = None if raw is None else of_ed25519(raw)
    else:
        found = ssh_line(content)
    if found is None:
        hint = "a PEM file of an Ed25519 public key, or one line of a .pub file"
        raise UsageError(f"--key {file}: is no public key that a bundle can be signed with", hint=hint)
    return found


def read_pem(content: bytes) -> bytes | None:
    """Give the 32 bytes of an Ed25519 public key in PEM; None for anything else.

    Raises MissingExtraError without `cryptography`.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise MissingExtraError("sign", "checking a signature") from None
    try:
        found = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return found.public_bytes_raw() if isinstance(found, Ed25519PublicKey) else None


def ssh_line(content: bytes) -> PublicKey | None:
    """Read one line of a .pub file; None for anything else."""
    parts = content.strip().split(maxsplit=2)
    if len(parts) < 2 or b"\n" in content.strip():
        return None
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except binascii.Error:
        return None
    if not parts[0].isascii() or not blob.startswith(string(parts[0])):
        return None
    return PublicKey(parts[0], blob)


def string(content: bytes) -> bytes:
    """Write bytes behind their length, as SSH does (RFC 4251, 5)."""
    return _LENGTH.pack(len(content)) + content

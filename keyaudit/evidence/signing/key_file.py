"""An Ed25519 private key in a file: PKCS#8 as PEM, or what `ssh-keygen -t ed25519` writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from keyaudit.errors import UsageError
from keyaudit.evidence.signing.ed25519 import NEEDED, Ed25519Signer, cryptography, raw_public

LARGEST = 64 * 1024
"""Bytes; a key has some hundred."""
_SSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"


def open_key(file: Path, passphrase: Callable[[], bytes | None]) -> Ed25519Signer:
    """Read a private key; `passphrase` is asked only for one that is encrypted.

    Raises UsageError for a file that cannot be read, that is no such key, or that the passphrase does not
    open, and MissingExtraError. Nothing of the file's content is ever in a message.
    """
    try:
        with file.open("rb") as handle:
            content = handle.read(LARGEST)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", hint="--sign-key names a private key") from None
    key = _loaded(content, file, passphrase)
    public = raw_public(key.public_key(), str(file))
    return Ed25519Signer(public, "file", key.sign)


def _loaded(content: bytes, file: Path, passphrase: Callable[[], bytes | None]) -> Any:
    formats = cryptography("hazmat.primitives.serialization")
    load = formats.load_ssh_private_key if _SSH in content else formats.load_pem_private_key
    unsupported = cryptography("exceptions").UnsupportedAlgorithm
    try:
        return load(content, None)
    except TypeError:  # it is encrypted
        pass
    except (ValueError, unsupported):
        raise UsageError(f"{file}: no private key that can be read", hint=NEEDED) from None
    given = passphrase()
    if not given:
        hint = "type it, or hand it over by --passphrase-fd"
        raise UsageError(f"{file}: the key is encrypted, and no passphrase was given", hint=hint)
    try:
        return load(content, given)
    except (ValueError, TypeError):
        raise UsageError(f"{file}: this passphrase does not open the key") from None
    except unsupported:
        hint = f"openssl pkcs8 writes one that can be, or: --sign-ssh {file}"
        raise UsageError(f"{file}: encrypted in a way that cannot be read here", hint=hint) from None

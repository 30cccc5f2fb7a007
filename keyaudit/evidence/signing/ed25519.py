"""Ed25519 over DSSE, wherever the private key is: the same files beside the manifest."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keyaudit.errors import MissingExtraError, UsageError
from keyaudit.evidence import dsse, layout

KIND = "ed25519"


def cryptography(module: str) -> Any:
    """Import a module of the package cryptography; raises MissingExtraError."""
    try:
        return importlib.import_module(f"cryptography.{module}")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == "cryptography":
            raise MissingExtraError("sign", "signing a bundle with Ed25519") from None
        raise


@dataclass(frozen=True)
class Ed25519Signer:
    """Signs with a key whose 32 public bytes are known. `ask` gives the 64 bytes of a signature."""

    public_key: bytes
    place: str
    ask: Callable[[bytes], bytes] = field(repr=False)
    kind: str = KIND

    @property
    def key_id(self) -> str:
        """The SHA-256 of the public key, in hex."""
        return dsse.key_id(self.public_key)

    def sign(self, manifest: bytes) -> Mapping[str, bytes]:
        """Sign, and look at once whether the signature fits the key.

        Raises UsageError for one that does not, and what `ask` raises.
        """
        message = dsse.encoded(manifest)
        signature = self.ask(message)
        public = cryptography("hazmat.primitives.asymmetric.ed25519").Ed25519PublicKey
        key = public.from_public_bytes(self.public_key)
        try:
            key.verify(signature, message)
        except cryptography("exceptions").InvalidSignature:
            hint = "the key may have been replaced meanwhile: run the scan again"
            raise UsageError("the signature does not fit the public key", hint=hint) from None
        formats = cryptography("hazmat.primitives.serialization")
        pem: bytes = key.public_bytes(formats.Encoding.PEM, formats.PublicFormat.SubjectPublicKeyInfo)
        return {
            layout.ENVELOPE: dsse.envelope(manifest, self.key_id, signature),
            layout.ENCODED: message,
            layout.RAW_SIGNATURE: signature,
            layout.PUBLIC_KEY: pem,
        }


def raw_public(key: Any, whose: str) -> bytes:
    """Give the 32 bytes of a public key of cryptography's; raises UsageError for any but Ed25519."""
    if not isinstance(key, cryptography("hazmat.primitives.asymmetric.ed25519").Ed25519PublicKey):
        raise UsageError(f"{whose}: no Ed25519 key", hint=NEEDED)
    raw: bytes = key.public_bytes_raw()
    return raw


NEEDED = "bundles are signed with Ed25519; openssl genpkey -algorithm ed25519 -out KEY.pem makes such a key"

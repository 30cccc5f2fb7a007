"""Who signs a bundle: a key in a file, one that ssh-keygen can use, or one that never leaves a KMS.

A signer knows its public key before anything is signed, so that the reports which lie in the bundle can
name it. Nothing else under `keyaudit.evidence` may reach a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from keyaudit.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a KMS is found by: the environment, and an address in place of the service's own."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    endpoint: str | None = None


class Signer(Protocol):
    """Signs one manifest."""

    @property
    def kind(self) -> str:
        """`ed25519` or `ssh`, as the steps by hand call it."""

    @property
    def key_id(self) -> str:
        """The fingerprint of its public key: see `dsse.key_id`; of SSH what `ssh-keygen -lf` prints."""

    @property
    def place(self) -> str:
        """Say what holds the key: `file`, `ssh-keygen`, `awskms`, `gcpkms` or `hashivault`; never where."""

    def sign(self, manifest: bytes) -> Mapping[str, bytes]:
        """Give the files that go beside the manifest, by name; raises UsageError where it cannot sign."""


SCHEMES = ("awskms", "gcpkms", "hashivault")


def open_kms(uri: str, surroundings: Surroundings) -> Signer:
    """Find the key that a URI names, and ask for its public part.

    Raises UsageError for another URI, a key that is none for Ed25519 or cannot be asked, MissingExtraError.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in SCHEMES or not rest.strip("/"):
        forms = "awskms:///KEY-ARN, gcpkms://projects/…/cryptoKeyVersions/N or hashivault://KEY"
        near = did_you_mean(scheme, SCHEMES) if separator else ""
        raise UsageError(f"{uri}: no key of a KMS{near}", hint=forms)
    if scheme == "awskms":
        from keyaudit.evidence.signing.aws_kms import open_key as aws

        return aws(rest, surroundings)
    if scheme == "gcpkms":
        from keyaudit.evidence.signing.google_kms import open_key as google

        return google(rest, surroundings)
    from keyaudit.evidence.signing.vault_transit import open_key as vault

    return vault(rest, surroundings)

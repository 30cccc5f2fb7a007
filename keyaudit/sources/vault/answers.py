"""Vault's answers, decoded into just the fields that an audit needs.

Field meanings: the API documentation of Vault and OpenBao. What is not named here is never decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from keyaudit.sources.pulling.decoding import decoded
from keyaudit.sources.pulling.pages import reread
from keyaudit.sources.vault.client import Vault
from keyaudit.times import LONGEST_DURATION, SECOND, parse_duration, parse_instant

NEVER = "0001-01-01T"
"""How Go writes that there is no time."""

Data = TypeVar("Data")
Duration = int | float | str | None
"""Seconds, or a text such as 24h."""


class Envelope(msgspec.Struct, Generic[Data], frozen=True):
    """What every answer comes in."""

    data: Data


class Keys(msgspec.Struct, frozen=True):
    """The names at one level; those of folders end in a slash."""

    keys: list[str]


class KvVersion(msgspec.Struct, frozen=True, gc=False):
    """One version of a secret: `deletion_time` is empty, or may lie in the future."""

    created_time: str
    deletion_time: str = ""
    destroyed: bool = False


class KvMetadata(msgspec.Struct, frozen=True, gc=False):
    """A secret without its values; `current_version` is 0 where none was ever written."""

    created_time: str
    updated_time: str
    current_version: int
    versions: dict[str, KvVersion]
    custom_metadata: dict[str, Any] | None = None


class Bulk(msgspec.Struct, frozen=True):
    """OpenBao's recursive list: every path below, with what a read of each would say."""

    keys: list[str]
    key_info: dict[str, msgspec.Raw] = {}


class StaticRole(msgspec.Struct, frozen=True, gc=False):
    """An account whose password, or key, an engine rotates. OpenBao may have renamed the date."""

    last_vault_rotation: str | None = None
    last_openbao_rotation: str | None = None
    rotation_period: Duration = None
    rotation_schedule: str | None = None
    rotation_window: Duration = None
    disable_automated_rotation: bool = False
    credential_type: str | None = None
    secret_type: str | None = None


class AsymmetricKey(msgspec.Struct, frozen=True, gc=False):
    """One version of a key pair; its public half is not decoded."""

    creation_time: str


class TransitKey(msgspec.Struct, frozen=True, gc=False):
    """A key of transit: `keys` has the versions that still decrypt, each with when it was made."""

    type: str
    keys: dict[str, int | AsymmetricKey]
    latest_version: int
    min_decryption_version: int = 1
    min_encryption_version: int = 0
    min_available_version: int = 0
    auto_rotate_period: Duration = None
    soft_deleted: bool = False
    custom_metadata: dict[str, Any] | None = None


class SecretId(msgspec.Struct, frozen=True, gc=False):
    """What an accessor tells of a secret id."""

    creation_time: str
    expiration_time: str = ""


class MountInfo(msgspec.Struct, frozen=True, gc=False):
    """A mount as the server lists it; `options` has the version of a kv engine, as text."""

    type: str
    options: dict[str, Any] | None = None


class Visible(msgspec.Struct, frozen=True):
    """The mounts that a token can do anything with."""

    secret: dict[str, MountInfo]
    auth: dict[str, MountInfo] = {}


Mounts = dict[str, MountInfo]


def decoder(kind: type[Data]) -> msgspec.json.Decoder[Envelope[Data]]:
    """Make what reads an answer of one kind."""
    return msgspec.json.Decoder(Envelope[kind])  # type: ignore[valid-type]


KEYS = decoder(Keys)


def read(answer: bytes, kind: msgspec.json.Decoder[Envelope[Data]]) -> Data:
    """Decode an answer; raises RefusedError (`unreadable`)."""
    return decoded(answer, kind).data


def asked(
    vault: Vault, verb: str, path: str, kind: msgspec.json.Decoder[Envelope[Data]], **options: Any
) -> Data:
    """Ask for one thing until it can be read; raises RefusedError."""
    return reread(lambda: vault.ask(verb, path, **options), lambda answer: read(answer, kind))


def names(vault: Vault, path: str) -> list[str]:
    """List the names at one level. Raises RefusedError, `gone` for a level with nothing in it."""
    return asked(vault, "LIST", path, KEYS).keys


def instant(text: str | None) -> int | None:
    """Read a time to the microsecond; raises ValueError for what is none."""
    return None if not text or text.startswith(NEVER) else parse_instant(text)


def duration(value: Duration) -> int:
    """Read a duration, 0 for none, as microseconds; raises ValueError for what is none."""
    if isinstance(value, str):
        text = value.strip()
        if not (text.isascii() and text.isdigit()):
            return parse_duration(text or "0s")
        value = int(text)
    span = round((value or 0) * SECOND)
    if not 0 <= span <= LONGEST_DURATION:
        raise ValueError("longer than a hundred years")
    return span


def texts(found: dict[str, Any] | None) -> dict[str, str]:
    """Give what is text in `custom_metadata`, which is for people to fill."""
    return {key: value for key, value in (found or {}).items() if isinstance(value, str)}


def batches(items: Sequence[str], size: int) -> list[Sequence[str]]:
    """Cut a list into parts, so that a long one shows progress."""
    return [items[start : start + size] for start in range(0, len(items), size)]

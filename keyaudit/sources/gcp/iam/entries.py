"""Service accounts and keys as IAM lists them; free text and key material are not even read."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from keyaudit.times import SECOND

NEVER = 253_370_764_800 * SECOND
"""The year 9999: what IAM says of a key that does not expire."""

_NAME = re.compile(r"[!-~]{1,500}")
_EARLIEST = -62_135_596_800
_LATEST = 253_402_300_799
"""Seconds of the years 1 and 9999, all that a Timestamp may hold."""


class Account(msgspec.Struct, frozen=True):
    """A service account; `name` is `projects/ID/serviceAccounts/EMAIL`."""

    name: str
    email: str
    unique_id: str
    disabled: bool


class Key(msgspec.Struct, frozen=True):
    """A key that users made. `uploaded`: they brought the public half, with dates of their own choice."""

    id: str
    valid_after: int
    valid_before: int | None
    disabled: bool
    uploaded: bool


def account_of(message: Any) -> Account:
    """Read a ServiceAccount. Raises ValueError without a name or an address."""
    if not all(map(_NAME.fullmatch, (message.name, message.email))):
        raise ValueError("not a service account")
    return Account(message.name, message.email, message.unique_id, message.disabled)


def key_of(message: Any) -> Key:
    """Read a ServiceAccountKey. Raises ValueError without a name or with times that make no sense."""
    identifier = message.name.rpartition("/keys/")[2]
    if not _NAME.fullmatch(identifier) or not message.HasField("valid_after_time"):
        raise ValueError("not a key")
    before = micros(message.valid_before_time) if message.HasField("valid_before_time") else None
    return Key(
        id=identifier,
        valid_after=micros(message.valid_after_time),
        valid_before=None if before is None or before >= NEVER else before,
        disabled=message.disabled,
        uploaded=_origin(message) == "USER_PROVIDED",
    )


def is_users_own(message: Any) -> bool:
    """Say whether users made a key: Google rotates its own, and they are not asked for."""
    return _name(message, "key_type") == "USER_MANAGED"


def micros(timestamp: Any) -> int:
    """Give a Timestamp exactly, cut to the microsecond. Raises ValueError outside its range."""
    if not (_EARLIEST <= timestamp.seconds <= _LATEST and 0 <= timestamp.nanos < 1_000_000_000):
        raise ValueError("no time")
    return int(timestamp.seconds) * SECOND + int(timestamp.nanos) // 1000


def _origin(message: Any) -> str:
    return _name(message, "key_origin")


def _name(message: Any, field: str) -> str:
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(getattr(message, field))
    return value.name if value is not None else ""

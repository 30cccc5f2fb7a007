"""The credential report: one CSV file about all users of an account, which IAM writes when asked.

    user,arn,user_creation_time,…,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,…

* IAM keeps a report for four hours and gives it again; `generated` says how old it is.
* It has two slots a user for access keys, without their ids. A slot without a key says N/A. AWS's guide
  says that of inactive keys too, but they keep their dates in the reports that it writes. Which key
  is in which slot is not promised, and what a user has beyond two keys is only counted.
* `last_rotated` is when the key was created "or last changed", so no age; `last_used_date` is to
  fifteen minutes.
* The root user comes first, as <root_account>; nothing else lists its keys.

The columns about passwords, MFA devices and certificates are not read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keyaudit.sources.aws.refusals import promised, refusing
from keyaudit.sources.pulling.pages import reread
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.times import from_datetime, parse_instant

ROOT = "<root_account>"
POLL_EVERY = 2.0
WAIT_AT_MOST = 60.0
"""Seconds, until a report is given up that IAM does not finish."""

_NOTHING = frozenset({"", "N/A", "no_information", "not_supported"})
_NEEDED = frozenset(
    {"user", "arn", "user_creation_time"}
    | {f"access_key_{n}_{name}" for n in (1, 2) for name in ("active", "last_rotated", "last_used_date")}
)


@dataclass(frozen=True, slots=True)
class Slot:
    """An access key as the report shows it: no id; `used` is None while no use is recorded."""

    number: int
    active: bool
    changed: int
    used: int | None


@dataclass(frozen=True, slots=True)
class User:
    """A user; `slots` is None where no report tells of its keys."""

    name: str
    arn: str
    created: int
    slots: tuple[Slot, ...] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says of access keys; `unreadable` counts rows that do not even name a user."""

    generated: int
    users: list[User]
    root: User | None
    unreadable: int = 0


def fetch_report(client: Any, rest: Callable[[float], None]) -> Report:
    """Have a report written if there is none from the last four hours, and read it.

    `rest` waits, in seconds. Raises RefusedError, also for one that is not ready in a minute.
    """
    waited = 0.0
    if not _generate(client):
        rest(POLL_EVERY)
        waited += POLL_EVERY
    while (report := reread(lambda: client, _get)) is None:
        if waited >= WAIT_AT_MOST:
            raise RefusedError(Kind.OTHER, saying=f"not ready after {WAIT_AT_MOST:.0f} seconds")
        rest(POLL_EVERY)
        waited += POLL_EVERY
    return report


def _generate(client: Any) -> bool:
    with refusing():
        return bool(client.generate_credential_report().get("State") == "COMPLETE")


def _get(client: Any) -> Report | None:
    """Read the report; None while it is not ready, or came of age since it was found."""
    with refusing():
        try:
            answer = client.get_credential_report()
        except client.exceptions.CredentialReportNotReadyException:
            return None
        except (
            client.exceptions.CredentialReportNotPresentException,
            client.exceptions.CredentialReportExpiredException,
        ):
            client.generate_credential_report()
            return None
    return read_report(promised(answer, "Content"), from_datetime(promised(answer, "GeneratedTime")))


def read_report(content: bytes, generated: int) -> Report:
    """Read the CSV; raises RefusedError if that is not what it is."""
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        if not set(rows.fieldnames or ()) >= _NEEDED:
            raise RefusedError(Kind.UNREADABLE)
        users = [_user(row) for row in rows]
    except (UnicodeDecodeError, csv.Error):
        raise RefusedError(Kind.UNREADABLE) from None
    known = [user for user in users if user is not None]
    return Report(
        generated,
        [user for user in known if user.name != ROOT],
        next((user for user in known if user.name == ROOT), None),
        len(users) - len(known),
    )


def _user(row: Mapping[str, Any]) -> User | None:
    """Read a row; one whose keys cannot be read is left to be asked about one by one."""
    name, arn = row["user"], row["arn"]
    try:
        created = _instant(row["user_creation_time"])
    except ValueError:
        return None
    if not name or not arn or created is None:
        return None
    try:
        slots = tuple(slot for number in (1, 2) if (slot := _slot(row, number)) is not None)
    except ValueError:
        return User(name, arn, created)
    return User(name, arn, created, slots)


def _slot(row: Mapping[str, Any], number: int) -> Slot | None:
    active, changed, used = (
        row[f"access_key_{number}_{name}"] for name in ("active", "last_rotated", "last_used_date")
    )
    is_active = {"true": True, "false": False}.get(str(active).lower())
    changed_at = _instant(changed)
    if is_active is None or (changed_at is None and is_active):
        raise ValueError("no such slot")
    return None if changed_at is None else Slot(number, is_active, changed_at, _instant(used))


def _instant(text: object) -> int | None:
    """Read a time; None where the report says that there is none. Raises ValueError, also for a short row."""
    if not isinstance(text, str):
        raise ValueError("the row is cut short")  # noqa: TRY004
    return None if text.strip() in _NOTHING else parse_instant(text.strip())

"""What the policies of an advanced parameter say: when it is deleted, and when somebody is reminded.

A NoChangeNotification is sent when a parameter was not changed for so long, counted from its
`LastModifiedDate`: a reminder to rotate, which a new version sets back. Of several the first counts.
An ExpirationNotification only announces what the Expiration says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from keyaudit.sources.aws.schedules import rate
from keyaudit.sources.aws.ssm.lists import InlinePolicy
from keyaudit.times import DAY, HOUR, LONGEST_DURATION, from_datetime

_UNITS = {"days": DAY, "hours": HOUR}


class _Attributes(msgspec.Struct, frozen=True):
    timestamp: str | None = msgspec.field(name="Timestamp", default=None)
    after: str | int | None = msgspec.field(name="After", default=None)
    unit: str | None = msgspec.field(name="Unit", default=None)


class _Policy(msgspec.Struct, frozen=True):
    kind: str = msgspec.field(name="Type")
    attributes: _Attributes = msgspec.field(name="Attributes")


@dataclass(frozen=True, slots=True)
class Policies:
    """`expires_at`; after how long without a change a reminder is sent; how many could not be read."""

    expires_at: int | None = None
    reminder: int | None = None
    unreadable: int = 0


def read_policies(policies: Sequence[InlinePolicy] | None) -> Policies:
    """Read the texts of the policies; of an expiry that cannot be read nobody can say when it is."""
    expiries: list[int] = []
    reminders: list[int] = []
    unreadable = 0
    for inline in policies or ():
        try:
            policy = msgspec.json.decode(inline.text, type=_Policy)
            if policy.kind == "Expiration":
                expiries.append(_instant(policy.attributes))
            elif policy.kind == "NoChangeNotification":
                reminders.append(_span(policy.attributes))
        except (ValueError, RecursionError):
            unreadable += 1
    return Policies(min(expiries, default=None), min(reminders, default=None), unreadable)


def schedule(reminder: int) -> str:
    """Write a reminder as the schedules of AWS are written."""
    unit, name = (DAY, "day") if reminder % DAY == 0 else (HOUR, "hour")
    return rate(reminder // unit, name)


def _instant(attributes: _Attributes) -> int:
    """Read a time as AWS takes one: its documentation has an example whose offset has seconds."""
    return from_datetime(datetime.fromisoformat(attributes.timestamp or ""))


def _span(attributes: _Attributes) -> int:
    text, unit = str(attributes.after), _UNITS.get((attributes.unit or "").lower())
    if unit is None or not (text.isascii() and text.isdigit()):
        raise ValueError("no such time")
    span = int(text[:9]) * unit
    if not 0 < span <= LONGEST_DURATION or len(text) > 9:
        raise ValueError("no such time")
    return span

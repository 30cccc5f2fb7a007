"""What a trend is made of. Instants and durations are int microseconds; `None` is "not known"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from statistics import median_low

BY = ("environment", "owner", "class", "source")
"""What credentials can be grouped by."""
Group = str | None
"""A value of that; None where a credential has none."""
OVERDUE = ("KA101", "KA102")
"""The rules whose failure, without a waiver, is being overdue."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Levels at an instant, and what happened since the figures before.

    Levels: `overdue` credentials; `overdue_unseen` ones that were overdue when they were last
    judged and could not be judged now; `failing` findings; `failing_unseen` in the same way.
    `aged` of the `credentials` are in use and of exactly known age, and `age_total` is the sum
    of those ages; `worst_age` is the highest age that a value surely has.

    Changes, in findings: `opened` since a report that could have shown them; `first_seen` where
    no earlier report could; `closed` because the rule was asked again and no longer fails;
    `gone` with a credential that a scope read to the end no longer has; `waived`. So
    `failing + failing_unseen` grows by `opened + first_seen - closed - gone - waived`.
    `rotated` holds for each overdue value that a newer one replaced the time from the first
    report that called it overdue; of those, `rotated_later` were overdue already when first seen.
    """

    credentials: int = 0
    aged: int = 0
    age_total: int = 0
    worst_age: int | None = None
    overdue: int = 0
    overdue_unseen: int = 0
    failing: int = 0
    failing_unseen: int = 0
    opened: int = 0
    first_seen: int = 0
    closed: int = 0
    gone: int = 0
    waived: int = 0
    rotated: tuple[int, ...] = ()
    rotated_later: int = 0

    @property
    def mean_age(self) -> int | None:
        """The mean of the exactly known ages, cut to the microsecond."""
        return self.age_total // self.aged if self.aged else None

    @property
    def time_to_rotate(self) -> int | None:
        """The median time to rotate; of two in the middle the shorter."""
        return median_low(self.rotated) if self.rotated else None

    @property
    def slowest_rotation(self) -> int | None:
        """The longest time to rotate."""
        return max(self.rotated, default=None)


CHANGES = ("opened", "first_seen", "closed", "gone", "waived", "rotated", "rotated_later")
LEVELS = tuple(field.name for field in fields(Figures) if field.name not in CHANGES)


@dataclass(frozen=True, slots=True)
class Hole:
    """A scope that was not seen to its end.

    `status`: partial, failed; empty where it held credentials before; not-declared where an
    earlier report had it in its coverage and this one does not.
    """

    source: str
    scope: str
    status: str


@dataclass(frozen=True, slots=True)
class Point:
    """What is known as of one report, or as of the last one of an interval.

    `scopes` counts those declared by status. `declared` is False where the report names no
    scopes, so that nobody can say whether it is complete. `changes`: policy, frameworks,
    keyaudit, where they differ from those of the report before.
    """

    as_of: int
    reports: int
    policy: str
    policy_sha256: str
    total: Figures
    groups: Mapping[Group, Figures]
    scopes: Mapping[str, int]
    holes: tuple[Hole, ...]
    declared: bool
    changes: tuple[str, ...]

    @property
    def coverage(self) -> str:
        """Say `complete`, `incomplete` or `undeclared`."""
        if self.holes:
            return "incomplete"
        return "complete" if self.declared else "undeclared"


@dataclass(frozen=True, slots=True)
class Slot:
    """An interval from `start` to just before `end`; `point` is None where no report is of it."""

    start: int
    end: int
    point: Point | None


@dataclass(frozen=True, slots=True)
class Trend:
    """A history at a glance. `slots` follow each other without a hole, oldest first.

    `groups` are all that occur, by name, None last. `reports` are those it was made of, as
    instant and digest; `left_out` those of an instant that another report has too.
    """

    version: str
    by: str
    interval: str
    slots: tuple[Slot, ...]
    groups: tuple[Group, ...]
    reports: tuple[tuple[int, str], ...]
    left_out: tuple[tuple[int, str], ...]

    @property
    def points(self) -> tuple[Point, ...]:
        """The points alone, oldest first."""
        return tuple(slot.point for slot in self.slots if slot.point is not None)

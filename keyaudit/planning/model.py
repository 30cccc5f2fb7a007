"""The nouns of a plan. Instants and durations are microseconds, days are those of UTC, since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from keyaudit.times import DAY, WEEK

QUARTER = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A credential that may have to be rotated.

    `rotation_period` is None where none is required: `unscheduled` then says whether one should be.
    The value in use falls due between `due_from` and `due_by`: the same instant where its creation,
    `made_at`, is known, None where nothing bounds it on that side. `next_at` is when its own store will
    rotate it by itself, None where it will not or nobody knows. `theirs` is a customer's own, `waiver`
    accepts that it is late. `rotation` is what keyaudit.yaml calls its rotation, `command` what to run.
    """

    source: str
    scope: str
    id: str
    name: str
    environment: str | None = None
    owner: str | None = None
    lineage: str | None = None
    schedule: str | None = None
    rotation_period: int | None = None
    due_from: int | None = None
    due_by: int | None = None
    made_at: int | None = None
    next_at: int | None = None
    unscheduled: bool = False
    theirs: bool = False
    waiver: str | None = None
    rotation: str | None = None
    command: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Which credential it is."""
        return self.source, self.scope, self.id


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan is asked to keep to.

    `ahead` is how long before its due date a rotation is wished for; None is a week, or a quarter of the
    rotation period where that is shorter. `per_day` is the most rotations of a day, None for any number.
    `apart` is what lies between staging and production at least, None where nobody knows their order.
    """

    as_of: int
    within: int = 90 * DAY
    ahead: int | None = None
    per_day: int | None = None
    apart: int | None = None

    @property
    def today(self) -> int:
        """The day of `as_of`."""
        return self.as_of // DAY

    @property
    def until(self) -> int:
        """The last instant at which something may fall due to be in the plan."""
        return self.as_of + self.within

    @property
    def gap(self) -> int:
        """How many days further on production may follow: `apart` has passed then, whatever the hours."""
        return -(-(self.apart or 0) // DAY) + 1

    def ahead_of(self, period: int) -> int:
        """Give how long before its due date a value with this rotation period is wished to be replaced."""
        return min(WEEK, period // QUARTER) if self.ahead is None else self.ahead


@dataclass(frozen=True)
class Rotation:
    """One act: a credential, or the copies of one credential in one environment, which change together."""

    candidates: tuple[Candidate, ...]
    due_from: int
    period: int
    overdue: bool

    @property
    def first(self) -> Candidate:
        """The one that falls due first, by which the rotation is called."""
        return self.candidates[0]

    @cached_property
    def made_at(self) -> int | None:
        """When the newest of the values in use was made; None if that is not known of one of them."""
        made = [candidate.made_at for candidate in self.candidates]
        known = [instant for instant in made if instant is not None]
        return max(known) if len(known) == len(made) else None

    @cached_property
    def next_at(self) -> int | None:
        """When a store will rotate it by itself, the earliest."""
        return min((one.next_at for one in self.candidates if one.next_at is not None), default=None)

    @property
    def exact(self) -> bool:
        """Whether the due date is known, and not only that it is no earlier."""
        return self.first.due_from == self.first.due_by

    @property
    def by_store(self) -> bool:
        """Whether its store will have rotated it when it falls due."""
        return not self.overdue and self.next_at is not None and self.next_at <= self.due_from

    @property
    def tolerated(self) -> bool:
        """Whether being late opens no gate: every copy is a customer's own or waived."""
        return all(one.theirs or one.waiver for one in self.candidates)

    @property
    def theirs(self) -> bool:
        """Whether a customer rotates it, who is only reminded."""
        return all(one.theirs for one in self.candidates)

    @property
    def command(self) -> str | None:
        """What to run: the rotation of keyaudit.yaml for all copies, else None: each has its own."""
        return next((one.command for one in self.candidates if one.rotation is not None), None)


@dataclass(frozen=True, slots=True)
class Planned:
    """A rotation and its day. `why` are sentences; `problem` says what does not fit, None where all does."""

    rotation: Rotation
    day: int
    why: tuple[str, ...]
    problem: str | None = None

    @property
    def kind(self) -> str:
        """`overdue`, `by-store`, `does-not-fit` or `planned`."""
        if self.rotation.overdue:
            return "overdue"
        if self.rotation.by_store:
            return "by-store"
        return "planned" if self.problem is None else "does-not-fit"

    @property
    def fails(self) -> bool:
        """Whether it is why the exit code is 1."""
        if self.rotation.overdue:
            return not self.rotation.tolerated
        return self.problem is not None and not self.rotation.theirs


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A credential that rotates and cannot be given a day, and why."""

    candidate: Candidate
    why: str


@dataclass(frozen=True)
class Plan:
    """Every rotation with its day, in the order of the days, and what has none.

    `unplanned` rotates, and nobody can say when; `later` counts credentials that fall due after the
    plan's last instant, `without` those that have no due date because they do not rotate.
    """

    terms: Terms
    planned: tuple[Planned, ...]
    unplanned: tuple[Unplanned, ...]
    later: int
    without: int

    def count(self, kind: str) -> int:
        """Count rotations of one kind."""
        return sum(one.kind == kind for one in self.planned)

    @cached_property
    def fails(self) -> bool:
        """Whether something is overdue or does not fit, and neither waived nor a customer's own."""
        return any(one.fails for one in self.planned)

    def exit_code(self, *, whole: bool) -> int:
        """Give 1 where something is overdue or does not fit, 3 where something is not known, else 0.

        `whole` says whether everything that was asked for could be seen.
        """
        if self.fails:
            return 1
        return 3 if self.unplanned or not whole else 0

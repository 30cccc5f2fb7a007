"""What happened in a period: the rotation ledger, and what the history behind it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class LedgerResult(StrEnum):
    """What became of the due date of one value, worst first."""

    OVERDUE = "overdue"
    """It fell due, and nothing had replaced it when the period ended."""
    LATE = "late"
    """It was replaced after it had fallen due, and after the policy's tolerance; or it was in use for longer
    than that, and may have been replaced."""
    UNKNOWN = "unknown"
    """The history does not say when it fell due, or when it was replaced."""
    ON_TIME = "on-time"
    """It was replaced in the instant in which it fell due, or before, or within the tolerance."""
    NOT_DUE = "not-due"
    """It was still in use when the period ended, or may have been, and was not late: it falls due later,
    in the last instant, or not longer before it than is tolerated."""


class Operation(StrEnum):
    """Whether the control operated on one credential in the period, worst first."""

    EXCEPTION = "exception"
    """Some value was overdue or late, whatever is not known of the others."""
    UNKNOWN = "unknown"
    OPERATED = "operated"
    """Every value that fell due was replaced in time, or is in use and not late yet, and some was."""
    DID_NOT_OPERATE = "did-not-operate"
    """No value that fell due was replaced, and none was late: that is no evidence that rotation works."""
    NOT_REQUIRED = "not-required"
    """No rotation is asked of it: a replica, a short-lived secret, or no schedule applies."""


class Grace(StrEnum):
    """Whether a replaced value stopped being usable within its grace."""

    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    NOT_ASKED = "not-asked"
    """Nothing replaced it in the period, no grace is required, or it is a key that must still decrypt."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a rotation record says of one rotation: when, by which run, who asked, who agreed, and why."""

    at: int
    token: str | None
    requested_by: str | None
    approved_by: str | None
    ticket: str | None


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One value that was in use at some time in the period.

    `due_at` is the first instant from which the policy of its time allowed it no longer. It was
    replaced between `replaced_from` and `replaced_to`: equal where the history says exactly when, both
    None where it was still in use when the period ended (`replaced_to` alone is None where it may have
    been). `early_min` and `early_max` bound the time from its replacement to `due_at`; negative is late,
    and of what is in use at the end and due it is counted to the end of the period. Tolerance moves no due
    date, only when lateness counts: a rotation within it is on time, and its `early` negative. `out_min`
    and `out_max` bound how long it was in use in the period beyond what its policy, tolerance included,
    allowed. `overlap_min` and `overlap_max` bound how long it stayed usable after it was replaced; None is
    not known, and the least counts to the end of the period. `recorded` is what a record says of the
    rotation that replaced it.
    `basis` says whose word decided: `store`, `inventory` (an earlier one), `audit-log`, `record`; of several
    the weakest, which is the last of these.
    """

    version: str
    created_at: int | None
    due_at: int | None
    replaced_from: int | None
    replaced_to: int | None
    replaced_by: str | None
    result: LedgerResult
    early_min: int | None
    early_max: int | None
    out_min: int
    out_max: int
    overlap_min: int | None
    overlap_max: int | None
    grace: Grace
    basis: str
    recorded: Recorded | None = None


@dataclass(frozen=True, slots=True)
class HistoryGap:
    """A stretch of the period of which nothing tells what value a credential had."""

    starts: int
    ends: int
    why: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One credential over the period, by the strictest requirement of each time, of those that are asked for.

    `schedule` and its numbers are those of the period's end. `due` is what the others come to: `met` counts
    values that were replaced in time and fell due by the end of the period, `late` those that were late,
    overdue ones and those that were so when it began too, `open` those of which it is not known. What is
    waived counts as well: a ledger states facts. `longest_min` and `longest_max` bound the
    longest time that one value was in use, of those in use in the period, up to its end. `out_min` and
    `out_max` sum those of the entries. `last_seen_at` is when it was last listed, None for one that
    the inventory still lists. Entries are in the order of time.
    """

    source: str
    scope: str
    id: str
    name: str
    cls: str | None
    environment: str | None
    owner: str | None
    schedule: str | None
    rotation_period: int | None
    grace_period: int | None
    operation: Operation
    due: int
    met: int
    late: int
    open: int
    longest_min: int | None
    longest_max: int | None
    out_min: int
    out_max: int
    last_seen_at: int | None
    gaps: tuple[HistoryGap, ...]
    entries: tuple[LedgerEntry, ...]


@dataclass(frozen=True, slots=True)
class PolicyPart:
    """A policy that governed a part of the period, from its first to its last instant."""

    name: str
    sha256: str
    approved_by: str | None
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """A file that was given as history. `problem` says why it is no evidence, None for one that is.

    `kind`: inventory, history, cloudtrail, google-audit-log, vault-audit-log, or audit-log where nobody can
    tell whose it is. `at` is when an inventory was collected; `items` counts its credentials, or the events
    of a log that are about credentials.
    """

    file: str
    kind: str
    sha256: str | None
    at: int | None
    items: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class HistorySummary:
    """What was known of other times than the inventory's.

    `sha256` is the digest of the history document, `keyaudit/history/1`, that all of it comes to.
    `longest_gap` is the longest time between two looks at one scope of which one lies in the period (its ends
    count as looks), of all scopes that hold a credential; None where no earlier inventory was given.
    `recalled` counts versions that the inventory no longer lists, `vanished` credentials, `contradictions`
    dates of a version that another list, a log or a record contradicts: what was listed last counts.
    """

    sha256: str
    files: tuple[HistoryFile, ...]
    first_at: int | None
    last_at: int | None
    longest_gap: int | None
    recalled: int
    vanished: int
    contradictions: int = 0


@dataclass(frozen=True)
class Ledger:
    """The rotations of a period: every due date in it, and what became of it.

    `policies` governed it, in the order of time. `operations` counts credentials, `results` the values that
    `due` of the rows counts: nothing that was not due. `rows` are in the order of the population.
    """

    policies: tuple[PolicyPart, ...]
    history: HistorySummary | None
    operations: Mapping[Operation, int]
    results: Mapping[LedgerResult, int]
    rows: Sequence[LedgerRow]

    @property
    def operated(self) -> bool | None:
        """Whether the control operated at all; None where it is not known of any that it did."""
        if any(self.operations.get(each) for each in (Operation.EXCEPTION, Operation.OPERATED)):
            return True
        return None if self.operations.get(Operation.UNKNOWN) else False

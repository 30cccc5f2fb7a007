"""The nouns of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keyaudit.model import Coverage, Finding, Report, Severity, Verdict


class Kind(StrEnum):
    """What became of a finding. `fixed` needs a changed fact of the credential; the rest only `ended`."""

    APPEARED = "appeared"
    CHANGED = "changed"
    FIXED = "fixed"
    ENDED = "ended"
    NOT_SEEN = "not-seen"


class Cause(StrEnum):
    """Which input of the audit decided."""

    CLOCK = "clock"
    POLICY = "policy"
    FRAMEWORK = "framework"
    WAIVER = "waiver"
    INVENTORY = "inventory"
    COVERAGE = "coverage"
    PERIOD = "period"
    RECORDS = "records"
    RULE = "rule"
    NOT_KNOWN = "not-known"


@dataclass(frozen=True, slots=True)
class Shift:
    """One fact on both sides, as a report prints it; None where it is not known or not there."""

    fact: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One input that decided, in a sentence, with the facts that show it."""

    cause: Cause
    because: str
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One finding that is not the same in both reports. Of several reasons, each had a part."""

    kind: Kind
    old: Finding | None
    new: Finding | None
    reasons: tuple[Reason, ...]

    @property
    def finding(self) -> Finding:
        """The finding, as the newer report has it if it has it."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def new_failure(self) -> bool:
        """Whether a gate must look at it: a failure that was none before, or was milder."""
        return is_new(self.old, self.new)


def is_new(old: Finding | None, new: Finding | None) -> bool:
    """Say whether `new` is a failure that was none before, or one whose severity rose."""
    if new is None or new.verdict is not Verdict.FAIL:
        return False
    if old is None or old.verdict is not Verdict.FAIL or old.severity is None:
        return True
    return new.severity is not None and new.severity.rank < old.severity.rank


@dataclass(frozen=True, slots=True)
class ScopeChange:
    """One scope whose status is not the same; None where a report did not ask for it."""

    source: str
    scope: str
    old: Coverage | None
    new: Coverage | None


@dataclass(frozen=True)
class ReportDifference:
    """What came of it.

    `changes` are sorted: kind, then worst first. `same` counts findings that did not change, by
    verdict. `inputs` says what the two audits did not share, by cause. `lost` counts credentials of
    the old report that the new one could not see; `open` the verdicts that it could not decide.
    """

    old: Report
    new: Report
    fail_on: Severity | None
    changes: tuple[Change, ...]
    same: Mapping[Verdict, int]
    inputs: Mapping[Cause, Shift]
    scopes: tuple[ScopeChange, ...]
    lost: int
    open: int
    counts: Mapping[Kind, int] = field(default_factory=dict)

    @property
    def gating(self) -> int:
        """Count the new or worse failures at or above the gate."""
        return sum(
            change.new_failure and change.new is not None and change.new.severity is not None
            and change.new.severity.gates(self.fail_on)
            for change in self.changes
        )  # fmt: skip

    @property
    def exit_code(self) -> int:
        """Give 1 for anything new at or above the gate, 3 where that could not be told, else 0."""
        if self.gating:
            return 1
        return 3 if self.lost or self.open or not self.new.inventory.credentials else 0

"""Findings in columns: a `Finding` is made only when somebody looks at it.

A block holds the findings of one rule with one verdict, severity and basis, sorted; blocks
follow each other in report order, so position in the report is position in the blocks.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol, overload

from keyaudit import facts
from keyaudit.model import Basis, ControlRef, CredentialRef, Finding, Rule, Severity, Verdict
from keyaudit.report.fixing import fix
from keyaudit.report.sentences import message
from keyaudit.report.version_choice import version_for
from keyaudit.times import LONGEST_DURATION, format_duration, format_instant

if TYPE_CHECKING:
    import polars as pl

_VERDICT_ORDER = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED)
_REQUIRED = frozenset({*facts.REQUIREMENT, "due_at", "overdue_by"})


class Block(Protocol):
    """Findings that share rule, verdict, severity and basis."""

    @property
    def rule(self) -> Rule:
        """The rule they are of."""

    @property
    def verdict(self) -> Verdict:
        """The verdict they have in common."""

    @property
    def severity(self) -> Severity | None:
        """The severity they have in common; None where a rule has none."""

    def __len__(self) -> int:
        """Count them."""

    def __iter__(self) -> Iterator[Finding]:
        """Make each in turn."""

    def at(self, position: int) -> Finding:
        """Make one."""


class Findings(Sequence[Finding]):
    """All findings of a report, worst first."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        """Put the blocks in report order."""
        self.blocks = tuple(sorted((block for block in blocks if len(block)), key=_order))
        self._ends = list(accumulate(len(block) for block in self.blocks))

    def __len__(self) -> int:
        """Count the findings."""
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> list[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | list[Finding]:
        """Make the finding at a position, or the findings of a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(index)
        block = bisect_right(self._ends, position)
        start = self._ends[block - 1] if block else 0
        return self.blocks[block].at(position - start)

    def __iter__(self) -> Iterator[Finding]:
        """Make each finding in turn."""
        for block in self.blocks:
            yield from block


def _order(block: Block) -> tuple[int, int, str]:
    severity = len(Severity) if block.severity is None else block.severity.rank
    return _VERDICT_ORDER.index(block.verdict), severity, block.rule.id


@dataclass(frozen=True)
class ReadyBlock:
    """Findings about scopes, waivers and the policy: few, and made already."""

    rule: Rule
    verdict: Verdict
    severity: Severity | None
    ready: tuple[Finding, ...]

    def __len__(self) -> int:
        """See `Block`."""
        return len(self.ready)

    def __iter__(self) -> Iterator[Finding]:
        """See `Block`."""
        return iter(self.ready)

    def at(self, position: int) -> Finding:
        """See `Block`."""
        return self.ready[position]


@dataclass(frozen=True, slots=True)
class Bearing:
    """A control that a rule bears on: where to see if it applies, and which requirement it brings."""

    control: ControlRef
    applies: str | None
    requirement: int


@dataclass(frozen=True)
class CredentialBlock:
    """Findings of one credential rule.

    `rows` carries identity, evidence facts, `versions`, the rule's code for each requirement and
    a boolean column for each distinct population of controls. `limits` holds the durations that
    the policy sets for the rule; a requirement's own stand in columns `id.param@k`.
    """

    rule: Rule
    verdict: Verdict
    severity: Severity | None
    basis: Basis
    rows: pl.DataFrame
    codes: tuple[str, ...]
    limits: Mapping[str, int]
    bearings: tuple[Bearing, ...]
    code: int

    def __len__(self) -> int:
        """See `Block`."""
        return self.rows.height

    def __iter__(self) -> Iterator[Finding]:
        """See `Block`."""
        return (self._finding(row) for row in self.rows.iter_rows(named=True))

    def at(self, position: int) -> Finding:
        """See `Block`."""
        return self._finding(self.rows.row(position, named=True))

    def _finding(self, row: Mapping[str, Any]) -> Finding:
        k = self._deciding(row)
        known = _Known(row, k, by_grace=self._compared == "grace_period", of_period=self.rule.of_period)
        clause, by_framework = self._clause(row, known, k)
        version = version_for(self.rule.name, row)
        ref = CredentialRef(
            row["source"], row["scope"], row["id"], row["name"], row["environment"], row["owner"]
        )
        return Finding(
            rule=self.rule.id,
            name=self.rule.name,
            verdict=self.verdict,
            severity=self.severity,
            basis=Basis.FRAMEWORK if by_framework and self.basis is not Basis.PRACTICE else self.basis,
            credential=ref,
            subject=None,
            version=version,
            message=message(self.rule, known, decided=self.verdict is not Verdict.UNKNOWN),
            evidence={**evidence(self.rule, known), **self._limits(row, k)},
            due_at=known["due_at"] if "due_at" in self.rule.evidence else None,
            clause=clause,
            fix=fix(self.rule, row, version),
            controls=self._controls(row),
            waiver=row.get("waiver"),
            fingerprint=fingerprint(self.rule.id, ref.source, ref.scope, ref.id, version or ""),
        )

    @property
    def _compared(self) -> str:
        """What of a requirement the rule compares with."""
        by_period = "rotation_period" in self.rule.evidence or "grace_period" not in self.rule.evidence
        return "rotation_period" if by_period else "grace_period"

    def _deciding(self, row: Mapping[str, Any]) -> int:
        """Give the strictest of the requirements that came to this verdict; of equals, the policy's own."""
        same = [k for k, code in enumerate(self.codes) if row[code] == self.code]
        compared = self._compared

        def strictness(k: int) -> tuple[bool, int, list[int], int]:
            limit = row[f"{compared}@{k}"] if self.rule.per_requirement else None
            return limit is None, limit or 0, [self._limit(row, name, k) for name in self.limits], k

        return min(same, key=strictness, default=0)

    def _limit(self, row: Mapping[str, Any], name: str, k: int) -> int:
        own = self.limits[name]
        stated = row.get(f"{self.rule.id}.{name}@{k}")
        return own if stated is None else int(stated)

    def _limits(self, row: Mapping[str, Any], k: int) -> dict[str, str]:
        return {name: format_duration(self._limit(row, name, k)) for name in self.limits}

    def _clause(self, row: Mapping[str, Any], known: _Known, k: int) -> tuple[str | None, bool]:
        """Name the clause of a framework that decided, and say if its own text did."""
        limits = self._limits(row, k)
        if any(self._limit(row, name, k) != own for name, own in self.limits.items()):
            stating = (b.control for b in self.bearings if self._limits(row, b.requirement) == limits)
            return next((f"{control.framework} {control.id}" for control in stating), None), True
        if not self.rule.per_requirement:
            return None, False
        return known["clause"], known["requirement_basis"] == "framework"

    def _controls(self, row: Mapping[str, Any]) -> tuple[ControlRef, ...]:
        return tuple(
            bearing.control
            for bearing in self.bearings
            if (bearing.applies is None or row[bearing.applies])
            and row[self.codes[bearing.requirement]] == self.code
        )


class _Known:
    """The facts of a row, with those of the requirement that decided.

    A number of a framework's text is about a period: where a rule compares with the grace, the
    policy's schedule is named instead of it. A rule about a period shows what decided in it, where
    several policies did.
    """

    def __init__(
        self, row: Mapping[str, Any], requirement: int, *, by_grace: bool, of_period: bool = False
    ) -> None:
        by_text = by_grace and row[f"requirement_basis@{requirement}"] == "framework"
        self._row, self._requirement = row, 0 if by_text else requirement
        self._of_period = of_period

    def __getitem__(self, name: str) -> Any:
        of_part = f"{name}~@{self._requirement}"
        if self._of_period and of_part in self._row:
            return self._row[of_part]
        return self._row[f"{name}@{self._requirement}" if name in _REQUIRED else name]


def evidence(rule: Rule, known: Any) -> dict[str, Any]:
    """Print each fact of a rule's evidence in its canonical form."""
    return {name: printed(name, known[name]) for name in rule.evidence}


def printed(name: str, value: Any) -> Any:
    """Print one fact: durations as `90d`, instants as RFC 3339; the rest stays as it is."""
    if value is None or isinstance(value, bool):
        return value
    if name in facts.OR_NONE and (value == facts.NONE or value >= LONGEST_DURATION):
        return None
    if name in facts.INSTANTS:
        return format_instant(value)
    return format_duration(value) if name in facts.DURATIONS else value


def fingerprint(*parts: str) -> str:
    """Identify a finding across runs; parts are kept apart so that no two can run together."""
    return hashlib.sha256(
        "\x1f".join(part.replace("\x1f", "\x1f\x1f") for part in parts).encode()
    ).hexdigest()[:32]

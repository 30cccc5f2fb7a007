"""Every credential that was audited, with what was required of it; computed when a format asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import narwhals as nw

from keyaudit.model import Policy, PopulationRow, Severity, Verdict, VersionBar, VersionState
from keyaudit.verdicts import FAIL, UNKNOWN, Judged

if TYPE_CHECKING:
    import polars as pl

_IDENTITY = ("source", "scope", "id", "name", "class", "provider", "environment", "tier", "owner")
_AGE = ("age_min", "age_max", "age_basis", "value_created_at")


def question(frame: nw.LazyFrame[Any], judged: Sequence[Judged], requirements: int) -> nw.LazyFrame[Any]:
    """Ask for every credential, in the order of the inventory."""
    required = [
        f"{name}@{k}"
        for k in range(requirements)
        for name in ("rotation_period", "grace_period", "schedule", "due_at")
    ]
    codes = [rule.column for rule in judged if rule.asked]
    return frame.select(
        "row",
        "versions",
        "user_owned",
        "rotates",
        "in_use",
        "is_replica",
        *_IDENTITY,
        *_AGE,
        *required,
        *codes,
    ).sort("row")


class Population(Sequence[PopulationRow]):
    """The population as a sequence of rows made one at a time from columns."""

    def __init__(
        self,
        compute: Callable[[], pl.DataFrame],
        judged: Sequence[Judged],
        waived: frozenset[tuple[int, str]],
        policy: Policy,
    ) -> None:
        """Keep the question; nothing is computed yet."""
        self._compute = compute
        self._rules = {rule.column: rule.rule for rule in judged if rule.asked}
        self._waived = waived
        self._severity = {rule.id: policy.severity_of(rule) for rule in self._rules.values()}

    @cached_property
    def _frame(self) -> pl.DataFrame:
        return self._compute()

    def __len__(self) -> int:
        """Count the credentials."""
        return self._frame.height

    @overload
    def __getitem__(self, index: int) -> PopulationRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[PopulationRow]: ...
    def __getitem__(self, index: int | slice) -> PopulationRow | list[PopulationRow]:
        """Make one row, or the rows of a slice."""
        if isinstance(index, slice):
            return [self._row(row) for row in self._frame[index].iter_rows(named=True)]
        return self._row(self._frame.row(index, named=True))

    def __iter__(self) -> Iterator[PopulationRow]:
        """Make each row in turn."""
        return (self._row(row) for row in self._frame.iter_rows(named=True))

    def _row(self, row: Mapping[str, Any]) -> PopulationRow:
        failed = [rule for column, rule in self._rules.items() if row[column] == FAIL]
        standing = [rule for rule in failed if (row["row"], rule.id) not in self._waived]
        theirs = Severity.INFO if row["user_owned"] else None
        severities = [theirs or self._severity[rule.id] for rule in standing]
        k, rotates = _strictest(row), row["rotates"]
        return PopulationRow(
            source=row["source"],
            scope=row["scope"],
            id=row["id"],
            name=row["name"],
            cls=row["class"],
            provider=row["provider"],
            environment=row["environment"],
            tier=row["tier"],
            owner=row["owner"],
            age_min=row["age_min"],
            age_max=row["age_max"],
            age_basis=row["age_basis"],
            rotation_period=row[f"rotation_period@{k}"] if rotates else None,
            grace_period=row[f"grace_period@{k}"],
            schedule=row[f"schedule@{k}"] if rotates else None,
            due_at=row[f"due_at@{k}"] if rotates else None,
            worst=self._worst(row, standing, failed),
            severity=min((s for s in severities if s is not None), key=lambda s: s.rank, default=None),
            rules=tuple(sorted(rule.id for rule in standing)),
            versions=bars(row["versions"] or ()),
        )

    def _worst(self, row: Mapping[str, Any], standing: Sequence[Any], failed: Sequence[Any]) -> Verdict:
        if standing:
            return Verdict.FAIL
        if any(row[column] == UNKNOWN for column in self._rules):
            return Verdict.UNKNOWN
        if failed:
            return Verdict.WAIVED
        return Verdict.PASS if row["in_use"] and not row["is_replica"] else Verdict.NOT_APPLICABLE


def _strictest(row: Mapping[str, Any]) -> int:
    periods = {int(name.partition("@")[2]): row[name] for name in row if name.startswith("rotation_period@")}
    return min(periods, key=lambda k: (periods[k] is None, periods[k] or 0, k))


def bars(versions: Sequence[Mapping[str, Any]]) -> tuple[VersionBar, ...]:
    """Lay versions out in time, oldest first; a value ends where the next begins, if nothing else is said."""
    ordered = sorted(versions, key=lambda v: (v["created_at"] is None, v["created_at"] or 0, v["id"]))
    following = [*(version["created_at"] for version in ordered[1:]), None][: len(ordered)]
    return tuple(
        VersionBar(
            id=version["id"],
            state=VersionState(version["state"]),
            created_at=version["created_at"],
            ends_at=_end(version, after),
            retired_at=version["retired_at"],
            usable=_usable(version),
        )
        for version, after in zip(ordered, following, strict=True)
    )


def _end(version: Mapping[str, Any], after: int | None) -> int | None:
    if version["state"] in {"current", "pending"}:
        return None
    return version["superseded_at"] if version["superseded_at"] is not None else after


def _usable(version: Mapping[str, Any]) -> bool | None:
    if version["authenticates"] is not None:
        return bool(version["authenticates"])
    if version["state"] in {"disabled", "destroyed"}:
        return False
    return True if version["state"] == "current" else None

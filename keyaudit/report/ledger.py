"""The rotation ledger of a report: counted from columns, its rows made when a format asks.

A row states facts. A waiver accepts an exception and does not make it one less, so a waived rotation-late
is an exception here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, overload

from keyaudit.facts import NONE
from keyaudit.facts.promotions import Period
from keyaudit.model import (
    History,
    HistorySummary,
    Inventory,
    Ledger,
    LedgerEntry,
    LedgerResult,
    LedgerRow,
    Operation,
    Policy,
    PolicyPart,
    Recorded,
)
from keyaudit.report.ledger_entries import Asked, Row, asked_of, entry
from keyaudit.report.ledger_gaps import gaps
from keyaudit.times import LONGEST_DURATION

if TYPE_CHECKING:
    import polars as pl

_LATE = (LedgerResult.LATE, LedgerResult.OVERDUE)
_NOBODY: tuple[int, Iterator[Row]] = (-1, iter(()))
RecordedOf = Callable[[Row, str], Recorded | None]
"""What a rotation record says of the taking over of a version of a credential."""


@dataclass(frozen=True)
class Answers:
    """What the engine answered of a period: two small counts, and two questions for later.

    `credentials` gives every credential with what was required of it, in the order of the inventory,
    `entries` the values of all of them, in the same order and then in that of time.
    """

    period: Period
    operations: Mapping[str, int]
    results: Mapping[str, int]
    credentials: Callable[[], pl.DataFrame]
    entries: Callable[[], pl.DataFrame]
    recorded: RecordedOf


def build(answers: Answers, policies: Sequence[Policy], inventory: Inventory) -> Ledger:
    """Build the ledger; `policies` governed the parts of the period, in the order of time."""
    governed = zip(policies, answers.period.parts, strict=True)
    return Ledger(
        policies=tuple(
            PolicyPart(policy.name, policy.sha256, policy.approved_by, first, last)
            for policy, (first, last) in governed
        ),
        history=_history(inventory, answers.period),
        operations={each: answers.operations[each] for each in Operation if each in answers.operations},
        results={each: answers.results[each] for each in LedgerResult if each in answers.results},
        rows=Rows(answers),
    )


def _history(inventory: Inventory, period: Period) -> HistorySummary | None:
    """Sum the history up: how far apart the looks are between which the period lies."""
    history = inventory.history
    if history is None:
        return None
    return HistorySummary(
        sha256=history.sha256,
        files=history.files,
        first_at=min(history.looks, default=None),
        last_at=max(history.looks, default=None),
        longest_gap=_longest_gap(history, period) if history.looks else None,
        recalled=history.recalled,
        vanished=history.vanished,
        contradictions=history.contradictions,
    )


def _longest_gap(history: History, period: Period) -> int:
    """Give the longest time in the period in which some scope was not looked at."""
    found = [period.last - period.first] if not history.by_scope else []
    for looks in history.by_scope:
        inside = [look for look in looks if period.first < look < period.last]
        found += [b - a for a, b in pairwise([period.first, *inside, period.last])]
    return max(found)


class Rows(Sequence[LedgerRow]):
    """The rows of a ledger, made one at a time from columns."""

    def __init__(self, answers: Answers) -> None:
        """Keep the questions; nothing is computed yet."""
        self._answers = answers

    @cached_property
    def _credentials(self) -> pl.DataFrame:
        return self._answers.credentials()

    @cached_property
    def _entries(self) -> tuple[pl.DataFrame, Sequence[int]]:
        found = self._answers.entries()
        return found, found["row"].to_list()

    def __len__(self) -> int:
        """Count the credentials."""
        return self._credentials.height

    @overload
    def __getitem__(self, index: int) -> LedgerRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[LedgerRow]: ...
    def __getitem__(self, index: int | slice) -> LedgerRow | list[LedgerRow]:
        """Make one row, or the rows of a slice."""
        if isinstance(index, slice):
            return [self._one(row) for row in self._credentials[index].iter_rows(named=True)]
        return self._one(self._credentials.row(index, named=True))

    def __iter__(self) -> Iterator[LedgerRow]:
        """Make each row in turn: both frames are in the same order."""
        groups = groupby(self._entries[0].iter_rows(named=True), key=itemgetter("row"))
        number, values = next(groups, _NOBODY)
        for row in self._credentials.iter_rows(named=True):
            mine = row["row"] == number
            yield self._row(row, list(values) if mine else [])
            if mine:
                number, values = next(groups, _NOBODY)

    def _one(self, row: Row) -> LedgerRow:
        frame, rows = self._entries
        start, stop = bisect_left(rows, row["row"]), bisect_right(rows, row["row"])
        return self._row(row, list(frame[start:stop].iter_rows(named=True)))

    def _row(self, row: Row, values: Sequence[Row]) -> LedgerRow:
        period = self._answers.period
        asked = asked_of(row, period)
        entries = tuple(self._entry(row, values, place, asked) for place in range(len(values)))
        late = sum(each.result in _LATE for each in entries)
        unclear = sum(each.result is LedgerResult.UNKNOWN for each in entries)
        met = sum(value["counted"] for value in values) - late - unclear
        required = row["operation"] != Operation.NOT_REQUIRED
        now = len(asked) - 1
        return LedgerRow(
            source=row["source"],
            scope=row["scope"],
            id=row["id"],
            name=row["name"],
            cls=row["class"],
            environment=row["environment"],
            owner=row["owner"],
            schedule=row[f"schedule~{now}"] if required else None,
            rotation_period=row[f"rotation_period~{now}"] if required else None,
            grace_period=row[f"grace_period~{now}"] if required else None,
            operation=Operation(row["operation"]),
            due=met + late + unclear,
            met=met,
            late=late,
            open=unclear,
            longest_min=_known(row["age_in_period_min"]),
            longest_max=_known(row["age_in_period_max"]),
            out_min=sum(each.out_min for each in entries),
            out_max=sum(each.out_max for each in entries),
            last_seen_at=row["last_seen_at"],
            gaps=gaps(row, values, period) if required else (),
            entries=entries,
        )

    def _entry(self, row: Row, values: Sequence[Row], place: int, asked: Sequence[Asked]) -> LedgerEntry:
        successor = _successor(values, place)
        recorded = None if successor is None else self._answers.recorded(row, successor["version"])
        return entry(values[place], successor, recorded, asked, is_key=row["is_key"])


def _successor(values: Sequence[Row], place: int) -> Row | None:
    """Give what took over from a value: the one that began when it went, or the next one after that."""
    gone = values[place]["surely"]
    if gone is None:
        return None
    taking = [
        (each["since"], number)
        for number, each in enumerate(values)
        if number != place and each["since"] is not None and each["since"] >= gone
    ]
    waited = [
        (-each["since"], -number)
        for number, each in enumerate(values)
        if number > place and each["since"] is not None and each["since"] < gone < each["at_most"]
    ]
    # One that was made before the other was superseded waited for its turn.
    exact = [each for each in taking if each[0] == gone]
    found = min(exact, default=None) or min(waited, default=None) or min(taking, default=None)
    return values[abs(found[1])] if found else None


def _known(age: int | None) -> int | None:
    return None if age is None or age == NONE or age >= LONGEST_DURATION else age

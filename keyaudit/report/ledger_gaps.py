"""Stretches of a period of which nothing tells what value a credential had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keyaudit.facts.promotions import Period
from keyaudit.model import HistoryGap
from keyaudit.report.ledger_entries import Row

_UNLISTED = "its versions are not known"
_FORGOTTEN = "the oldest version that is known is younger than the credential"
_UNDATED = "nothing dates version {version}"
_SWITCHED_OFF = "version {version} was switched off, and may never have been in use"
_BETWEEN = "nothing says when version {version} was replaced"
_UNFOLLOWED = "nothing says what was in use after version {version}"
_TAKEN_BACK = "nothing says since when version {version} is in use again"


def gaps(row: Row, values: Sequence[Row], period: Period) -> tuple[HistoryGap, ...]:
    """List the gaps of one credential, in the order of time."""
    found = sorted(_gaps(row, values, period))
    return tuple(HistoryGap(starts, ends, why) for starts, ends, why in found if starts < ends)


def _gaps(row: Row, values: Sequence[Row], period: Period) -> Iterator[tuple[int, int, str]]:
    first, last = period.first, period.last
    if not row["known"]:
        yield first, last, _UNLISTED
    if row["forgotten_until"] is not None:
        born = first if row["born"] is None else row["born"]
        yield max(first, born), min(row["forgotten_until"], last), _FORGOTTEN
    for value in values:
        why = _BETWEEN
        starts = value["surely"]
        if value["undated"]:
            why, starts = _UNDATED, value["oldest_at"]
        elif value["switched_off"]:
            why, starts = _SWITCHED_OFF, value["made_at"]
        elif starts is None:
            why, starts = _TAKEN_BACK, value["since_earliest"]
        elif starts == value["ended_at"]:
            why = _UNFOLLOWED
        starts = first if starts is None else max(first, starts)
        yield starts, min(value["at_most"], last), why.format(version=value["version"])

"""What audit logs and rotation records tell, put beside what lists said.

An event adds: a version that no list had, or a date that no list said. A store's own date stays; where an
event contradicts it by more than a day, that is counted. That no event tells of something proves nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import polars as pl

from keyaudit.history.chronicle import KEY
from keyaudit.history.events import Event, Told
from keyaudit.times import DAY

Row = dict[str, Any]
_DEAD = ("disabled", "destroyed")


def told(known: pl.DataFrame, events: Sequence[Event], credentials: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Put events beside the versions that are known; gives those, and how many dates are contradicted.

    `credentials` has the `KEY` of all that any list ever had: events about others are left out.
    """
    if not events:
        return known, 0
    by_credential = defaultdict[tuple[str, str, str], list[Event]](list)
    for event in sorted(set(events), key=lambda each: (each.at, each.version or "", each.told, each.basis)):
        by_credential[event.source, event.scope, event.id].append(event)
    about = pl.DataFrame(list(by_credential), schema=dict.fromkeys(KEY, pl.String), orient="row")
    about = about.join(credentials.select(KEY), on=KEY, how="semi")
    touched = defaultdict[tuple[str, str, str], list[Row]](list)
    for row in known.join(about, on=KEY, how="semi").iter_rows(named=True):
        touched[row["source"], row["scope"], row["id"]].append(row)
    contradicted = 0
    for key in about.iter_rows():
        contradicted += _tell(touched[key], key, by_credential[key])
    rows = [row for key in sorted(touched) for row in touched[key]]
    changed = pl.DataFrame(rows, schema=known.schema, orient="row")
    return pl.concat([known.join(about, on=KEY, how="anti"), changed]), contradicted


def _tell(rows: list[Row], key: tuple[str, ...], events: Sequence[Event]) -> int:
    """Put the events of one credential, in the order of time, beside its versions."""
    contradicted = 0
    deletions = [event for event in events if event.version is None and event.told is Told.DELETED]
    undone = max(
        (event.at for event in events if event.version is None and event.told is Told.RESTORED), default=-1
    )
    by_row: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event.version is not None:
            by_row[_place(rows, key, event)].append(event)
    for place, own in by_row.items():
        contradicted += _tell_version(rows[place], own)
    for event in deletions:
        if event.at > undone:
            for row in rows:
                _delete(row, event)
    return contradicted


def _place(rows: list[Row], key: tuple[str, ...], event: Event) -> int:
    """Find the version that an event is about; an id that was given again is the one of that time."""
    named = [place for place, row in enumerate(rows) if row["version"] == event.version]
    if not named:
        own = dict(zip(KEY, key, strict=True))
        rows.append(
            {**_NOTHING, **own, "version": event.version, "basis": event.basis, "listed_at": event.at}
        )
        return len(rows) - 1
    older = [place for place in named if (rows[place]["created_at"] or 0) <= event.at + DAY]
    return max(older, key=lambda place: rows[place]["created_at"] or 0) if older else named[0]


_NOTHING: Row = {
    **dict.fromkeys(
        (
            "created_at",
            "superseded_at",
            "retired_at",
            "authenticates",
            "in_use_at",
            "gone_by",
            "usable_at",
            "unusable_by",
        )
    ),
    "state": "pending",
    "listed": False,
}


def _tell_version(row: Row, events: Sequence[Event]) -> int:
    last = {event.told: event for event in events}
    created = next((event for event in events if event.told is Told.CREATED), None)
    if not row["listed"] and row["basis"] not in {"store", "inventory"}:
        row["listed_at"] = events[-1].at
    contradicted = _date(row, "created_at", created)
    used, ended = last.get(Told.IN_USE), last.get(Told.SUPERSEDED)
    if used is not None:
        row["in_use_at"] = max(used.at, row["in_use_at"] or used.at)
        row["gone_by"] = _later(row["gone_by"], used.at)
        _now(row, "current", used)
    if ended is not None and ended.at >= (row["in_use_at"] or ended.at):
        contradicted += _date(row, "superseded_at", ended)
        row["gone_by"] = min(ended.at, row["gone_by"] or ended.at)
        _now(row, "superseded", ended)
    retired, restored = last.get(Told.RETIRED), last.get(Told.RESTORED)
    if restored is not None:
        row["usable_at"] = max(restored.at, row["usable_at"] or restored.at)
        row["unusable_by"] = _later(row["unusable_by"], restored.at)
    if retired is not None and retired.at >= max(row["usable_at"] or 0, row["in_use_at"] or 0):
        contradicted += _retire(row, retired, "disabled")
    return contradicted


def _retire(row: Row, event: Event, state: str) -> int:
    """What can no longer be used is no longer in use either."""
    contradicted = _date(row, "retired_at", event)
    row["unusable_by"] = min(event.at, row["unusable_by"] or event.at)
    if row["in_use_at"] is not None or row["state"] == "current":
        row["gone_by"] = min(event.at, row["gone_by"] or event.at)
        if row["superseded_at"] is None:
            row["superseded_at"] = event.at
    _now(row, state, event)
    return contradicted


def _delete(row: Row, event: Event) -> None:
    """Close a version of a credential that was deleted; what was made or listed after that is another's."""
    listed_later = row["listed"] or (row["listed_at"] or 0) > event.at
    if listed_later or (row["created_at"] or 0) > event.at or (row["in_use_at"] or 0) > event.at:
        return
    _retire(row, event, "destroyed")


def _now(row: Row, state: str, event: Event) -> None:
    """An event that is later than the last list has the last word."""
    own = row["basis"] not in {"store", "inventory"}
    if not row["listed"] and (own or event.at > row["listed_at"]):
        row["state"] = state


def _date(row: Row, name: str, event: Event | None) -> int:
    """Fill a date that no list said; say whether one that a list did say is contradicted."""
    if event is None:
        return 0
    if row[name] is None:
        row[name], row["basis"] = event.at, event.basis
        return 0
    return int(abs(row[name] - event.at) > DAY)


def _later(bound: int | None, instant: int) -> int | None:
    return bound if bound is not None and bound > instant else None

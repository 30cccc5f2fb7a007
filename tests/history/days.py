"""Inventories of made-up days, written by hand or by a search."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keyaudit import history, inventory
from keyaudit.history.chronicle import Chronicle
from keyaudit.history.events import Event
from keyaudit.model import Inventory
from keyaudit.times import DAY, format_instant, parse_instant

START = parse_instant("2026-01-01T00:00:00Z")


def day(number: float) -> int:
    """Give midnight of the day: 1 is 1 January 2026."""
    return START + round((number - 1) * DAY)


def said(number: float) -> str:
    return format_instant(day(number))


def version(name: str, state: str = "current", made: float | None = None, **more: Any) -> dict[str, Any]:
    dated = {} if made is None else {"created_at": said(made)}
    return {"id": name, "state": state, **dated, **more}


def write(
    folder: Path,
    name: str,
    at: float | None,
    credentials: Mapping[str, Sequence[Mapping[str, Any]] | None],
    *,
    source: str = "vault",
    scope: str = "kv",
    status: str = "complete",
    **coverage: Any,
) -> Path:
    """Write one inventory of one scope: each credential with its versions, None for not asked for."""
    rows = [
        {"source": source, "scope": scope, "id": each, "name": each, "class": "api-key", "versions": versions}
        for each, versions in credentials.items()
    ]
    covered = [] if status == "none" else [{"source": source, "scope": scope, "status": status, **coverage}]
    document = {"schema": "keyaudit/inventory/1", "coverage": covered, "credentials": rows}
    if at is not None:
        document["collected_at"] = said(at)
    path = folder / name
    path.write_text(json.dumps(document), "utf-8")
    return path


def recalled(folder: Path, today: Path, events: Sequence[Event] = ()) -> Inventory:
    return history.recall(inventory.read([today]), history.read([folder]), events)


def past(found: Inventory, name: str) -> list[dict[str, Any]]:
    """Give the versions of one credential, days instead of instants and without what is not known."""
    [row] = [row for row in found.credentials.collect().iter_rows(named=True) if row["id"] == name]
    return [_in_days(each) for each in row["past"]]


def _in_days(row: Mapping[str, Any]) -> dict[str, Any]:
    instants = ("_at", "_by")
    return {
        name: (value - START) / DAY + 1 if name.endswith(instants) else value
        for name, value in row.items()
        if value is not None
    }


def row_of(found: Inventory, name: str) -> dict[str, Any]:
    [row] = [row for row in found.credentials.collect().iter_rows(named=True) if row["id"] == name]
    return row


def condensed(chronicle: Chronicle, path: Path) -> Path:
    path.write_bytes(history.write(chronicle))
    return path

"""Ledgers that were worked out by hand: each case becomes documents, policy files and a real audit.

A case of `ledgers/*.yaml` holds `name`, `versions` as the inventory lists them (`id: [made, state, …]` with
`superseded_at`, `retired_at` and so on after it), and what must come out: `operation`, `counts` (due, met,
late, open), `entries` and `gaps`. Of an entry only what is named is compared; `early`, `out` and `overlap`
stand for both bounds. Where nothing else is said the period is the first half of 2026, the credential was
made on 2025-01-01, and 90 days are allowed, with a day of grace. `looks` are earlier inventories, by the
instant at which they were collected; `earlier` are policies that governed before, by their last instant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from keyaudit import history, inventory, policy, strict_yaml
from keyaudit.audit import audit
from keyaudit.errors import InputError
from keyaudit.model import LedgerEntry, LedgerRow, Report
from keyaudit.rules import CATALOGUE, RULES
from keyaudit.times import DAY, format_duration, format_instant, parse_instant

HERE = Path(__file__).parent
HALF = "2026-01-01/2026-06-30"
AS_OF = "2029-01-01T00:00:00Z"
PLAIN = {"rotation_period": "90d", "grace_period": "1d"}
_OFF = {rule.name: {"enabled": False} for rule in RULES if rule.id != "KA111"}


def cases(file: str) -> list[dict[str, Any]]:
    """Read a table of cases."""
    path = HERE / "ledgers" / f"{file}.yaml"
    found: list[dict[str, Any]] = strict_yaml.load(path.read_bytes(), path.name, error=InputError).value()
    return found


def audited(case: Mapping[str, Any], folder: Path, engine: str = "polars") -> Report:
    """Audit one case over its period."""
    listed = _document(case, case.get("versions"), case.get("collected_at", AS_OF))
    (folder / "inventory.json").write_text(json.dumps(listed), "utf-8")
    found = inventory.read([folder / "inventory.json"])
    if "looks" in case:
        (folder / "looks").mkdir()
        for number, (at, versions) in enumerate(case["looks"].items()):
            look = _document(case, versions, _instant(at))
            (folder / "looks" / f"{number}.json").write_text(json.dumps(look), "utf-8")
        found = history.recall(found, history.read([folder / "looks"]))
    former = [
        (_policy(demand, folder / f"earlier-{number}.yaml"), parse_instant(_instant(until)))
        for number, (until, demand) in enumerate(case.get("earlier", {}).items())
    ]
    governing = _policy(case.get("policy", {}), folder / "policy.yaml")
    period = _period(case.get("period", HALF))
    return audit(found, governing, (), parse_instant(AS_OF), period, earlier=former, engine=engine)


def _period(text: str) -> tuple[int, int]:
    first, last = text.split("/")
    return parse_instant(_instant(first)), parse_instant(_instant(last)) + DAY - 1


def _policy(demand: Mapping[str, Any], file: Path) -> Any:
    text = {
        "policy": file.stem,
        "owner": "security@acme.example",
        "approved_by": "ciso@acme.example",
        "schedules": [{"name": f"all of {file.stem}", "match": {}, **PLAIN, **demand}],
        "rules": _OFF,
    }
    file.write_text(yaml.safe_dump(text), "utf-8")
    return policy.load(file, rules=CATALOGUE, frameworks={})


def _document(case: Mapping[str, Any], versions: Mapping[str, Any] | None, at: str) -> dict[str, Any]:
    credential = {
        "source": "store",
        "scope": "one",
        "id": "key",
        "name": "key",
        "created_at": _instant(case.get("born", "2025-01-01")),
        "class": case.get("class", "api-key"),
    }
    held = [] if versions is None else [{**credential, "versions": _versions(versions)}]
    other = {**credential, "id": "other", "name": "other", "class": "dynamic-secret", "versions": []}
    scope = {"source": "store", "scope": "one", "status": "complete", "credentials": len(held) + 1}
    return {
        "schema": "keyaudit/inventory/1",
        "collected_at": at,
        "coverage": [scope],
        "credentials": [*held, other],
    }


def _versions(versions: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "state": state,
            "created_at": None if made is None else _instant(made),
            **{key: _instant(value) for more_of in more for key, value in more_of.items()},
        }
        for name, (made, state, *more) in versions.items()
    ]


def _instant(text: Any) -> Any:
    if not isinstance(text, str) or text[:1] not in "12":
        return text
    return text if "T" in text else f"{text}T00:00:00Z"


def row_of(report: Report) -> LedgerRow:
    """Give the row of the credential that a case is about."""
    assert report.ledger is not None
    return next(row for row in report.ledger.rows if row.id == "key")


def shown(entry: LedgerEntry, keys: Sequence[str]) -> dict[str, Any]:
    """Print what a case says of an entry: instants as RFC 3339, durations exactly."""
    found: dict[str, Any] = {}
    for key in keys:
        if key in {"early", "out", "overlap"}:
            low, high = getattr(entry, f"{key}_min"), getattr(entry, f"{key}_max")
            found[key] = _length(low) if low == high else f"{_length(low)} to {_length(high)}"
        elif key == "replaced":
            low, high = entry.replaced_from, entry.replaced_to
            found[key] = _date(low) if low == high else f"{_date(low)} to {_date(high)}"
        elif key in {"created_at", "due_at"}:
            found[key] = _date(getattr(entry, key))
        else:
            found[key] = getattr(entry, key)
    return found


def _length(value: int | None) -> str | None:
    return None if value is None else format_duration(value)


def _date(value: int | None) -> str | None:
    return None if value is None else format_instant(value).replace("T00:00:00Z", "")

"""On whose word an entry of the ledger stands: where a log or a record moves a date, it says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyaudit import history, inventory, policy
from keyaudit.audit import audit
from keyaudit.history.events import Event, Told
from keyaudit.rules import CATALOGUE
from keyaudit.times import parse_instant
from report.ledgers import row_of

POLICY = """\
policy: acme
owner: security@acme.example
schedules: [{name: all, match: {}, rotation_period: 90d}]
"""


@pytest.mark.parametrize("basis", ["audit-log", "record"])
def test_what_nobody_else_knows_of_the_next_value_decides_over_the_one_before(
    basis: str, tmp_path: Path
) -> None:
    """The store lists a value of December and one of May. That one of February came between, only a file says."""
    versions = [
        {"id": "v1", "state": "superseded", "created_at": "2025-12-01T00:00:00Z"},
        {"id": "v3", "state": "current", "created_at": "2026-05-01T00:00:00Z"},
    ]
    key = {"source": "store", "scope": "one", "id": "key", "name": "key", "versions": versions}
    key["created_at"] = "2025-12-01T00:00:00Z"
    document = {
        "schema": "keyaudit/inventory/1",
        "collected_at": "2026-07-01T00:00:00Z",
        "coverage": [{"source": "store", "scope": "one", "status": "complete", "credentials": 1}],
        "credentials": [key],
    }
    (tmp_path / "i.json").write_text(json.dumps(document))
    (tmp_path / "policy.yaml").write_text(POLICY)
    at = parse_instant("2026-02-20T00:00:00Z")
    events = [
        Event("store", "one", "key", "v2", told, at, basis, "log", "1")
        for told in (Told.CREATED, Told.IN_USE)
    ]
    found = history.recall(inventory.read([tmp_path / "i.json"]), None, events)
    governing = policy.load(tmp_path / "policy.yaml", rules=CATALOGUE, frameworks={})
    period = parse_instant("2026-01-01T00:00:00Z"), parse_instant("2026-06-30T00:00:00Z")
    report = audit(found, governing, (), parse_instant("2026-07-01T00:00:00Z"), period)
    shown = [(entry.version, entry.result, entry.basis) for entry in row_of(report).entries]
    assert shown == [("v1", "on-time", basis), ("v2", "on-time", basis), ("v3", "not-due", "store")]

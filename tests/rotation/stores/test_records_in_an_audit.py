"""What a rotation wrote down is found again by an audit that lists the same store itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from keyaudit import inventory, policy
from keyaudit.audit import audit
from keyaudit.model import Report, RuleResult
from keyaudit.rotation.journal import FileJournal, Request
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.sight import Sight
from keyaudit.rotation.simulation.provider import SimulatedProbe, SimulatedProvider, SimulatedSilence
from keyaudit.rotation.steps import Done, Order, Outcome, Step
from keyaudit.rotation_record import read_files
from keyaudit.rules import CATALOGUE
from keyaudit.sources import open_source
from keyaudit.times import DAY
from rotation.aws_clients import REGION
from servers.vault import ROOT
from sources.contract import nobody

NAMED = """
policy: acme
reviewed_on: 2026-01-01
schedules: [{name: all, rotation_period: 90d, grace_period: 2d}]
rules: {rotation-undocumented: {within: 1us}}
"""
QUICK = {"name": "tested", "requests_per_second": 10_000}


class Watching:
    """Says yes to everything; waiting moves the store's clock."""

    def __init__(self, case: Any) -> None:
        self._case = case

    def now(self) -> int:
        return int(self._case.now())

    def sleep(self, until: int) -> bool:
        self._case.advance(max(until - self.now(), 0))
        return True

    def agrees(self, step: Step, sight: Sight) -> bool:
        return True

    def tell(self, step: Step, sight: Sight) -> None:
        """Nobody looks."""


def source_of(kind: str, case: Any) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Describe the audit's own source of a store, and what its environment holds."""
    at = {
        "aws-secrets-manager": lambda: {"regions": [REGION], "endpoint_url": case.server.url, "cache": False},
        "gcp-secret-manager": lambda: {
            "projects": ["acme-prod"], "endpoint": case.server.address, "locations": "none",
        },
        "vault": lambda: {"address": case.server.url, "cluster": "test", "mounts": {"kv": ["secret"]}},
    }  # fmt: skip
    return {"kind": kind, **QUICK, **at[kind]()}, {"VAULT_TOKEN": ROOT} if kind == "vault" else {}


def rotated(case: Any, records: Path) -> None:
    """Rotate the only secret of a store to the end, a month after it was made."""
    provider = SimulatedProvider(case.now)
    first = provider.mint(None, set())
    store = case.fresh(Secret(first.parts["key"]).reveal())
    case.advance(30 * DAY)
    parties = Parties(store, provider, SimulatedProbe(provider), SimulatedSilence(provider), Shape({}))
    asked = Request("sam@acme.example", "kim@acme.example", "CHG-1")
    log = FileJournal(records / "tested.ndjson", "tested", store.credential, asked)
    ending = Runner(parties, log, Watching(case)).run(Order())
    assert isinstance(ending.step, Done)
    assert ending.step.outcome is Outcome.ROTATED


def audited(kind: str, case: Any, folder: Path, since: int) -> Report:
    """List the store and judge the time since then by the records of a folder."""
    entry, environment = source_of(kind, case)
    pulled = open_source(entry, clock=case.now, environment=environment).pull(nobody)
    listed = inventory.from_rows(pulled.rows, pulled.coverage, case.now(), pulled.columns)
    (folder / "policy.yaml").write_text(NAMED)
    rules = policy.load(folder / "policy.yaml", rules=CATALOGUE, frameworks={})
    files = read_files([folder / "records"])
    return audit(listed, rules, (), case.now(), (since, case.now()), records=files)


def result(report: Report, rule: str) -> RuleResult:
    return next(found for found in report.rules if found.id == rule)


@pytest.mark.parametrize(
    ("kind", "fixture"),
    [("aws-secrets-manager", "aws_secret"), ("gcp-secret-manager", "gcp_secret"), ("vault", "vault_kv")],
)
def test_a_rotation_is_found_by_its_record_and_missed_without(
    kind: str, fixture: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    case = request.getfixturevalue(fixture)
    records, since = tmp_path / "records", case.now()
    rotated(case, records)
    report = audited(kind, case, tmp_path, since)
    assert (result(report, "KA701").passed, result(report, "KA702").passed) == (1, 1)
    (records / "tested.ndjson").write_bytes(b"")
    report = audited(kind, case, tmp_path, since)
    assert result(report, "KA701").failed == 1
    [found] = (finding for finding in report.findings if finding.rule == "KA701")
    assert found.evidence["record_gap_min"] is None

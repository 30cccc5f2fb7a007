"""What is listed no longer is nobody's relative: the present is judged as if there were no history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from history.days import day, said, version
from keyaudit import history, inventory, policy
from keyaudit.audit import audit
from keyaudit.model import Report
from keyaudit.rules import CATALOGUE


def row(source: str, scope: str, id_: str, **more: Any) -> dict[str, Any]:
    versions = more.pop("versions", [version("1", made=-10)])
    return {
        "source": source,
        "scope": scope,
        "id": id_,
        "name": id_,
        "class": "api-key",
        **more,
        "versions": versions,
    }


PRODUCTION = row("vault", "kv", "app-production", environment="production", lineage="key")
STAGING = row("vault", "kv", "app-staging", environment="staging", lineage="key")
KEY = row("openai", "acme/p", "bot", environment="production", versions=[version("key_1", made=-10)])
HOLDER = row("vault", "kv", "holder", labels={"keyaudit_key_id": "key_1"})
TWIN = row("openai", "acme/q", "other", versions=[version("key_1", made=-10)])


def write(path: Path, at: float, *rows: dict[str, Any]) -> Path:
    scopes = dict.fromkeys((each["source"], each["scope"]) for each in rows)
    covered = [{"source": source, "scope": scope, "status": "complete"} for source, scope in scopes]
    head = {"schema": "keyaudit/inventory/1", "collected_at": said(at), "coverage": covered}
    path.write_text(json.dumps({**head, "credentials": list(rows)}))
    return path


def audited(
    folder: Path, before: list[dict[str, Any]], now: list[dict[str, Any]], engine: str
) -> tuple[Report, Report]:
    """Audit today's inventory with what was listed before, and without."""
    days = folder / "days"
    days.mkdir()
    write(days / "a.json", 1, *before)
    today = inventory.read([write(folder / "today.json", 9, *now)])
    rules = policy.load(None, rules=CATALOGUE, frameworks={})
    widened = history.recall(today, history.read([days]))
    assert widened.history is not None
    assert widened.history.vanished == len(before) - len(now)
    period = (day(1), day(9))
    with_past, without = (audit(each, rules, (), day(9), period, engine=engine) for each in (widened, today))
    return with_past, without


def judged(report: Report, rule: str) -> tuple[int, int, int, int]:
    [found] = [each for each in report.rules if each.id == rule]
    return found.passed, found.failed, found.unknown, found.not_applicable


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_lineage_whose_other_copy_is_gone_spans_one_environment(tmp_path: Path, engine: str) -> None:
    with_past, without = audited(tmp_path, [PRODUCTION, STAGING], [PRODUCTION], engine)
    assert judged(without, "KA502") == (1, 0, 0, 0)
    assert judged(with_past, "KA502") == (1, 0, 0, 1), "what is gone is not asked"


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_staging_that_is_gone_is_no_staging(tmp_path: Path, engine: str) -> None:
    with_past, without = audited(tmp_path, [PRODUCTION, STAGING], [PRODUCTION], engine)
    assert judged(without, "KA501") == (0, 0, 0, 1)
    assert judged(with_past, "KA501") == (0, 0, 0, 2)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_who_holds_a_key_is_asked_of_the_stores_that_are_listed(tmp_path: Path, engine: str) -> None:
    with_past, without = audited(tmp_path, [KEY, HOLDER], [KEY], engine)
    assert (with_past.orphans, without.orphans) == (None, None), "no store was listed today"


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_key_that_another_one_had_before_is_held_all_the_same(tmp_path: Path, engine: str) -> None:
    with_past, without = audited(tmp_path, [KEY, HOLDER, {**TWIN, "id": "key_1"}], [KEY, HOLDER], engine)
    assert without.orphans == ()
    assert with_past.orphans == ()

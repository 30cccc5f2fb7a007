"""`keyaudit scan --audit-log` through the real program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from history.logs.exports import ACCOUNT, ARN, CANARY, REGION, put, trail, written

SCOPE = f"{ACCOUNT}/{REGION}"
INVENTORY = ("--inventory", "i.json")
HALF = ("--period", "2026-01-01/2026-06-30")
SCAN = ("scan", "--as-of", "2026-07-01T00:00:00Z", "--fail-on", "none", "--format", "json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store that was asked for no versions but the labelled ones, which have no dates."""
    secret = {
        "source": "aws-secrets-manager", "scope": SCOPE, "id": ARN, "name": "prod/db",
        "environment": "production", "class": "api-key", "created_at": "2025-12-01T00:00:00Z",
        "versions": [{"id": "v2", "state": "current"}, {"id": "v1", "state": "superseded"}],
    }  # fmt: skip
    seen = {"source": "aws-secrets-manager", "scope": SCOPE, "status": "complete", "credentials": 1}
    document = {
        "schema": "keyaudit/inventory/1",
        "collected_at": "2026-07-01T00:00:00Z",
        "coverage": [seen],
        "credentials": [secret],
    }
    (tmp_path / "i.json").write_text(json.dumps(document))
    return tmp_path


def scanned(command: Any, folder: Path, *more: str) -> tuple[dict[str, Any], str]:
    ending = command(*SCAN, *HALF, *INVENTORY, *more, cwd=folder)
    assert ending.returncode in {0, 1, 3}, ending.stderr
    said = ending.stderr.decode()
    assert CANARY not in ending.stdout.decode() + said
    return json.loads(ending.stdout), said


def test_a_log_dates_what_the_store_does_not(folder: Path, command: Any) -> None:
    puts = [put("v1", at="2025-12-01T00:00:00Z"), put("v2", at="2026-05-01T00:00:00Z")]
    written(folder, puts, "trail.json")
    before, _ = scanned(command, folder)
    after, _ = scanned(command, folder, "--audit-log", "trail.json")
    assert [row["operation"] for row in before["ledger"]["credentials"]] == ["unknown"]
    assert [row["operation"] for row in after["ledger"]["credentials"]] == ["exception"]
    (row,) = after["ledger"]["credentials"]
    said = [
        (each["version"], each["basis"], each["replaced_from"], each["result"]) for each in row["entries"]
    ]
    assert said[0] == ("v1", "audit-log", "2026-05-01T00:00:00Z", "late")
    (file,) = after["ledger"]["history"]["files"]
    assert (file["file"], file["kind"], file["items"], file["problem"]) == (
        "trail.json",
        "cloudtrail",
        2,
        None,
    )


def test_a_log_that_is_no_evidence_makes_the_audit_incomplete(folder: Path, command: Any) -> None:
    (folder / "trail.json").write_text('{"Records": [')
    document, _ = scanned(command, folder, "--audit-log", "trail.json")
    assert document["summary"]["exit_code"] == 3
    assert document["ledger"]["history"]["files"][0]["problem"] == "is no JSON, or was cut off"
    (folder / "report.json").write_text(json.dumps(document))
    again = command("report", "report.json", cwd=folder)
    assert again.returncode == 3, again.stderr
    assert b"is no JSON, or was cut off" in again.stdout


def test_what_logs_told_in_vain_is_counted(folder: Path, command: Any) -> None:
    other = put("v9", secret="other", at="2026-05-01T00:00:00Z") | {"responseElements": None, "eventID": "a"}
    silent = trail("RotationSucceeded", additionalEventData={"SecretId": ARN}, id="b")
    written(folder, [other, silent], "trail.json")
    _, said = scanned(command, folder, "--audit-log", "trail.json")
    assert "audit logs: 1 entries are about credentials that no inventory has" in said
    assert "audit logs: 1 entries do not say which version they are about" in said


def test_a_log_without_a_period_or_a_file_is_a_usage_error(folder: Path, command: Any) -> None:
    written(folder, [put("v1", at="2026-05-01T00:00:00Z")], "trail.json")
    (folder / "empty").mkdir()
    for more, hint in {
        ("--audit-log", "trail.json"): "--period FROM/TO",
        ("--audit-log", "missing.json", *HALF): "export the log first",
        ("--audit-log", "empty", *HALF): "their names end with one of",
    }.items():
        ending = command(*SCAN, *INVENTORY, *more, cwd=folder)
        assert (ending.returncode, hint in ending.stderr.decode()) == (2, True)


def test_keyaudit_yaml_names_the_logs_of_its_periods(folder: Path, command: Any) -> None:
    written(folder, [put("v2", at="2026-05-01T00:00:00Z")], "trail.json")
    (folder / "keyaudit.yaml").write_text("audit_logs: [trail.json]\n")
    document, _ = scanned(command, folder)
    assert [each["kind"] for each in document["ledger"]["history"]["files"]] == ["cloudtrail"]
    assert command(*SCAN, *INVENTORY, cwd=folder).returncode in {0, 1, 3}

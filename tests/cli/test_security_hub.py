"""Where findings without an AWS account go: an option, keyaudit.yaml, what was listed, or a refusal before work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

AS_OF = ("--as-of", "2026-05-01T00:00:00Z")
INVENTORY = {
    "schema": "keyaudit/inventory/1",
    "collected_at": "2026-05-01T00:00:00Z",
    "coverage": [{"source": "vault", "scope": "kv", "status": "complete", "credentials": 1}],
    "credentials": [
        {
            "source": "vault",
            "scope": "kv",
            "id": "kv/openai",
            "name": "openai",
            "class": "api-key",
            "environment": "production",
            "owner": "a@x.example",
            "created_at": "2025-01-01T00:00:00Z",
            "versions": [{"id": "1", "state": "current", "created_at": "2025-01-01T00:00:00Z"}],
        }
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "i.json").write_text(json.dumps(INVENTORY), "utf-8")
    return tmp_path


def accounts(output: bytes) -> set[tuple[str, str]]:
    findings: list[dict[str, Any]] = [
        finding for line in output.splitlines() for finding in json.loads(line)["Findings"]
    ]
    assert findings
    return {(each["AwsAccountId"], each["ProductArn"].split(":")[3]) for each in findings}


def test_the_option_says_where_else_keyaudit_yaml(folder: Path, command) -> None:
    (folder / "keyaudit.yaml").write_text(
        "inventory: [i.json]\nreport: {security_hub: 444455556666/us-east-1}\n"
    )
    asked = ("scan", *AS_OF, "--format", "asff")
    assert accounts(command(*asked).stdout) == {("444455556666", "us-east-1")}
    there = command(*asked, "--security-hub", "111122223333/eu-west-1")
    assert there.returncode == 1
    assert accounts(there.stdout) == {("111122223333", "eu-west-1")}


def test_a_saved_report_is_printed_for_another_account(folder: Path, command) -> None:
    command("scan", "--inventory", "i.json", *AS_OF, "--format", "json", "--output", "out")
    printed = command(
        "report", "out/report.json", "--format", "asff", "--security-hub", "111122223333/eu-west-1"
    )
    assert accounts(printed.stdout) == {("111122223333", "eu-west-1")}


def test_without_any_place_nothing_is_written(folder: Path, command) -> None:
    done = command(
        "scan", "--inventory", "i.json", *AS_OF, "--format", "json", "--format", "asff", "--output", "out"
    )
    assert done.returncode == 2
    assert b"to which AWS account the finding" in done.stderr
    assert b"hint: --security-hub 111122223333/eu-west-1 says it" in done.stderr
    assert list((folder / "out").iterdir()) == []


@pytest.mark.parametrize("place", ["eu-west-1", "1/eu-west-1", "111122223333/EU-WEST-1", ""])
def test_what_is_no_account_and_region_is_refused_before_any_work(folder: Path, command, place) -> None:
    done = command("scan", "--inventory", "none.json", *AS_OF, "--format", "asff", "--security-hub", place)
    assert done.returncode == 2
    assert b"is not an AWS account and region, such as 111122223333/eu-west-1" in done.stderr
    assert b"none.json" not in done.stderr

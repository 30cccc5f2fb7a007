"""`keyaudit inventory history` and `scan --history` through the real program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from history.days import version, write

AS_OF = ("--as-of", "2026-02-01T00:00:00Z", "--fail-on", "none")
JANUARY = ("--period", "2026-01-01/2026-01-31")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    days = tmp_path / "days"
    days.mkdir()
    write(days, "1.json", 1, {"k": [version("1", made=-40)], "gone": [version("1", made=-9)]})
    write(days, "2.json", 5, {"k": [version("2", made=3)]})
    write(tmp_path, "today.json", 9, {"k": [version("2", made=3)]})
    return tmp_path


def scanned(command: Any, folder: Path, *more: str) -> dict[str, Any]:
    ending = command(
        "scan", "--inventory", "today.json", *AS_OF, *JANUARY, *more, "--format", "json", cwd=folder
    )
    assert ending.returncode in {0, 3}, ending.stderr
    document: dict[str, Any] = json.loads(ending.stdout)
    assert document["summary"]["exit_code"] == ending.returncode
    return document


def test_a_history_is_condensed_and_goes_on_a_day_at_a_time(command: Any, folder: Path) -> None:
    ending = command("inventory", "history", "days", "today.json", "--output", "all.ndjson", cwd=folder)
    assert ending.returncode == 0, ending.stderr
    assert ending.stderr.decode() == (
        "wrote all.ndjson\n"
        "3 inventories; 2 of 3 versions and 1 of 2 credentials are listed no longer; "
        "the longest time between two looks at a scope is 4 d\n"
    )
    first = command("inventory", "history", "days/1.json", cwd=folder)
    (folder / "h.ndjson").write_bytes(first.stdout)
    for day in ("days/2.json", "today.json"):
        ending = command(
            "inventory", "history", "--history", "h.ndjson", day, "--output", "h.ndjson", cwd=folder
        )
        assert ending.returncode == 0, ending.stderr
    assert (folder / "h.ndjson").read_bytes() == (folder / "all.ndjson").read_bytes()


def test_a_scan_recalls_what_the_store_forgot(command: Any, folder: Path) -> None:
    assert command("inventory", "history", "days", "--output", "h.ndjson", cwd=folder).returncode == 0
    report = scanned(command, folder, "--history", "days")
    assert report == scanned(command, folder, "--history", "h.ndjson")
    assert report == scanned(command, folder, "--history", "days/2.json", "--history", "days/1.json")
    assert report == scanned(command, folder, "--history", "days", "--engine", "duckdb")
    (folder / "keyaudit.yaml").write_text("history: [days]\n")
    assert report == scanned(command, folder)
    found = report["ledger"]["history"]
    assert [file["file"] for file in found["files"]] == ["1.json", "2.json"]
    assert (found["recalled"], found["vanished"]) == (2, 1)
    (folder / "sub").mkdir()
    (folder / "sub" / "own.yaml").write_text("history: [../days]\n")
    assert report == scanned(command, folder, "--config", "sub/own.yaml")


def test_evidence_that_was_refused_makes_the_audit_incomplete(command: Any, folder: Path) -> None:
    write(folder / "days", "3.json", None, {"k": []})
    report = scanned(command, folder, "--history", "days")
    assert report["summary"]["exit_code"] == 3
    assert [file["problem"] for file in report["ledger"]["history"]["files"] if file["problem"]] == [
        "does not say when it was collected: collected_at is missing"
    ]
    ending = command("inventory", "history", "days", "--output", "h.ndjson", cwd=folder)
    assert ending.returncode == 2
    assert b"days/3.json: does not say when it was collected" in ending.stderr
    assert not (folder / "h.ndjson").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scan", "--inventory", "today.json", "--history", "days"), b"a history is evidence of a period"),
        (("scan", "--inventory", "today.json", *AS_OF, *JANUARY, "--history", "none"), b"none: no such file or folder"),
        (("scan", "--inventory", "today.json", *AS_OF, *JANUARY, "--history", "empty"), b"empty: no inventory is in it"),
        (("inventory", "history"), b"no inventory to condense"),
        (("inventory", "history", "none"), b"none: no such file or folder"),
        (("inventory", "history", "days", "--output", "no/h.ndjson"), b"there is no folder no"),
    ],
    ids=["no period", "no file", "nothing inside", "no files", "no such file", "no folder"],
)  # fmt: skip
def test_what_cannot_be_is_said_with_what_to_do(
    command: Any, folder: Path, arguments: tuple[str, ...], said: bytes
) -> None:
    (folder / "empty").mkdir()
    ending = command(*arguments, cwd=folder)
    assert ending.returncode == 2
    assert said in ending.stderr
    assert ending.stdout == b""


def test_a_history_of_keyaudit_yaml_is_left_alone_where_no_period_is_audited(
    command: Any, folder: Path
) -> None:
    (folder / "keyaudit.yaml").write_text("history: [none]\n")
    ending = command("scan", "--inventory", "today.json", *AS_OF, "--format", "json", cwd=folder)
    assert ending.returncode in {0, 3}
    assert "ledger" not in json.loads(ending.stdout)

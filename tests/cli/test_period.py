"""`keyaudit scan --period` through the real program, with records that the journal of rotations wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from keyaudit.rotation.journal import Entry, FileJournal, Request
from keyaudit.rotation.stores.protocol import Credential
from keyaudit.times import parse_instant

AS_OF = ("--as-of", "2026-07-01T00:00:00Z", "--fail-on", "none")
SCOPE = {"source": "vault", "scope": "kv", "status": "complete", "credentials": 1, "cannot_know": []}
HALF = ("--period", "2026-01-01/2026-06-30")
CANARY = "AKIA0CANARY0CANARY00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    key = {
        "source": "vault",
        "scope": "kv",
        "id": "openai",
        "name": "openai",
        "created_at": "2025-01-01T00:00:00Z",
        "versions": [
            {"id": "2", "state": "current", "created_at": "2026-03-01T10:00:00Z"},
            {"id": "1", "state": "superseded", "created_at": "2025-01-01T00:00:00Z"},
        ],
    }
    document = {"schema": "keyaudit/inventory/1", "coverage": [SCOPE], "credentials": [key]}
    (tmp_path / "i.json").write_text(json.dumps(document))
    return tmp_path


def record(
    folder: Path, approved_by: str | None = "kim@acme.example", file: str = "records/openai.ndjson"
) -> Path:
    """Have the journal write down a promotion, and what came before it."""
    place = Credential("vault", "kv", "openai", "openai")
    log = FileJournal(folder / file, "openai", place, Request("sam@acme.example", approved_by, "CHG-7"))
    at = parse_instant("2026-03-01T10:00:00Z")
    log.append(Entry(at, "requested", goal="forward"))
    log.append(Entry(at, "intent", "t", "promote"))
    log.append(
        Entry(at, "result", "t", "promote", "done", detail={"pending": {"version": "2", "key_id": "k"}})
    )
    return folder / file


def scanned(command: Any, folder: Path, *more: str) -> dict[str, Any]:
    ending = command("scan", "--inventory", "i.json", *AS_OF, *more, "--format", "json", cwd=folder)
    assert ending.returncode in {0, 1, 3}, ending.stderr
    document = json.loads(ending.stdout)
    assert document["summary"]["exit_code"] == ending.returncode
    return document


def verdicts(document: dict[str, Any], rule: str) -> dict[str, int]:
    [found] = (each for each in document["rules"] if each["id"] == rule)
    return {name: found[name] for name in ("pass", "fail", "unknown", "not_applicable") if found[name]}


def test_an_audit_of_an_instant_has_no_rule_about_a_period(folder, command) -> None:
    document = scanned(command, folder)
    assert document["period"] is None
    assert "records" not in document
    assert not {"KA701", "KA702"} & {rule["id"] for rule in document["rules"]}


def test_without_records_their_rules_are_named_as_not_tested_and_nothing_fails(folder, command) -> None:
    document = scanned(command, folder, *HALF, "--framework", "soc2")
    assert document["period"] == {"from": "2026-01-01T00:00:00Z", "to": "2026-06-30T23:59:59.999999Z"}
    for rule in ("KA701", "KA702"):
        assert verdicts(document, rule) == {"not_applicable": 1}
        assert "rotation_records" in next(r for r in document["rules"] if r["id"] == rule)["not_collected"]
    words = ("scan", "--inventory", "i.json", *AS_OF, *HALF, "--format", "markdown")
    shown = command(*words, cwd=folder).stdout.decode()
    assert "KA701 rotation-undocumented" in shown
    assert re.search(r"not tested where .?rotation.{0,2}records.{0,2} was not collected", shown)


def test_a_rotation_with_its_record_passes_and_one_without_is_a_finding(folder, command) -> None:
    record(folder)
    document = scanned(command, folder, *HALF, "--rotation-records", "records")
    assert verdicts(document, "KA701") == verdicts(document, "KA702") == {"pass": 1}
    [file] = document["records"]
    assert (file["file"], file["records"], file["problem"]) == ("records/openai.ndjson", 3, None)

    empty = folder / "none.ndjson"
    empty.touch()
    document = scanned(command, folder, *HALF, "--rotation-records", "none.ndjson")
    assert verdicts(document, "KA701") == {"fail": 1}
    [found] = (finding for finding in document["findings"] if finding["rule"] == "KA701")
    assert found["version"] == "2"
    assert found["severity"] == "medium"


@pytest.mark.parametrize(
    ("approved_by", "verdict"),
    [("kim@acme.example", "pass"), ("SAM@acme.example", "fail"), (None, "unknown")],
)
def test_who_approved_decides(approved_by: str | None, verdict: str, folder, command) -> None:
    record(folder, approved_by)
    document = scanned(command, folder, *HALF, "--rotation-records", "records")
    assert verdicts(document, "KA702") == {verdict: 1}


def test_a_record_that_was_changed_is_no_evidence_and_page_one_names_its_file(folder, command) -> None:
    file = record(folder)
    file.write_bytes(file.read_bytes().replace(b'"seq":1', b'"seq":1 '))
    document = scanned(command, folder, *HALF, "--rotation-records", "records", "--policy", policy(folder))
    assert verdicts(document, "KA701") == {"fail": 1}
    assert verdicts(document, "KA702") == {"not_applicable": 1}
    assert document["records"][0]["problem"].startswith("line 3: prev does not follow the line before")
    for form in ("terminal", "markdown", "html"):
        arguments = ("--rotation-records", "records", "--format", form)
        shown = command(
            "scan", "--inventory", "i.json", *AS_OF, *HALF, *arguments, cwd=folder
        ).stdout.decode()
        assert "records/openai.ndjson" in shown
        assert "no evidence of any rotation" in shown


def test_refused_evidence_alone_makes_an_audit_incomplete_also_against_a_baseline(folder, command) -> None:
    record(folder)
    other = record(folder, file="records/other.ndjson")
    sound = (*HALF, "--rotation-records", "records", "--policy", policy(folder))
    assert scanned(command, folder, *sound)["summary"]["exit_code"] == 0
    other.write_bytes(other.read_bytes()[1:])
    document = scanned(command, folder, *sound)
    assert document["summary"]["verdicts"]["unknown"] == 0
    assert document["summary"]["exit_code"] == 3
    (folder / "old.json").write_text(json.dumps(document))
    assert scanned(command, folder, *sound, "--baseline", "old.json")["summary"]["exit_code"] == 3


def test_records_about_what_the_inventory_does_not_have_are_counted(folder, command) -> None:
    record(folder)
    for name in ("other", "third"):
        other = Credential("vault", "kv", name, name)
        log = FileJournal(
            folder / f"records/{name}.ndjson", name, other, Request("sam@acme.example", None, None)
        )
        log.append(Entry(parse_instant("2026-03-01T10:00:00Z"), "requested", goal="forward"))
    (folder / "records/third.ndjson").write_bytes(b"{torn\n")
    document = scanned(command, folder, *HALF, "--rotation-records", "records")
    counted = {file["file"]: file.get("unlisted") for file in document["records"]}
    assert counted == {"records/openai.ndjson": 0, "records/other.ndjson": 1, "records/third.ndjson": None}
    arguments = (*HALF, "--rotation-records", "records")
    shown = command("scan", "--inventory", "i.json", *AS_OF, *arguments, cwd=folder).stdout.decode()
    assert "also about 1 credential that the inventory does not have" in " ".join(shown.split())


def test_a_report_keeps_what_it_says_of_records_when_it_is_rendered_again(folder, command) -> None:
    record(folder)
    document = scanned(command, folder, *HALF, "--rotation-records", "records")
    (folder / "report.json").write_text(json.dumps(document))
    again = command("report", "report.json", "--format", "json", cwd=folder)
    assert json.loads(again.stdout) == document


def test_records_of_the_configuration_count_from_its_file_and_only_for_a_period(folder, command) -> None:
    record(folder, file="audit/records/openai.ndjson")
    (folder / "audit/keyaudit.yaml").write_text("inventory: [../i.json]\nrecords: [records]\n")
    arguments = ("scan", "--config", "audit/keyaudit.yaml", *AS_OF, "--format", "json")
    document = json.loads(command(*arguments, *HALF, cwd=folder).stdout)
    assert verdicts(document, "KA701") == {"pass": 1}
    assert "records" not in json.loads(command(*arguments, cwd=folder).stdout)


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2024-02-28/2024-02-29", "2024-02-28T00:00:00Z", "2024-02-29T23:59:59.999999Z"),
        ("2026-03-01/2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01T23:59:59.999999Z"),
        (
            "2026-01-01T00:00:00+02:00/2026-06-30T24:00:00Z".replace("T24", "T23"),
            "2025-12-31T22:00:00Z",
            "2026-06-30T23:00:00Z",
        ),
        ("2026-03-01T10:00:00Z/2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
        ("2026-01-01/2026-06-30T12:00:00Z", "2026-01-01T00:00:00Z", "2026-06-30T12:00:00Z"),
        ("2026-06-30/2026-06-30", "2026-06-30T00:00:00Z", "2026-06-30T23:59:59.999999Z"),
    ],
    ids=str,
)
def test_days_are_whole_and_instants_are_exact(period: str, first: str, last: str, folder, command) -> None:
    document = scanned(command, folder, "--period", period)
    assert document["period"] == {"from": first, "to": last}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--period", "2026-01-01"], "is not FROM/TO"),
        (["--period", "2026-01-01/2026-02-01/2026-03-01"], "is not FROM/TO"),
        (["--period", "2026-06-30/2026-01-01"], "ends before it begins"),
        (["--period", "2025-02-29/2026-01-01"], "no such time"),
        (["--period", "2026-01-01T00:00:00/2026-02-01"], "time has no offset"),
        (["--period", "0900-01-01/2026-02-01"], "does not lie in the years 1970 to 9998"),
        (["--period", "2026-01-01/2026-07-01"], "is not over at the instant of the audit"),
        (["--period", "first/last"], "not an RFC 3339 time"),
        (["--rotation-records", "i.json"], "evidence of a period"),
        ([*HALF, "--rotation-records", "nowhere"], "no such file or folder"),
        ([*HALF, "--rotation-records", "."], "ends with .ndjson"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_no_period_or_no_record_is_refused_before_anything_is_audited(
    words: list[str], said: str, folder, command
) -> None:
    ending = command("scan", "--inventory", "i.json", *AS_OF, *words, cwd=folder)
    assert ending.returncode == 2
    assert said in " ".join(ending.stderr.decode().split())
    assert ending.stdout == b""


def test_what_stands_in_a_record_is_shown_safely_and_nothing_else_of_it_is(folder, command) -> None:
    place = Credential("vault", "kv", "openai", "openai")
    log = FileJournal(
        folder / "r.ndjson", "openai", place, Request("<b>sam</b>", "<b>SAM</b>", reason=CANARY)
    )
    log.append(Entry(parse_instant("2026-03-01T10:00:00Z"), "result", "t", "promote", CANARY))
    (folder / "torn.ndjson").write_text('{"schema":"x' + CANARY)
    files = ("--rotation-records", "r.ndjson", "--rotation-records", "torn.ndjson")
    for form in ("terminal", "markdown", "html", "csv", "sarif"):
        ending = command("scan", "--inventory", "i.json", *AS_OF, *HALF, *files, "--format", form, cwd=folder)
        assert CANARY.encode() not in ending.stdout + ending.stderr
        assert form != "html" or b"<b>sam" not in ending.stdout


def policy(folder: Path) -> str:
    """Write one that this inventory meets in all that is not about the period."""
    (folder / "policy.yaml").write_text(
        "policy: acme\nowner: o@acme.example\napproved_by: a@acme.example\nreviewed_on: 2026-06-01\n"
        "review_every: 365d\nschedules: [{name: all, rotation_period: 365d, grace_period: 365d}]\n"
        "rules: {unclassified: {enabled: false}, unowned: {enabled: false}, "
        "old-version-enabled: {sources: []}, old-key-active: {enabled: false}, "
        "rotation-missed: {enabled: false}}\n"
    )
    return "policy.yaml"

"""Samples from the outside: drawn by a scan or from its report, verified, and refused where they mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyaudit import report_document
from transcripts import ROOT

INVENTORY = ROOT / "examples" / "01-first-audit" / "inventory"
SCAN = ("scan", "--as-of", "2026-05-01T00:00:00Z", "--inventory")
DRAWN = ("--seed", "s/1", "--stratify", "environment,owner")


@pytest.fixture
def inventory() -> Path:
    return next(path for path in sorted(INVENTORY.iterdir()) if path.suffix in {".yaml", ".json", ".csv"})


@pytest.fixture
def report(command, inventory, tmp_path) -> Path:
    ended = command(*SCAN, inventory, "--format", "json", "--output", tmp_path)
    assert ended.returncode in {0, 1, 3}, ended.stderr
    return tmp_path / "report.json"


def saved(path: Path) -> dict:
    document = json.loads(path.read_bytes())
    assert document["sha256"] == report_document.digest(document)
    return document


def rewrite(path: Path, document: dict) -> None:
    document["sha256"] = report_document.digest(document)
    path.write_text(json.dumps(document), "utf-8")


def test_a_scan_and_its_report_give_the_same_sample(command, inventory, report, tmp_path) -> None:
    first = command(
        *SCAN, inventory, "--sample", "4", *DRAWN, "--format", "json", "--output", tmp_path / "scan"
    )
    plain = command(*SCAN, inventory, "--format", "json", "--output", tmp_path / "plain")
    assert first.returncode == plain.returncode, "a sample changes no verdict"
    ended = command("sample", "draw", report, "--size", "4", *DRAWN, "--output", tmp_path / "later")
    assert ended.returncode == 0, ended.stderr
    scanned, later = (saved(tmp_path / name / "report.json") for name in ("scan", "later"))
    assert scanned == later
    assert len(scanned["sample"]["drawn"]) == 4
    assert "sample" not in saved(tmp_path / "plain" / "report.json")
    assert command("sample", "verify", tmp_path / "later" / "report.json").returncode == 0


def test_a_sample_is_printed_in_its_order_with_the_rule_of_replacement(command, report) -> None:
    ended = command("sample", "draw", report, "--size", "3", *DRAWN)
    document = saved(report)
    said = ended.stdout.decode()
    assert ended.returncode == 0
    assert f"3 of {len(document['population']):,} credentials\n" in said
    assert "s/1" in said
    assert "Reserves\n" in said
    assert "is never replaced" in said
    drawn = [line.split()[0] for line in said.splitlines() if line[:1].isdigit() and "of" not in line]
    assert drawn[:3] == ["1", "2", "3"]


def test_a_sample_as_large_as_the_population_is_all_of_it_and_says_so(command, report) -> None:
    count = len(saved(report)["population"])
    said = command("sample", "draw", report, "--size", str(count + 1), "--seed", "s").stdout.decode()
    assert f"{count} of {count} credentials: fewer than the {count + 1} asked for, so all\n" in said
    assert "Reserves" not in said


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("--sample", "3"), "a sample is drawn by a seed", "hint: the auditor gives one"),
        (("--seed", "s"), "--seed is for a sample", "hint: say how many"),
        (("--stratify", "owner"), "--stratify is for a sample", "hint: say how many"),
        (("--sample", "0", "--seed", "s"), "0 is not in the range x>=1", "hint: keyaudit scan --help"),
        (("--sample", "3", "--seed", " "), "the seed is not a line of text", "hint: the auditor"),
        (("--sample", "3", "--seed", "s", "--stratify", "ower"), "did you mean 'owner'?", "hint: "),
        (
            ("--sample", "3", "--seed", "s", "--stratify", "owner,owner"),
            "named twice",
            "hint: name each once",
        ),
    ],
)
def test_a_sample_that_means_nothing_is_refused_before_any_work(command, arguments, message, hint) -> None:
    ended = command(*SCAN, "not-there.yaml", *arguments)
    assert ended.returncode == 2
    assert message in ended.stderr.decode()
    assert hint in ended.stderr.decode()
    assert b"not-there" not in ended.stderr


def test_a_sample_that_was_touched_is_named(command, report, tmp_path) -> None:
    command("sample", "draw", report, "--size", "3", *DRAWN, "--output", tmp_path)
    document = saved(report)
    first, second, *_ = document["sample"]["drawn"]
    first["key"], second["key"] = second["key"], first["key"]
    rewrite(report, document)
    ended = command("sample", "verify", report)
    assert ended.returncode == 1
    assert ended.stdout.decode().splitlines()[0].startswith("drawn 1: the sample has ")


def test_the_seed_of_the_auditor_is_held_against_that_of_the_sample(command, report, tmp_path) -> None:
    command("sample", "draw", report, "--size", "3", *DRAWN, "--output", tmp_path)
    assert command("sample", "verify", report, "--seed", "s/1").returncode == 0
    ended = command("sample", "verify", report, "--seed", "s/2")
    assert (ended.returncode, ended.stdout) == (1, b"seed: the sample was drawn by 's/1', not by 's/2'\n")


def test_another_seed_in_place_of_the_first_is_told(command, report, tmp_path) -> None:
    command("sample", "draw", report, "--size", "3", *DRAWN, "--output", tmp_path)
    more = command("sample", "draw", report, "--size", "5", *DRAWN)
    assert b"replaces" not in more.stderr, "more by the same seed"
    assert b"this one replaces it" in command("sample", "draw", report, "--size", "3", "--seed", "x").stderr


def test_what_is_no_report_with_a_sample_is_a_usage_error(command, report, tmp_path) -> None:
    ended = command("sample", "verify", report)
    assert ended.returncode == 2
    assert b"the report has no sample\nhint: `keyaudit sample draw`" in ended.stderr
    command("sample", "draw", report, "--size", "3", *DRAWN, "--output", tmp_path)
    report.write_bytes(report.read_bytes().replace(b'"s/1"', b'"s/2"'))
    ended = command("sample", "verify", report)
    assert ended.returncode == 2
    assert b"sha256: does not fit the document" in ended.stderr


def test_formats_of_a_report_show_the_sample_too(command, report, tmp_path) -> None:
    arguments = (
        "--size",
        "3",
        "--seed",
        "s",
        "--format",
        "html",
        "--format",
        "json",
        "--output",
        tmp_path / "x",
    )
    assert command("sample", "draw", report, *arguments).returncode == 0
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == ["report.html", "report.json"]

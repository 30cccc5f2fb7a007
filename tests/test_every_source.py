"""Every kind of source at once, from one keyaudit.yaml, with four things wrong: the example, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from keyaudit.sources import SOURCES
from servers.__main__ import EXAMPLE, lay_out
from servers.estate import FAILS, JUDGED, UNSEEN, Estate

FORMATS = ("json", "html", "markdown", "csv", "terminal", "sarif", "junit", "gitlab", "github")
FORMATS += ("ocsf", "oscal", "xlsx", "evidence-index")
WIDTHS = (80, 200)


@dataclass
class Surroundings:
    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "keyaudit", *arguments],
            check=False,
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    folder = tmp_path_factory.mktemp("acme")
    with Estate() as estate:
        lay_out(estate, folder)
        cache = {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(EXAMPLE.parents[1])}
        yield Surroundings(folder, {**estate.environment, **cache})


@pytest.fixture(scope="module")
def scanned(acme: Surroundings) -> subprocess.CompletedProcess[str]:
    formats = [word for name in FORMATS for word in ("--format", name)]
    return acme.run("scan", *formats, "--output", "audit", "--log-format", "json")


@pytest.fixture(scope="module")
def report(acme: Surroundings, scanned) -> dict:
    assert scanned.returncode == 1, scanned.stderr
    return json.loads((acme.folder / "audit" / "report.json").read_text("utf-8"))


def names(findings: list[dict], rule: str) -> set[str]:
    return {
        each["credential"]["name"] for each in findings if each["name"] == rule and each["verdict"] == "fail"
    }


def test_the_example_has_an_entry_of_every_kind() -> None:
    entries = yaml.safe_load((EXAMPLE / "keyaudit.yaml").read_text("utf-8"))["sources"]
    assert {entry["kind"] for entry in entries} == set(SOURCES)


def test_what_could_not_be_seen_is_what_is_wrong_and_nothing_else(report: dict) -> None:
    unseen = {
        (each["source"], each["scope"]): each["status"]
        for each in report["coverage"]
        if each["status"] not in {"complete", "empty"}
    }
    assert unseen == UNSEEN
    assert all(each["reason"] for each in report["coverage"] if (each["source"], each["scope"]) in UNSEEN)


def test_everything_else_is_right_to_the_credential(report: dict) -> None:
    found: dict[str, set[str]] = {each["name"]: set() for each in report["population"]}
    for rule in JUDGED:
        for name in names(report["findings"], rule):
            found[name].add(rule)
    assert found == FAILS


@pytest.mark.parametrize("file", ["report.html", "report.md", "report.txt"])
def test_every_report_names_the_four_before_any_finding(acme: Surroundings, scanned, file: str) -> None:
    text = (acme.folder / "audit" / file).read_text("utf-8")
    first_finding = text.index("KA101 rotation-overdue") if "KA101 rotation-overdue" in text else len(text)
    for _, scope in UNSEEN:
        assert scope in text[:first_finding], scope


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_terminal_of_any_width_shows_them(acme: Surroundings, columns: int) -> None:
    shown = acme.run("scan", COLUMNS=str(columns)).stdout
    page_one = shown.partition("Results by control")[0]
    assert all(scope in page_one for _, scope in UNSEEN)
    # A command is never wrapped: it is there to be copied.
    prose = [line for line in shown.splitlines() if not line.lstrip().startswith("$ ")]
    assert max(map(len, prose)) <= columns


def test_without_findings_that_count_it_is_still_incomplete(acme: Surroundings) -> None:
    assert acme.run("scan", "--fail-on", "none").returncode == 3


def test_a_pulled_inventory_is_judged_as_the_live_one_is(acme: Surroundings, report: dict) -> None:
    pulled = acme.run("inventory", "pull", "--output", "today.json")
    assert pulled.returncode == 3, pulled.stderr
    arguments = (
        "--inventory",
        "today.json",
        "--inventory",
        "declared.yaml",
        "--format",
        "json",
        "--output",
        "-",
    )
    judged = json.loads(acme.run("scan", *arguments, "--as-of", report["as_of"]).stdout)

    def about_credentials(document: dict) -> set[str]:
        return {each["fingerprint"] for each in document["findings"] if each["rule"] < "KA9"}

    assert about_credentials(judged) == about_credentials(report)
    assert {(each["source"], each["scope"]): each["status"] for each in judged["coverage"]} == {
        (each["source"], each["scope"]): each["status"] for each in report["coverage"]
    }


def test_a_key_that_a_secret_names_is_no_orphan_and_others_are(report: dict) -> None:
    orphans = {each["name"] for each in report["orphans"]}
    assert "svc_web" not in orphans
    assert {"deployer", "backup", "runner@acme-prod.iam.gserviceaccount.com"} <= orphans


def test_no_planted_value_is_anywhere(acme: Surroundings, scanned, report: dict) -> None:
    debugged = acme.run("scan", "--source", "anthropic", KEYAUDIT_DEBUG="1")
    policies = [acme.run("sources", "policy", name) for name in SOURCES]
    said = [text for done in (scanned, debugged, *policies) for text in (done.stdout, done.stderr)]
    kept = [
        file.read_bytes().decode("utf-8", "replace")
        for file in acme.folder.rglob("*")
        if file.is_file() and file.name != "env"
    ]
    assert len(kept) > 6
    assert [text[:200] for text in (*said, *kept) if "CANARY" in text] == []


def test_messages_for_machines_are_one_object_a_line(scanned) -> None:
    events = [json.loads(line) for line in scanned.stderr.splitlines()]
    finished = [each for each in events if each["event"] == "scope-finished"]
    assert {(each["source"], each["scope"]) for each in finished} >= set(UNSEEN)
    assert any(each.get("throttled") for each in events)

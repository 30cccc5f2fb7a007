"""Formats of findings say which period it was and what became of its due dates, where they have a place for it."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from formats.sample_report import sample_report
from keyaudit.formats import ledger_text, render
from keyaudit.model import Operation, Report

REPORT = sample_report(30, 60)
INSTANT = replace(REPORT, period=None, ledger=None, sample=None)
PERIOD = "2025-11-01T00:00:00Z/2026-04-30T23:59:59.999999Z"
LEDGER = REPORT.ledger
assert LEDGER is not None


def test_sarif_counts_credentials_and_due_dates_of_the_run() -> None:
    said = json.loads(render("sarif", REPORT))["runs"][0]["properties"]
    assert "/".join(said["period"].values()) == PERIOD
    assert said["rotations"]["due_dates"] == {str(key): count for key, count in LEDGER.results.items()}
    assert said["rotations"]["credentials"]["exception"] == LEDGER.operations[Operation.EXCEPTION] > 0
    assert not {"period", "rotations"} & set(json.loads(render("sarif", INSTANT))["runs"][0]["properties"])


def test_junit_counts_them_as_properties_of_what_was_seen() -> None:
    def properties(report: Report) -> dict[str, str]:
        suite = ET.fromstring(render("junit", report)).find("testsuite")
        assert suite is not None
        return {each.get("name", ""): each.get("value", "") for each in suite.iter("property")}

    said = properties(REPORT)
    assert said["period"] == PERIOD
    for result, count in LEDGER.results.items():
        assert said[f"rotations/due-dates/{result}"] == str(count)
    assert not [name for name in properties(INSTANT) if name.startswith(("period", "rotations"))]


@pytest.mark.parametrize("report", [REPORT, INSTANT], ids=["period", "instant"])
def test_findings_that_are_sent_on_name_the_period_they_are_of(report: Report) -> None:
    wanted = PERIOD if report.period else None
    events = [json.loads(line) for line in render("ocsf", report).splitlines()]
    assert {event["unmapped"].get("period") for event in events} == {wanted}
    batches = render("asff", report, security_hub="111122223333/us-east-1").splitlines()
    found = [finding for batch in batches for finding in json.loads(batch)["Findings"]]
    assert {finding["ProductFields"].get("keyaudit/period") for finding in found} == {wanted}


def test_oscal_observes_each_exception_and_a_control_of_rotation_in_time_rests_on_them() -> None:
    controls = tuple(
        replace(each, rules=(*each.rules, ledger_text.LATE_RULE)) if each.id == "8.6.3" else each
        for each in REPORT.controls
    )
    made = json.loads(render("oscal", replace(REPORT, controls=controls)))["assessment-results"]["results"][0]
    titles = {each["uuid"]: each["title"] for each in made["observations"]}
    (whole,) = [each for each in made["observations"] if each["title"] == "Rotations in the period"]
    assert whole["description"] == ledger_text.headline(LEDGER)
    known = {each["name"]: each["value"] for each in whole["props"]}
    assert known["controls"] == "pci-dss 8.6.3"
    assert known["rotations-due-dates-late"] == str(LEDGER.results["late"])
    late = [uuid for uuid, title in titles.items() if title.startswith("Rotations of ")]
    assert len(late) == LEDGER.operations[Operation.EXCEPTION]
    rests = {
        finding["target"]["target-id"]: {each["observation-uuid"] for each in finding["related-observations"]}
        for finding in made["findings"]
    }
    assert {whole["uuid"], *late} <= rests["pci-dss_8.6.3"]
    assert not {whole["uuid"], *late} & rests["soc2_CC6.1"]
    items = {each["uuid"] for each in made["local-definitions"]["inventory-items"]}
    subjects = {
        subject["subject-uuid"]
        for each in made["observations"]
        if each["uuid"] in late
        for subject in each["subjects"]
    }
    assert len(subjects) == len(late)
    assert subjects <= items

"""GitHub annotations: read as the runner reads them, within the limits past which it drops them silently."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

import pytest

from formats.hostile import with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit.formats import render
from keyaudit.formats.anchor import Anchor
from keyaudit.model import Report, Severity, Verdict


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    message: str


def decoded(text: str, *more: str) -> str:
    for character in ("\r", "\n", *more, "%"):
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def commands(report: Report, anchor: Anchor | None = None) -> list[Command]:
    """Read what is printed line by line, as the documentation says that the runner does."""
    found = []
    for line in render("github", report, anchor=anchor or Anchor("policy.yaml")).decode().splitlines():
        read = re.fullmatch(r"::([a-z]+) ([^:]*)::(.*)", line)
        assert read, line
        name, properties, message = read.groups()
        pairs = dict(pair.split("=", 1) for pair in properties.split(","))
        values = {key: decoded(value, ":", ",") for key, value in pairs.items()}
        found.append(Command(name, values, decoded(message)))
    return found


def test_the_gate_speaks_first_and_the_worst_follows() -> None:
    anchor = Anchor("ops/a,b:c.yaml", {("schedules", "production"): 7})
    said, first = commands(large_report(1), anchor)
    assert said == Command("notice", {"title": "keyaudit 0.1.0"}, "Exceptions: 1 failure at or above high.")
    assert first.name == "error"
    assert first.properties == {"file": "ops/a,b:c.yaml", "line": "7", "title": "KA101 rotation-overdue"}
    assert first.message.startswith("production/service-00000/api-key: value is 91 d old; production allows")
    assert first.message.endswith("api-key-AbCdEf'")


@pytest.mark.parametrize(
    ("made", "size"), [(large_report, 300), (sample_report, 200), (large_report, 30_000)]
)
def test_no_level_has_more_than_a_step_may_show_and_the_last_counts_the_rest(made, size: int) -> None:
    report = made(size)
    found = commands(report)
    assert Counter(each.name for each in found) == {"error": 10, "warning": 10, "notice": 10}
    counted = {
        each.name: int(re.sub("[^0-9]", "", each.message))
        for each in found
        if each.properties["title"] == "keyaudit"
    }
    groups = Counter(
        "error"
        if each.severity in {Severity.CRITICAL, Severity.HIGH} and each.verdict is Verdict.FAIL
        else "warning"
        if each.verdict is Verdict.UNKNOWN or each.severity is Severity.MEDIUM
        else "notice"
        for each in report.findings
        if each.verdict is not Verdict.WAIVED
    )
    assert counted == {
        "error": groups["error"] - 9,
        "warning": groups["warning"] - 9,
        "notice": groups["notice"] - 8,
    }


def test_ten_errors_are_shown_and_eleven_are_nine_and_a_count() -> None:
    report = large_report(1)
    for count, shown in ((10, 10), (11, 9)):
        same = tuple(replace(report.findings[0], fingerprint=str(n)) for n in range(count))
        errors = [each for each in commands(replace(report, findings=same)) if each.name == "error"]
        assert len(errors) == 10
        assert sum(each.properties["title"] == "KA101 rotation-overdue" for each in errors) == shown
    assert errors[-1].message == "2 more findings of this level"


def test_what_was_not_seen_is_a_warning_and_what_a_waiver_accepts_is_nothing() -> None:
    report = large_report(1)
    unknown = replace(report.findings[0], verdict=Verdict.UNKNOWN)
    waived = replace(report.findings[0], verdict=Verdict.WAIVED)
    found = commands(replace(report, findings=(unknown, waived)))
    assert [each.name for each in found] == ["notice", "warning"]


def test_a_clean_audit_says_so_in_one_notice() -> None:
    clean = replace(large_report(0), coverage=())
    summary = replace(clean.summary, exit_code=0)
    assert [each.message for each in commands(replace(clean, summary=summary))] == [
        "No failure at or above high."
    ]


def test_no_name_ends_a_command_or_begins_another() -> None:
    report = with_names(
        large_report(1), ("a\n::error::b", "%0A::set-env name=x::y", "a\r::add-mask::b", ",line=9", "::")
    )
    found = commands(report)
    assert len(found) == 6
    assert {each.properties.get("line") for each in found} == {None, "1"}
    assert found[1].message.startswith("a\\n::error::b (version")
    assert found[2].message.startswith("%0A::set-env name=x::y (version")

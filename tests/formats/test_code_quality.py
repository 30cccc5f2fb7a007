"""GitLab Code Quality: the documented shape, and what a merge request makes of two of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit.formats import render
from keyaudit.formats.anchor import Anchor
from keyaudit.formats.code_quality import MOST_FINDINGS
from keyaudit.model import Report, Severity, Verdict

# As GitLab documents it: what it reads, which of it has to be there, and no `./` before a path.
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "additionalProperties": False,
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./|/|\\.\\.)."},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "additionalProperties": False,
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def violations(report: Report, anchor: Anchor | None = None) -> list[dict[str, Any]]:
    content = render("gitlab", report, anchor=anchor or Anchor("policy.yaml"))
    assert content[:1] == b"[", "no byte order mark"
    found: list[dict[str, Any]] = json.loads(content)
    return found


@pytest.mark.parametrize(
    "report", [sample_report(80), large_report(0), with_names(large_report(1)), large_report(300)]
)
def test_it_has_the_documented_shape_and_no_fingerprint_twice(report: Report) -> None:
    found = violations(report)
    jsonschema.validate(found, SCHEMA)
    assert len({each["fingerprint"] for each in found}) == len(found)
    waived = sum(finding.verdict is Verdict.WAIVED for finding in report.findings)
    assert len(found) == len(report.findings) - waived


def test_the_whole_violation() -> None:
    (found,) = violations(large_report(1), Anchor("ops/policy.yaml", {("schedules", "production"): 7}))
    assert found["description"].startswith("production/service-00000/api-key: value is 91 d old; production")
    assert {**found, "description": ""} == {
        "description": "",
        "check_name": "KA101 rotation-overdue",
        "fingerprint": "0" * 64,
        "severity": "critical",
        "location": {"path": "ops/policy.yaml", "lines": {"begin": 7}},
    }


@pytest.mark.parametrize(
    ("severity", "word"),
    [("critical", "blocker"), ("high", "critical"), ("medium", "major"), ("low", "minor"), ("info", "info")],
)
def test_severities_have_gitlabs_words(severity: str, word: str) -> None:
    report = large_report(1)
    (found,) = violations(
        replace(report, findings=(replace(report.findings[0], severity=Severity(severity)),))
    )
    assert found["severity"] == word


def test_what_is_not_known_and_what_was_not_seen_are_violations() -> None:
    report = large_report(1)
    unknown = replace(report.findings[0], verdict=Verdict.UNKNOWN, severity=Severity.CRITICAL)
    unseen = replace(
        unknown, rule="KA901", severity=None, credential=None, subject="vault kv", fingerprint="2"
    )
    found = violations(replace(report, findings=(unknown, unseen)))
    assert [each["severity"] for each in found] == ["minor", "major"]
    assert found[1]["description"].startswith("vault kv: value is 91 d old")
    named = replace(unseen, message="vault kv is failed: denied")
    (once,) = violations(replace(report, findings=(named,)))
    assert once["description"].startswith("vault kv is failed: denied. "), "nobody wants to read it twice"


def test_a_waiver_solves_a_violation_and_its_end_brings_it_back() -> None:
    report = large_report(1)
    waived = replace(report.findings[0], verdict=Verdict.WAIVED, waiver="W-1")
    summary = replace(report.summary, verdicts={Verdict.WAIVED: 1})
    assert violations(replace(report, findings=(waived,), summary=summary)) == []


def test_beyond_a_number_findings_are_counted_in_one_violation() -> None:
    found = violations(large_report(MOST_FINDINGS + 1234))
    assert len(found) == MOST_FINDINGS + 1
    assert found[-1]["description"] == "1,234 more findings: see the JSON report"
    jsonschema.validate(found[-1:], SCHEMA)


def test_names_are_shown_and_not_sent() -> None:
    found = violations(with_names(large_report(1)))
    assert len(found) == len(NAMES)
    texts = "".join(each["description"] + each["check_name"] for each in found)
    assert not {"\x1b", "\u202e", "\n", "\u200b", "\ufeff"} & set(texts)

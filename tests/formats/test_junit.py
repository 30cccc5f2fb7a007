"""JUnit: read by a parser that others wrote, counted right, and well-formed whatever names say."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit.formats import render
from keyaudit.formats.junit import MOST_FINDINGS
from keyaudit.model import Coverage, Report, ScopeStatus, Verdict

TestCase.__test__ = False


def read(report: Report) -> JUnitXml:
    return JUnitXml.fromstring(render("junit", report))


def suites(report: Report) -> dict[str, list[TestCase]]:
    return {suite.name: list(suite) for suite in read(report)}


def outcome(case: TestCase) -> str:
    """Give the only outcome of a test."""
    words = {Failure: "failure", Error: "error", Skipped: "skipped"}
    found = [words[type(result)] for result in case.result]
    assert len(found) <= 1
    return found[0] if found else "passed"


@pytest.mark.parametrize("report", [sample_report(80), large_report(300), large_report(0)])
def test_every_finding_is_a_test_and_the_counts_are_those_of_the_tests(report: Report) -> None:
    document = read(report)
    said = (document.tests, document.failures, document.errors, document.skipped)
    per_suite = [(suite.tests, suite.failures, suite.errors, suite.skipped) for suite in document]
    assert said == tuple(map(sum, zip(*per_suite, strict=True)))
    document.update_statistics()
    assert said == (document.tests, document.failures, document.errors, document.skipped)
    outcomes = [outcome(case) for suite in document if suite.name[:2] == "KA" for case in suite]
    about_scopes = sum(finding.rule in {"KA901", "KA902"} for finding in report.findings)
    verdicts = report.summary.verdicts
    assert outcomes.count("failure") == verdicts.get(Verdict.FAIL, 0)
    assert outcomes.count("error") == verdicts.get(Verdict.UNKNOWN, 0) - about_scopes


def test_no_two_tests_have_one_name() -> None:
    for name, cases in suites(sample_report(80)).items():
        assert {case.classname for case in cases} == {f"keyaudit.{name}"}
        assert len({case.name for case in cases}) == len(cases), name


def test_the_whole_failure() -> None:
    first = suites(large_report(1))["KA101 rotation-overdue"][0]
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:production/service-00000/api-key-AbCdEf"
    assert first.name == f"aws-secrets-manager 111122223333/us-east-1 {arn}"
    (failure,) = first.result
    assert (failure.type, failure.message) == (
        "high",
        "production/service-00000/api-key: value is 91 d old; production allows 90 d",
    )
    assert failure.text.splitlines() == [
        "Due 2026-04-30, 1 d late",
        "Required by acme-credential-rotation: production",
        "Bears on soc2 CC6.1",
        "In aws-secrets-manager 111122223333/us-east-1",
        "Environment production",
        f"Fix: aws secretsmanager rotate-secret --secret-id '{arn}'",
    ]


def test_what_passes_is_one_test_and_its_counts() -> None:
    report = large_report(20)
    rule = replace(report.rules[2], passed=12_345, failed=0, unknown=0, not_applicable=7)
    nothing = replace(report, findings=(), rules=(rule,))
    (suite,) = [suite for suite in read(nothing) if suite.name == "KA301 unowned"]
    assert [(case.name, outcome(case)) for case in suite] == [("everything else", "passed")]
    counts = {each.name: each.value for each in suite.properties()}
    assert (counts["pass"], counts["not-applicable"]) == ("12345", "7")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"not_collected": ()}, "the rule is about nothing here"),
        ({"not_collected": ("owner", "a\x00b")}, "not tested where owner, a\\x00b was not collected"),
        ({"enabled": False}, "switched off by the policy"),
    ],
)
def test_a_rule_that_judged_nothing_did_not_pass(change: dict, why: str) -> None:
    report = large_report(1)
    rule = replace(report.rules[2], passed=0, failed=0, unknown=0, not_applicable=3, **change)
    (case,) = suites(replace(report, findings=(), rules=(rule,)))["KA301 unowned"]
    assert outcome(case) == "skipped"
    assert case.result[0].message == why


def test_what_a_waiver_accepts_is_skipped_and_says_by_which() -> None:
    report = large_report(1)
    waived = replace(report.findings[0], verdict=Verdict.WAIVED, waiver="W-9")
    rule = replace(report.rules[0], passed=0, failed=0, waived=1)
    (case,) = suites(replace(report, findings=(waived,), rules=(rule,)))["KA101 rotation-overdue"]
    assert outcome(case) == "skipped"
    said = case.result[0].text.splitlines()
    assert "Waived by W-9" in said
    assert not [line for line in said if line.startswith("Fix")], "nobody is asked to mend it now"


def test_what_was_not_seen_is_an_error() -> None:
    report = large_report(1)
    more = (
        Coverage("vault", "kv/old", ScopeStatus.EMPTY, 0),
        Coverage("gcp", "acme", ScopeStatus.PARTIAL, reason="denied\x1b[0m"),
    )
    cases = suites(replace(report, coverage=(*report.coverage, *more)))["coverage"]
    assert [(case.name, outcome(case)) for case in cases] == [
        ("aws-secrets-manager 111122223333/us-east-1", "passed"),
        ("vault kv/payments", "error"),
        ("vault kv/old", "error"),
        ("gcp acme", "error"),
    ]
    assert [case.result[0].message for case in cases[1:]] == [
        "could not be read: permission denied (403)",
        "held nothing",
        "read in part: denied\\x1b[0m",
    ]


def test_an_inventory_that_names_no_scope_or_no_credential_does_not_pass() -> None:
    report = large_report(0)
    bare = replace(report, coverage=(), rules=(), inventory=replace(report.inventory, credentials=0))
    cases = suites(bare)["coverage"]
    assert [(case.name, outcome(case)) for case in cases] == [("scopes", "skipped"), ("credentials", "error")]
    assert "which scopes were asked for" in cases[0].result[0].message


def test_beyond_a_number_findings_are_counted_by_rule_and_verdict() -> None:
    report = large_report(MOST_FINDINGS + 5_000)
    made = suites(report)
    assert sum(len(cases) for cases in made.values()) < MOST_FINDINGS + 20
    (more,) = [case for case in made["KA401 unused"] if case.name == "more that are fail"]
    listed = [case for case in made["KA401 unused"] if case.name.startswith("aws")]
    failed = sum(each.rule == "KA401" and each.verdict is Verdict.FAIL for each in report.findings)
    assert more.result[0].message == f"{failed - len(listed):,} more that are fail; see the JSON report"
    assert outcome(more) == "failure"
    unknown = [case for case in made["KA101 rotation-overdue"] if case.name == "more that are unknown"]
    assert [outcome(case) for case in unknown] == ["error"]


def test_any_name_leaves_well_formed_xml_without_control_characters() -> None:
    report = with_names(large_report(1))
    rule = replace(report.rules[0], failed=len(NAMES))
    content = render("junit", replace(report, rules=(rule,))).decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2066\ufeff\ufffe]", content)
    listed = suites(replace(report, rules=(rule,)))["KA101 rotation-overdue"]
    assert sum(outcome(case) == "failure" for case in listed) == len(NAMES)

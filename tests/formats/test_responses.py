"""Responses of management: read strictly, printed beside what they answer, believed by nobody."""

from __future__ import annotations

import pytest

from formats.large_report import large_report
from keyaudit.errors import PolicyError
from keyaudit.formats.responses import Response, Responses, read

REST = "response: R, owner: o, status: open"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("responses: x", "r.yaml:1:12: responses: expected a list of"),
        ("answers: []", "1:1: answers: unknown setting"),
        ("responses: [x]", "1:13: responses[0]: expected finding or rule"),
        ("responses: [{finding: a}]", "1:13: responses[0].response: missing"),
        (f"responses: [{{{REST}}}]", "responses[0]: expected either finding or rule"),
        (f"responses: [{{finding: a, rule: b, {REST}}}]", "responses[0]: expected either finding or rule"),
        (f"responses: [{{finding: a, match: {{name: x}}, {REST}}}]", "match narrows a rule, not a finding"),
        (f"responses: [{{rule: b, match: {{nam: x}}, {REST}}}]", "called 'nam'; did you mean 'name'?"),
        (f"responses: [{{rule: b, match: {{}}, {REST}}}]", "responses[0].match: expected a glob for some of"),
        (f"responses: [{{rule: b, match: x, {REST}}}]", "responses[0].match: expected a glob for some of"),
        (f"responses: [{{rule: b, du: 1, {REST}}}]", "responses[0].du: unknown setting; did you mean 'due'?"),
        (
            f"responses: [{{rule: b, due: soon, {REST}}}]",
            "responses[0].due: expected a day such as 2026-06-30",
        ),
        ("responses: [{rule: b, response: R, owner: o, status: opn}]", "did you mean 'open'?"),
        (
            "responses: [{rule: b, response: ' ', owner: o, status: open}]",
            "responses[0].response: expected text",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        read(text.encode(), "r.yaml")
    assert said in str(refused.value)


def test_every_problem_is_said_at_once() -> None:
    with pytest.raises(PolicyError) as refused:
        read(b"responses:\n  - {finding: a}\n  - {rule: b, status: x}\n", "r.yaml")
    assert len(refused.value.problems) == 6


def test_an_answer_is_found_by_fingerprint_rule_and_match() -> None:
    report = large_report(12)
    first = next(finding for finding in report.findings if finding.rule == "KA101")
    credential = first.credential
    assert credential is not None
    text = (
        f"responses:\n  - {{rule: rotation-overdue, {REST}}}\n"
        f"  - {{rule: KA101, match: {{environment: '{credential.environment}', name: '*'}}, {REST}}}\n"
        f"  - {{finding: {first.fingerprint}, due: 2026-06-30, {REST}}}\n"
        f"  - {{rule: KA101, match: {{name: 'no*such?'}}, {REST}}}\n"
    )
    answers = read(text.encode(), "r.yaml")
    alone, every, some, none = (answers.answers[index] for index in (2, 0, 1, 3))
    assert answers.to(first) == (alone, every, some)
    counts = answers.counted(report.findings)
    overdue = [finding for finding in report.findings if finding.rule == "KA101"]
    placed = [f for f in overdue if f.credential and f.credential.environment == credential.environment]
    assert (counts[alone], counts[every], counts[some], counts[none]) == (1, len(overdue), len(placed), 0)
    assert alone.to == f"finding {first.fingerprint}"
    assert none.to == "KA101 where name no*such?"


def test_a_glob_is_no_regular_expression() -> None:
    (finding, *_) = large_report(1).findings
    answer = Response(None, finding.rule, (("name", ".*"),), "R", "o", None, "open")
    assert not Responses((answer,)).to(finding)

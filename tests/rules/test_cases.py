"""Every rule against its table of cases, through the whole pipeline."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from keyaudit.model import Report, Verdict
from keyaudit.rules import RULES, by_id
from rules.judging import Case, every_case, judged, run

SHOWN = {Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED}


@pytest.mark.parametrize("case", every_case(), ids=lambda case: f"{case.rule.name}: {case.name}")
def test_case(case: Case) -> None:
    verdicts, findings = judged(case)
    assert verdicts == Counter(case.expect)
    if case.rule.subject == "credential":
        for credential, expected in zip(case.credentials, case.expect, strict=True):
            finding = findings.get(credential["id"])
            assert (finding.verdict if finding else None) == (expected if expected in SHOWN else None)
    if case.evidence or case.message:
        [finding, *_] = findings.values()
        assert {name: finding.evidence[name] for name in case.evidence} == case.evidence
        assert case.message is None or finding.message == case.message


def everything(engine: str) -> Report:
    """Judge the credentials of all cases by all rules in one audit."""
    return run([case for case in every_case() if case.credentials], RULES, {}, engine)


def shown(report: Report) -> list[Any]:
    """Give all that differs if a verdict differs, in comparable form."""
    return [*report.rules, *report.findings, *report.population]


def test_every_rule_comes_to_the_same_on_both_engines() -> None:
    polars, duckdb = everything("polars"), everything("duckdb")
    assert polars.summary == duckdb.summary
    assert shown(polars) == shown(duckdb)


def test_a_rule_names_what_it_was_not_told() -> None:
    bare = Case(
        RULES[0],
        "bare",
        "bare",
        ({"source": "s", "scope": "bare", "id": "1", "name": "n"},),
        (),
        {},
        False,
        (),
        {},
        None,
        None,
    )
    for result in run([bare], RULES, {}).rules:
        needs = by_id[result.id].needs
        assert result.not_collected == tuple(
            sorted(n if isinstance(n, str) else " or ".join(n) for n in needs)
        )
        assert not needs or result.not_applicable == 1

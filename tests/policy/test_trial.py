"""A table of credentials and the verdicts expected: read strictly, judged by the real audit."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.audit import audit
from keyaudit.errors import PolicyError, UsageError
from keyaudit.model import Report, Verdict
from keyaudit.policy import load, trial
from keyaudit.policy.trial import NO_SCHEDULE, VERDICTS, Case
from keyaudit.rules import CATALOGUE
from keyaudit.times import parse_instant

assert trial.__doc__
DOCUMENTED = textwrap.dedent(
    "    cases:" + trial.__doc__.split("cases:", 1)[1].split("\n\nA credential")[0]
).encode()


def refused(data: bytes) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        trial.parse(data, "t.yaml", CATALOGUE)
    return str(caught.value).replace("t.yaml:", "").splitlines()


def verdict(report: Report, rule: str) -> Verdict:
    """Give the verdict of one rule on a case's only credential."""
    [result] = [result for result in report.rules if result.name == rule]
    counts = {
        Verdict.PASS: result.passed,
        Verdict.FAIL: result.failed,
        Verdict.UNKNOWN: result.unknown,
        Verdict.NOT_APPLICABLE: result.not_applicable,
        Verdict.WAIVED: result.waived,
    }
    [found] = [verdict for verdict, count in counts.items() if count]
    return found


def test_the_documented_case_comes_out_as_it_expects() -> None:
    [case] = trial.parse(DOCUMENTED, "t.yaml", CATALOGUE)
    assert case.name == "a quarter is enough for production"
    assert case.as_of == parse_instant("2026-05-01T00:00:00Z")
    assert (case.schedule, case.line) == ("production", 2)
    report = audit(case.inventory(), load(rules=CATALOGUE, frameworks={}), (), case.as_of)
    assert report.population[0].schedule == case.schedule
    assert {rule: verdict(report, rule) for rule in case.expect} == case.expect


def test_what_a_credential_leaves_out_is_made_up_or_not_collected() -> None:
    [case] = trial.parse(
        b"cases: [{name: c, as_of: 2026-05-01T00:00:00Z, credential: {name: own}, schedule: null}]",
        "t",
        CATALOGUE,
    )
    assert case.credential == {"source": "test", "scope": "test", "id": "c", "name": "own"}
    assert case.schedule == NO_SCHEDULE
    assert case.expect == {}
    assert case.inventory().collections[0].columns == {"source", "scope", "id", "name"}


def test_a_case_need_not_name_a_schedule() -> None:
    [case] = trial.parse(
        b"cases: [{name: c, as_of: 2026-05-01T00:00:00Z, credential: {}, expect: {unowned: unknown}}]",
        "t",
        CATALOGUE,
    )
    assert case.schedule is None
    assert case.expect == {"unowned": Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("data", "complaints"),
    [
        (b"", ["1:1: the file is empty"]),
        (b"[]", ["1:1: a mapping with a list of cases is expected"]),
        (b"a: 1\n", ["1:1: a: unknown key", "1:1: cases: a list of cases is expected"]),
        (b"cases: []", ["1:8: cases: a list of cases is expected"]),
        (b"cases: {}", ["1:8: cases: a list of cases is expected"]),
        (b"cases: [x, {}]", ["1:9: cases[0]: a mapping is expected", "1:12: cases[1]: missing name, as_of, credential"]),
        (
            b"cases: [{name: c, as_of: 2026-05-01, credential: [], expect: {unownd: fail, unowned: failed}}]",
            [
                "1:26: cases[0].as_of: a date is not an instant: write 2026-05-01T00:00:00Z",
                "1:50: cases[0].credential: a mapping is expected",
                "1:63: cases[0].expect.unownd: no rule is called 'unownd'; did you mean 'unowned'?",
                f"1:86: cases[0].expect.unowned: must be one of {', '.join(VERDICTS)}; did you mean 'fail'?",
            ],
        ),
        (
            b"cases: [{name: 3, as_of: 5, credential: {tier: x, enviroment: y}, expects: {}}]",
            [
                "1:9: cases[0]: expects nothing: give it expect or schedule",
                "1:16: cases[0].name: text is expected",
                "1:26: cases[0].as_of: not an RFC 3339 time such as 2026-05-01T00:00:00Z",
                "1:48: cases[0].credential.tier: expected an integer, got the text 'x'",
                "1:63: cases[0].credential: unknown field 'enviroment'; did you mean 'environment'?",
                "1:67: cases[0].expects: unknown key; did you mean 'expect'?",
            ],
        ),
        (
            b"cases: [{name: c, as_of: 2026-05-01T00:00:00Z, credential: {}, expect: {}, schedule: 3}]",
            [
                "1:72: cases[0].expect: a mapping of rules to verdicts is expected",
                "1:85: cases[0].schedule: the name of a schedule is expected, or null for none",
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_refused_and_where(data: bytes, complaints: list[str]) -> None:
    assert refused(data) == complaints


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_bytes(DOCUMENTED)
    assert len(trial.load(file, CATALOGUE)) == 1
    with pytest.raises(UsageError, match="cannot be read"):
        trial.load(tmp_path / "none.yaml", CATALOGUE)


@given(
    st.integers(0, len(DOCUMENTED) - 1),
    st.integers(0, 10),
    st.sampled_from([b"", b"x", b"{", b"]", b": ", b"3", b"\n", b"null"]),
)
def test_no_broken_table_raises_anything_but_a_policy_error(at: int, cut: int, put: bytes) -> None:
    try:
        cases = trial.parse(DOCUMENTED[:at] + put + DOCUMENTED[at + cut :], "t.yaml", CATALOGUE)
    except PolicyError:
        return
    assert all(isinstance(case, Case) and case.inventory().collections for case in cases)

"""`policy test`, `policy explain` and `explain CREDENTIAL`."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyaudit.cli import run

EXAMPLES = Path(__file__).parents[2] / "examples"
FIRST, AS_CODE = EXAMPLES / "01-first-audit", EXAMPLES / "02-policy-as-code"
HEAD = "as_of: 2026-05-01T00:00:00Z\ntests:\n"


def judged(text: str, folder: Path, capsys) -> tuple[int, str, str]:
    (folder / "table.yaml").write_text(text)
    code = run(["policy", "test", str(folder / "table.yaml"), "--policy", str(AS_CODE / "policy.yaml")])
    return code, *capsys.readouterr()


def test_a_table_that_holds_is_0(tmp_path, capsys) -> None:
    assert judged((AS_CODE / "policy-test.yaml").read_text(), tmp_path, capsys)[0] == 0


def test_a_table_that_does_not_hold_is_1_and_says_what_differs(tmp_path, capsys) -> None:
    code, out, err = judged(
        HEAD
        + "  - {name: one, credential: {environment: production, age: 91d}, expect: {KA101: pass, unowned: not-applicable}}\n"
        + "  - {name: two, credential: {environment: production, age: 1d}, requires: {rotation_period: 30d, schedule: x}}\n"
        + "  - {name: three, credential: {environment: production, age: 1d}, expect: {rotation-overdue: pass}}\n",
        tmp_path,
        capsys,
    )
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "FAIL  one",
        "      rotation-overdue: fail, expected pass",
        "FAIL  two",
        "      rotation_period: 90d, expected 30d",
        "      schedule: production, expected x",
        "ok    three",
        "",
        "3 tests, 2 failed",
    ]


CASE = "  - {name: a, credential: {environment: production, age: 1d}, expect: {unowned: pass}}\n"
BROKEN = [
    ("", "the file is empty"),
    ("tests: []\n", "1:1: missing as_of"),
    ("as_of: 2026-05-01\ntests:\n" + CASE, "1:8: as_of: a date is not an instant"),
    ("as_of: 2026-05-01T00:00:00Z\ntests: []\n", "2:8: tests: expected a list of tests, at least one"),
    (HEAD + CASE.replace("expect", "expects"), "tests[0].expects: unknown field; did you mean 'expect'?"),
    (
        HEAD + CASE.replace("unowned", "unownd"),
        "tests[0].expect.unownd: no such rule; did you mean 'unowned'?",
    ),
    (HEAD + CASE.replace("pass", "passs"), "tests[0].expect.unowned: expected one of pass, fail"),
    (HEAD + CASE.replace(", expect: {unowned: pass}", ""), "tests[0]: expects nothing"),
    (HEAD + CASE.replace("name: a, ", ""), "tests[0]: missing name"),
    (HEAD + CASE.replace("age: 1d", "age: 1x"), "3:58: tests[0].credential.age: not a duration"),
    (HEAD + CASE.replace("age: 1d", "age: 1d, versions: []"), "write either `age` or `versions`"),
    (
        HEAD + CASE.replace("age: 1d", "ownr: x"),
        "3:27: tests[0].credential: unknown field 'ownr'; did you mean 'owner'?",
    ),
    (HEAD + CASE.replace("age: 1d", "created_at: 2026-05-01"), "tests[0].credential.created_at: "),
    (
        HEAD + CASE.replace("{environment: production, age: 1d}", "text"),
        "tests[0].credential: expected a credential",
    ),
    (
        HEAD + CASE.replace("expect: {unowned: pass}", "requires: {period: 1d}"),
        "tests[0].requires.period: unknown",
    ),
]


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_a_table_that_cannot_be_read_is_2(text, said, tmp_path, capsys) -> None:
    code, out, err = judged(text, tmp_path, capsys)
    assert (code, out) == (2, "")
    assert said in err
    assert str(tmp_path / "table.yaml") in err


def test_policy_explain_says_what_matched_and_why_the_rest_did_not(capsys) -> None:
    inventory = ("--inventory", str(FIRST / "inventory" / "aws.yaml"), "--policy", str(FIRST / "policy.yaml"))
    assert run(["policy", "explain", "prod/payments-db", *inventory, "--framework", "pci-dss"]) == 0
    said = capsys.readouterr().out
    assert "applies         classification 1: sets environment to production" in said
    assert "no: name=staging/* (name is prod/payments-db)" in said
    assert "applies      production-tier-1: rotation period 30d, grace 1d" in said
    assert "Required by the policy: rotation every 30d, grace 1d (schedule production-tier-1)" in said
    assert "Required by pci-dss: " in said
    assert "does not apply  W-2026-003" in said


def test_a_credential_is_found_by_id_or_name_and_never_guessed(tmp_path, capsys) -> None:
    document = tmp_path / "i.yaml"
    document.write_text(
        "schema: keyaudit/inventory/1\ncredentials:\n"
        "  - {source: a, scope: b, id: one, name: same}\n  - {source: a, scope: b, id: two, name: same}\n"
    )
    inventory = ("--inventory", str(document))
    assert run(["policy", "explain", "two", *inventory]) == 0
    capsys.readouterr()
    assert run(["policy", "explain", "same", *inventory]) == 2
    assert "2 credentials are called 'same'" in capsys.readouterr().err
    assert run(["policy", "explain", "twoo", *inventory]) == 2
    assert "did you mean 'two'?" in capsys.readouterr().err


def test_explain_tells_how_a_credential_fares(capsys) -> None:
    configured = ("--config", str(FIRST / "keyaudit.yaml"), "--as-of", "2026-05-01T00:00:00Z")
    assert run(["explain", "prod/groq", *configured]) == 0
    said = capsys.readouterr().out
    assert "  age: 332 d\n" in said
    assert "  due: 2025-08-31T14:00:00Z\n" in said
    assert "  fail high: KA102 never-rotated" in said
    assert run(["explain", "kv/scratch", *configured]) == 0
    assert "As of 2026-05-01T00:00:00Z\n  age: 10 d\n" in capsys.readouterr().out

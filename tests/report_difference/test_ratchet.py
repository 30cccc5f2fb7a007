"""`scan --baseline`: only what is new or worse closes the gate, and the rest is still there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyaudit.errors import InputError
from keyaudit.report_document import digest, from_document
from report_difference.worlds import JUNE, SCOPE, Audits, World, credential, waiver

STALE, SECOND = (credential(name, "2025-12-01T00:00:00Z") for name in ("key", "second"))
LATE = World((STALE,))
DENIED = {**SCOPE, "scope": "elsewhere", "status": "failed", "reason": "denied"}
CRITICAL = {"rules": {"rotation-overdue": {"severity": "critical"}}}
MILD = {"rules": {"rotation-overdue": {"severity": "medium"}}}

# the baseline, what is audited, the exit code, how many failures were known, how many are new
ENDINGS: dict[str, tuple[World, World, int, int, int]] = {
    "the same failure": (LATE, LATE.but(as_of=JUNE), 0, 1, 0),
    "one more": (LATE, World((STALE, SECOND)), 1, 1, 1),
    "another one": (LATE, World((SECOND,)), 1, 0, 1),
    "mended": (LATE, World(), 0, 0, 0),
    "the same, rated worse": (LATE, LATE.with_policy(**CRITICAL), 1, 0, 1),
    "the same, rated milder": (LATE, LATE.with_policy(**MILD), 0, 1, 0),
    "a waiver lapsed": (
        LATE.with_policy(waivers=[waiver()]), LATE.with_policy(waivers=[waiver()]).but(as_of=JUNE), 1, 0, 2,
    ),
    "new, but below the gate": (World(), World(({**credential(), "owner": None},)), 0, 0, 1),
    "the same failure, and something was not seen": (LATE, LATE.but(coverage=(SCOPE, DENIED)), 3, 1, 0),
    "the same failure, and the same gap": (
        LATE.but(coverage=(SCOPE, DENIED)), LATE.but(coverage=(SCOPE, DENIED)), 3, 1, 0,
    ),
    "could not be decided before": (
        World((credential(created_at=None),)), LATE, 1, 0, 1,
    ),
    "nothing at all": (LATE, World(()), 3, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("case", ENDINGS)
def test_only_what_is_new_or_worse_closes_the_gate(case: str, tmp_path, command) -> None:
    old, new, code, known, fresh = ENDINGS[case]
    audits = Audits(tmp_path, command)
    audits.scan(old, "old")
    done = audits.scan(new, "new", "--baseline", "old/report.json")
    report = json.loads((tmp_path / "new/report.json").read_bytes())
    assert (done.returncode, report["summary"]["exit_code"]) == (code, code)
    assert (report["baseline"]["known"], len(report["baseline"]["new"])) == (known, fresh)
    assert report["summary"]["verdicts"]["fail"] == known + fresh, "every finding is still reported"


def test_a_report_says_how_old_its_baseline_is_and_what_was_in_it(tmp_path, command) -> None:
    audits = Audits(tmp_path, command)
    audits.scan(LATE, "old")
    both = World((STALE, SECOND), as_of=JUNE).with_policy(**MILD)
    arguments = (*audits.write(both, "new"), "--baseline", "old/report.json", "--fail-on", "medium")
    shown = audits.command("scan", *arguments).stdout.decode()
    assert "Exceptions: 1 new or worse failure at or above medium; 1 known from the baseline." in shown
    words = " ".join(shown.split())
    assert "1 of 2 failures were in it, which had 1; as of 2026-05-01T00:00:00Z, 31 d older" in words
    assert "made with another policy" in words
    new = shown.partition("New or worse since the baseline\n")[2].partition("\n\n")[0]
    assert "second" in new
    assert len(new.splitlines()) == 1
    for form in ("markdown", "html"):
        page = audits.command("scan", *arguments, "--format", form).stdout.decode()
        assert "1 of 2 failures were in it" in page


def test_a_report_with_a_baseline_is_rendered_again_and_held_as_one(tmp_path, command) -> None:
    audits = Audits(tmp_path, command)
    audits.scan(LATE, "old")
    audits.scan(LATE.but(as_of=JUNE), "new", "--baseline", "old/report.json")
    again = command("report", "new/report.json", "--format", "json")
    assert again.stdout == (tmp_path / "new/report.json").read_bytes()
    assert again.returncode == 0
    audits.scan(LATE.but(as_of=JUNE), "next", "--baseline", "new/report.json")
    assert json.loads((tmp_path / "next/report.json").read_bytes())["baseline"]["known"] == 1


# the baseline, what is audited, and the state of each of its findings in SARIF, worst first
STATES: dict[str, tuple[World, World, list[str]]] = {
    "the same": (LATE, LATE.but(as_of=JUNE), ["unchanged"]),
    "one more": (LATE, World((STALE, SECOND)), ["unchanged", "new"]),
    "rated worse": (LATE, LATE.with_policy(**CRITICAL), ["updated"]),
    "rated milder, which is no new failure": (LATE, LATE.with_policy(**MILD), ["updated"]),
    "not decided before": (World((credential(created_at=None),)), LATE, ["updated"]),
    "decided before, and not now": (LATE, World((credential(created_at=None),)), ["updated"]),
    "waived now": (LATE, LATE.with_policy(waivers=[waiver()]), ["updated"]),
    "neither before nor now decided": (*[World((credential(created_at=None),))] * 2, ["unchanged"]),
}  # fmt: skip


@pytest.mark.parametrize("case", STATES)
def test_code_scanning_is_told_what_is_new_whatever_its_verdict(case: str, tmp_path, command) -> None:
    old, new, states = STATES[case]
    audits = Audits(tmp_path, command)
    audits.scan(old, "old")
    arguments = (*audits.write(new, "new"), "--baseline", "old/report.json", "--format", "sarif")
    (run,) = json.loads(audits.command("scan", *arguments).stdout)["runs"]
    assert [result["baselineState"] for result in run["results"] if result["ruleId"] == "KA101"] == states
    assert all("baselineState" in result for result in run["results"]), "all of them or none"
    plain = audits.command("scan", *audits.write(new, "new"), "--format", "sarif").stdout
    assert b"baselineState" not in plain


def test_without_a_baseline_the_document_has_no_such_key(tmp_path, command) -> None:
    Audits(tmp_path, command).scan(LATE, "old")
    assert "baseline" not in json.loads((tmp_path / "old/report.json").read_bytes())


def forged(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made = {**document, "baseline": {**document["baseline"], **changes}}
    return {**made, "sha256": digest(made)}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"known": 5}, "baseline.known: is 5, but findings come to 1"),
        ({"new": ["0" * 32]}, "baseline.new: names what is no failure here"),
        ({"new": None}, "baseline.new: expected a list"),
        ({"appeared": ["0" * 32]}, "baseline.appeared: names what is no finding here"),
        ({"changed": ["0" * 32]}, "baseline.appeared: names what is no finding here"),
    ],
)
def test_a_baseline_that_contradicts_the_findings_is_refused(changes, field, tmp_path, command) -> None:
    audits = Audits(tmp_path, command)
    audits.scan(LATE, "old")
    audits.scan(LATE, "new", "--baseline", "old/report.json")
    document = json.loads((tmp_path / "new/report.json").read_bytes())
    from_document(document)
    with pytest.raises(InputError) as caught:
        from_document(forged(document, **changes))
    assert field in str(caught.value)


def test_a_known_failure_cannot_be_passed_off_by_a_better_exit_code(tmp_path, command) -> None:
    audits = Audits(tmp_path, command)
    audits.scan(World(), "old")
    audits.scan(LATE, "new", "--baseline", "old/report.json")
    document = json.loads((tmp_path / "new/report.json").read_bytes())
    made = {**document, "summary": {**document["summary"], "exit_code": 0}}
    with pytest.raises(InputError) as caught:
        from_document({**made, "sha256": digest(made)})
    assert "summary.exit_code: 0 is not what its findings come to" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"{", "not JSON"),
        (b'{"schema": "keyaudit/diff/1"}', "expected keyaudit/report/1"),
    ],
)
def test_a_baseline_that_is_none_is_refused_before_any_audit(content, said, tmp_path, command) -> None:
    if content is not None:
        (tmp_path / "old.json").write_bytes(content)
    audits = Audits(tmp_path, command)
    done = command("scan", *audits.write(LATE, "new"), "--baseline", "old.json")
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()

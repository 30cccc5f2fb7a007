"""`keyaudit diff` through the program: formats, where bytes go, exit codes, what is refused."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit import facts
from keyaudit.formats import difference_markdown, difference_terminal
from keyaudit.formats.visible import UNSEEN
from keyaudit.model import Coverage, ScopeStatus, Severity
from keyaudit.report_difference.changes import Kind
from keyaudit.report_difference.comparison import compare
from keyaudit.report_difference.crossings import SINCE, TIMELESS
from keyaudit.report_difference.shifts import AGEING
from keyaudit.report_difference.sides import LIMITS
from keyaudit.rules import CATALOGUE, RULES
from report_difference.worlds import JUNE, SCOPE, Audits, World, credential, waiver

STALE = credential(created_at="2025-12-01T00:00:00Z")
CROSSING = credential(created_at="2026-02-15T00:00:00Z")
LATE = World((STALE,))
DENIED = {**SCOPE, "status": "failed", "reason": "denied"}
UNOWNED = World(({**credential(), "owner": None},))
BOTH = ("diff", "old/report.json", "new/report.json")

# the older world, the newer one, arguments, the exit code
ENDINGS: dict[str, tuple[World, World, tuple[str, ...], int]] = {
    "nothing at all": (LATE, LATE, (), 0),
    "a new failure": (World(), LATE, (), 1),
    "a new failure below the gate": (World(), UNOWNED, (), 0),
    "a new failure at its own gate": (World(), UNOWNED, ("--fail-on", "medium"), 1),
    "no gate": (World(), LATE, ("--fail-on", "none"), 0),
    "a waiver lapsed": (
        LATE.with_policy(waivers=[waiver()]), LATE.with_policy(waivers=[waiver()]).but(as_of=JUNE), (), 1,
    ),
    "a failure that is waived now": (LATE, LATE.with_policy(waivers=[waiver()]), (), 0),
    "rated worse": (UNOWNED, UNOWNED.with_policy(rules={"unowned": {"severity": "high"}}), (), 1),
    "rated milder": (LATE, LATE.with_policy(rules={"rotation-overdue": {"severity": "low"}}), (), 0),
    "mended": (LATE, World(), (), 0),
    "not seen": (LATE, World((), (DENIED,)), (), 3),
    "not seen, without a finding": (World(), World((credential("b", source="aws-iam"),), ({**SCOPE, "source": "aws-iam"},)), (), 3),
    "not decided": (World(), World((credential(created_at=None),)), (), 3),
    "a new failure where something was not seen": (World(), World((STALE,), ({**DENIED, "status": "partial"},)), (), 1),
}  # fmt: skip


@pytest.mark.parametrize("case", ENDINGS)
def test_the_exit_code_says_if_anything_is_new(case: str, tmp_path, command) -> None:
    old, new, arguments, code = ENDINGS[case]
    ended, document = Audits(tmp_path, command).diff(old, new, *arguments)
    assert (ended, document["summary"]["exit_code"]) == (code, code)


@pytest.fixture
def audited(tmp_path, command) -> Path:
    audits = Audits(tmp_path, command)
    other = credential("other", "2026-04-20T00:00:00Z", owner=None)
    audits.scan(World((CROSSING, other)), "old")
    audits.scan(World((CROSSING, credential("other", "2026-04-20T00:00:00Z")), as_of=JUNE), "new")
    return tmp_path


def test_the_terminal_says_what_came_of_it_then_each_change_with_its_reason(audited, command) -> None:
    shown = command(*BOTH).stdout.decode()
    assert shown.startswith("1 new or worse failure at or above high.\n")
    assert "findings   1 appeared, 1 fixed, 0 the same" in shown
    assert "high  KA101 rotation-overdue  key\n      vault kv · production · o@acme.example" in shown
    assert "    clock: its limit, 2026-05-16T00:00:00Z, was passed between the two audits" in shown
    assert "        owner: none → o@acme.example" in shown


@pytest.mark.parametrize("width", [80, 200])
def test_the_terminal_keeps_to_its_width(width: int, audited, keyaudit) -> None:
    shown = keyaudit(*BOTH, COLUMNS=str(width)).stdout.decode()
    assert max(map(len, shown.splitlines())) <= width
    assert (max(map(len, shown.splitlines())) > 80) == (width == 200)


def test_a_folder_gets_a_file_a_format(audited, command) -> None:
    formats = ("--format", "terminal", "--format", "json", "--format", "markdown")
    done = command(*BOTH, *formats, "--output", "out")
    assert (done.returncode, done.stdout) == (1, b"")
    assert {file.name for file in (audited / "out").iterdir()} == {"diff.txt", "diff.json", "diff.md"}
    document = json.loads((audited / "out/diff.json").read_bytes())
    assert document["schema"] == "keyaudit/diff/1"
    assert document["summary"]["new_failures"] == {"high": 1}
    assert (audited / "out/diff.md").read_text().startswith("# keyaudit diff: 1 new or worse failure")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("old/report.json", "old/report.json"), "OLD and NEW are both old/report.json"),
        (("old/report.json", "none.json"), "none.json: No such file"),
        (("old/report.json", "old-inventory.json"), "schema: expected keyaudit/report/1"),
        (("old/report.json", "new/report.json", "--format", "json", "--format", "markdown"), "one document"),
        (("old/report.json",), "Missing argument 'NEW.JSON'"),
    ],
)
def test_what_cannot_be_compared_is_2_and_says_so(words, said, audited, command) -> None:
    done = command("diff", *words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()


def test_stdin_is_one_of_the_two(audited, keyaudit) -> None:
    done = keyaudit("diff", "-", "new/report.json", stdin=(audited / "old/report.json").read_bytes())
    assert done.returncode == 1
    assert b"old        -, as of" in done.stdout


def test_the_same_two_reports_give_the_same_bytes(audited, keyaudit) -> None:
    one, other = (keyaudit(*BOTH, "--format", "json", PYTHONHASHSEED=seed).stdout for seed in ("1", "2"))
    assert one == other


@pytest.mark.parametrize("form", [difference_terminal, difference_markdown])
def test_names_that_strangers_wrote_cannot_act(form) -> None:
    report = sample_report(findings=len(NAMES) * 2)
    scopes = tuple(Coverage(name, name, ScopeStatus.FAILED, reason=name) for name in NAMES)
    hostile = with_names(report)
    nothing = replace(hostile, findings=(), coverage=scopes)
    for old, new in ((nothing, hostile), (hostile, nothing)):
        found = compare(old, new, fail_on=Severity.HIGH)
        assert len(found.changes) == len(hostile.findings)
        text = form.render(found, ("\x1b[31mold\n", "new|`x`")).decode()
        assert not [line for line in text.splitlines() if UNSEEN.search(line)]
        assert "\x1b" not in text
        if form is difference_markdown:
            tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
            leaves = [leaf for token in tokens for leaf in (token.children or [token])]
            assert {leaf.content for leaf in leaves if leaf.type.startswith("html")} == {"<br>"}
            assert not [leaf for leaf in leaves if leaf.type in {"link_open", "image", "em_open"}]


def test_ten_thousand_findings_are_compared_in_seconds_and_cut_in_print() -> None:
    old, new = large_report(5_000), large_report(10_000)
    started = time.process_time()
    found = compare(old, new, fail_on=Severity.HIGH)
    shown = difference_terminal.render(found, ("old", "new"))
    page = difference_markdown.render(found, ("old", "new"))
    assert time.process_time() - started < 20
    assert sum(found.same.values()) + found.counts[Kind.APPEARED] + found.counts[Kind.CHANGED] == len(
        new.findings
    )
    assert b"more (see --format json)" in shown
    assert len(page) < 1_048_576


def test_limits_are_what_rules_call_their_durations() -> None:
    named = {
        name for params in CATALOGUE.values() for name, param in params.items() if param.kind == "duration"
    }
    assert named == LIMITS


def test_rules_that_time_never_turns_show_no_age_and_no_date() -> None:
    dated = {
        rule.id
        for rule in RULES
        if any(name.endswith(("_at", "_for", "_min", "_max")) for name in rule.evidence)
    }
    assert TIMELESS & dated == {"KA106"}, "schedule_interval_max is a length that does not grow"
    assert {rule.id for rule in RULES} >= TIMELESS


def test_every_limit_that_time_reaches_is_in_the_evidence_of_its_rule() -> None:
    rules = {rule.id: rule for rule in RULES}
    for rule, limits in SINCE.items():
        for fact, limit in limits:
            assert fact in rules[rule].evidence
            assert limit is None or limit in {*rules[rule].evidence, *rules[rule].params}


def test_every_duration_is_known_to_grow_with_time_or_not_to() -> None:
    lasting = {
        "old_used_min", "old_used_max", "replaced_after", "schedule_interval_max", "rotation_period",
        "grace_period", "overdue_tolerance", "staging_lead", "record_gap_min", "record_gap_max",
        "age_in_period_min", "age_in_period_max", "owed_in_period_min", "late_by_min", "late_by_max",
    }  # fmt: skip
    assert lasting | AGEING == facts.DURATIONS
    assert not lasting & AGEING

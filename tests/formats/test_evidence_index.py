"""The evidence index: every control, and under it everything in the report that supports its result."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit.formats import render
from keyaudit.formats.visible import visible
from keyaudit.model import Operation, Report, Verdict

SAMPLE = sample_report(60)
LEDGER, SAMPLED = SAMPLE.ledger, SAMPLE.sample
assert LEDGER is not None
assert SAMPLED is not None
HISTORY = LEDGER.history
assert HISTORY is not None


def index(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render("evidence-index", report).decode(), newline="")))


def under(report: Report, framework: str, control: str, kind: str) -> list[dict[str, str]]:
    return [
        row
        for row in index(report)
        if (row["framework"], row["control"], row["kind"]) == (framework, control, kind)
    ]


def test_references_count_the_rows() -> None:
    found = [row["reference"] for row in index(SAMPLE)]
    assert found == [f"E{number:06}" for number in range(1, len(found) + 1)]


def test_what_everything_rests_on_comes_first_with_its_digest() -> None:
    documents = [row for row in index(SAMPLE) if row["kind"] == "document"]
    assert documents == index(SAMPLE)[: len(documents)]
    digests = {row["item"]: row["identity"] for row in documents}
    assert digests == {
        "report keyaudit/report/1": json.loads(render("json", SAMPLE))["sha256"],
        "inventory": SAMPLE.inventory.sha256,
        "policy acme-credential-rotation": SAMPLE.policy.sha256,
        **{f"framework {each.id}": each.sha256 for each in SAMPLE.frameworks},
        "policy acme-credential-rotation, until January": "e6" * 32,
        "history keyaudit/history/1": "fa" * 32,
        **{f"history {each.file}": each.sha256 or "" for each in HISTORY.files},
        "population of the sample": "fb" * 32,
    }
    assert documents[0]["says"] == "the whole report, by keyaudit 0.1.0, as of 2026-05-01T00:00:00Z"


def test_every_scope_says_what_came_of_it() -> None:
    scopes = {row["item"]: row for row in index(SAMPLE) if row["kind"] == "scope"}
    assert len(scopes) == len(SAMPLE.coverage)
    failed = scopes["vault kv/payments"]
    assert failed["verdict"] == "failed"
    assert failed["says"] == "could not be read; 1 call; permission denied (403)"


def test_every_control_has_its_result_rules_findings_waivers_and_what_else_is_needed() -> None:
    for control in SAMPLE.controls:
        (result,) = under(SAMPLE, control.framework, control.id, "result")
        assert result["verdict"] == result["result"] == control.result
        assert result["says"].endswith(control.reason)
        rules = [row["item"].split()[0] for row in under(SAMPLE, control.framework, control.id, "rule")]
        assert rules == list(control.rules)
        named = [
            finding
            for finding in SAMPLE.findings
            if (control.framework, control.id) in {(each.framework, each.id) for each in finding.controls}
        ]
        findings = under(SAMPLE, control.framework, control.id, "finding")
        assert [row["identity"] for row in findings] == [finding.fingerprint for finding in named]
        assert [row["verdict"] for row in findings] == [finding.verdict for finding in named]
        waivers = under(SAMPLE, control.framework, control.id, "waiver")
        assert {row["item"] for row in waivers} == {each.waiver for each in named if each.waiver}
        manual = under(SAMPLE, control.framework, control.id, "manual")
        assert [row["says"] for row in manual] == list(control.manual_evidence)


def test_a_waiver_says_who_accepted_what_until_when() -> None:
    assert any(finding.verdict is Verdict.WAIVED for finding in SAMPLE.findings)
    (waiver,) = under(SAMPLE, "soc2", "CC6.1", "waiver")
    assert waiver["verdict"] == "active"
    assert waiver["says"] == (
        "vendor has no second key slot; compensating control CC-7; approved by ciso@acme.example; "
        "until 2026-06-29, inclusive"
    )


def test_a_rules_counts_are_not_taken_for_the_controls() -> None:
    rule = under(large_report(1), "soc2", "CC6.1", "rule")[0]
    assert rule["says"] == "over all that it judged: 0 pass, 1 fail, 0 unknown, 0 waived, 0 not applicable"
    unused = under(large_report(1), "soc2", "CC6.1", "rule")[3]
    assert unused["says"].endswith("; not tested where last_used_at was not collected")


def test_without_frameworks_only_what_belongs_to_all_of_them_is_left() -> None:
    found = index(replace(SAMPLE, frameworks=(), controls=()))
    assert {row["kind"] for row in found} == {"document", "scope", "rotation", "sample"}
    instant = replace(SAMPLE, frameworks=(), controls=(), period=None, ledger=None, sample=None)
    assert {row["kind"] for row in index(instant)} == {"document", "scope"}


def test_every_credential_that_something_fell_due_of_is_an_item() -> None:
    found = {row["item"]: row for row in index(SAMPLE) if row["kind"] == "rotation" and not row["control"]}
    operated = (Operation.EXCEPTION, Operation.UNKNOWN, Operation.OPERATED)
    wanted = {visible(row.id): row for row in LEDGER.rows if row.operation in operated}
    assert set(found) == set(wanted)
    for name, row in wanted.items():
        assert found[name]["verdict"] == row.operation
    (late,) = (row for row in wanted.values() if row.name == "production/ledger-00015/smtp")
    assert found[late.id]["says"] == (
        "production/ledger-00015/smtp; aws-secrets-manager 111122223333/eu-central-1; 1 of 2 met, 1 late; "
        "version v1 due 2025-12-08T06:01:51Z: on-time, 22 d early; "
        "version v2 due 2026-02-14T00:19:27Z: overdue, 75 d late"
    )


def test_a_control_of_rotation_in_time_is_said_to_rest_on_the_ledger() -> None:
    about = next(control for control in SAMPLE.controls if control.id == "8.6.3")
    with_rule = replace(about, rules=(*about.rules, "KA111"))
    others = tuple(with_rule if control is about else control for control in SAMPLE.controls)
    report = replace(SAMPLE, controls=others)
    (said,) = under(report, "pci-dss", "8.6.3", "rotation")
    assert said["says"].startswith("Exceptions in the period: ")
    assert said["identity"] == "fa" * 32
    assert sum(row["kind"] == "rotation" and bool(row["control"]) for row in index(report)) == 1


def test_what_was_drawn_is_listed_in_its_order() -> None:
    found = [row for row in index(SAMPLE) if row["kind"] == "sample"]
    assert [row["item"] for row in found] == [each.id for each in SAMPLED.drawn]
    assert [row["identity"] for row in found] == [each.key for each in SAMPLED.drawn]


def test_no_cell_begins_a_formula() -> None:
    found = index(with_names(large_report(1)))
    assert sum(row["kind"] == "finding" for row in found) == len(NAMES)
    for row in found:
        assert not any(cell.strip().startswith(("=", "+", "-", "@", "＝")) for cell in row.values())


def test_ten_thousand_findings_are_in_the_index() -> None:
    found = under(large_report(10_000), "soc2", "CC6.1", "finding")
    assert len(found) == 8000

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
from keyaudit.model import Report, Verdict

SAMPLE = sample_report(60)


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


def test_without_frameworks_only_documents_and_scopes_are_left() -> None:
    found = index(replace(SAMPLE, frameworks=(), controls=()))
    assert {row["kind"] for row in found} == {"document", "scope"}


def test_no_cell_begins_a_formula() -> None:
    found = index(with_names(large_report(1)))
    assert sum(row["kind"] == "finding" for row in found) == len(NAMES)
    for row in found:
        assert not any(cell.strip().startswith(("=", "+", "-", "@", "＝")) for cell in row.values())


def test_ten_thousand_findings_are_in_the_index() -> None:
    found = under(large_report(10_000), "soc2", "CC6.1", "finding")
    assert len(found) == 8000

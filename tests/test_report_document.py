"""`keyaudit/report/1`: what goes in comes out, and what was touched is refused."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.sample_report import sample_report
from keyaudit import model
from keyaudit.errors import InputError
from keyaudit.evidence.sampling import draw
from keyaudit.formats import wording
from keyaudit.policy.frameworks import EVIDENCE
from keyaudit.report_document import (
    consistency,
    digest,
    evidence_shapes,
    from_document,
    read,
    shapes,
    to_document,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
COUNT = st.integers(0, 2**53)
INSTANT = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
DURATION = st.integers(-(10**17), 10**17)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "int": COUNT,
    "str": TEXT,
    "str | None": maybe(TEXT),
    "int | None": maybe(COUNT),
    "bool": st.booleans(),
    "bool | None": maybe(st.booleans()),
    "tuple[str, ...]": some(TEXT),
    "tuple[str, ...] | None": maybe(some(TEXT)),
    "Verdict": st.sampled_from(model.Verdict),
    "Severity": st.sampled_from(model.Severity),
    "Severity | None": maybe(st.sampled_from(model.Severity)),
    "Basis": st.sampled_from(model.Basis),
    "ScopeStatus": st.sampled_from(model.ScopeStatus),
    "VersionState": st.sampled_from(model.VersionState),
    "Mapping[str, Any]": st.dictionaries(TEXT, st.none() | st.booleans() | COUNT | TEXT, max_size=3),
    "Mapping[Verdict, int]": st.dictionaries(st.sampled_from(model.Verdict), COUNT),
    "Mapping[Severity, int]": st.dictionaries(st.sampled_from(model.Severity), COUNT),
    "tuple[int, int] | None": maybe(st.tuples(INSTANT, INSTANT)),
    "LedgerResult": st.sampled_from(model.LedgerResult),
    "Operation": st.sampled_from(model.Operation),
    "Grace": st.sampled_from(model.Grace),
    "Mapping[Operation, int]": st.dictionaries(st.sampled_from(model.Operation), COUNT),
    "Mapping[LedgerResult, int]": st.dictionaries(st.sampled_from(model.LedgerResult), COUNT),
}
INSTANTS = {
    "as_of", "collected_at", "reviewed_on", "due_at", "starts", "ends", "created_at", "ends_at", "retired_at",
    "started_at", "finished_at", "replaced_from", "replaced_to", "at", "last_seen_at", "first_at", "last_at",
}  # fmt: skip
WORDS = {
    (model.ControlResult, "result"): shapes.RESULTS,
    (model.ControlResult, "evidence"): shapes.EVIDENCE,
    (model.WaiverResult, "status"): shapes.WAIVER_STATUSES,
    (model.Summary, "exit_code"): shapes.EXIT_CODES,
    (model.LedgerEntry, "basis"): evidence_shapes.BASES,
    (model.HistoryFile, "kind"): evidence_shapes.HISTORY_KINDS,
    (model.Sample, "strata"): [(), ("environment",), evidence_shapes.STRATA],
}
DURATIONS = {
    "rotation_period", "grace_period", "overdue_tolerance", "age_min", "age_max", "early_min", "early_max",
    "out_min", "out_max", "overlap_min", "overlap_max", "longest_min", "longest_max", "longest_gap",
}  # fmt: skip


def any_of(noun: Any) -> st.SearchStrategy[Any]:
    """Any value of a noun of the model, by the annotations of its fields."""
    fields = {}
    for name, annotation in noun.__annotations__.items():
        if (noun, name) in WORDS:
            fields[name] = st.sampled_from(WORDS[noun, name])
            continue
        number = INSTANT if name in INSTANTS else DURATION if name in DURATIONS else None
        if number is not None:
            fields[name] = maybe(number) if annotation.endswith("None") else number
        elif annotation in FIELDS:
            fields[name] = FIELDS[annotation]
        else:
            inner = annotation.removeprefix("tuple[").removeprefix("Sequence[").split(",")[0]
            inner = inner.removesuffix("]").removesuffix(" | None")
            one = any_of(getattr(model, inner))
            fields[name] = one if annotation == inner else maybe(one) if "None" in annotation else some(one)
    return st.builds(noun, **fields)


FIELDS["Sequence[CredentialRef] | None"] = maybe(st.just(()))
FIELDS["tuple[RecordSummary, ...] | None"] = maybe(some(any_of(model.RecordSummary)))


def ledger_of(
    population: Sequence[model.PopulationRow], ledger: model.Ledger, period: tuple[int, int]
) -> model.Ledger | None:
    """Let a ledger be of a population and a period; what its entries say stays as it is."""
    if population and not ledger.rows:
        return None
    rows = [row_of(one, ledger.rows[place % len(ledger.rows)]) for place, one in enumerate(population)]
    results = Counter(entry.result for row in rows for entry in row.entries)
    del results[model.LedgerResult.NOT_DUE]
    part = model.PolicyPart("policy", "digest", None, *period)
    operations = Counter(row.operation for row in rows)
    return replace(ledger, policies=(part,), operations=operations, results=results, rows=tuple(rows))


def row_of(one: model.PopulationRow, row: model.LedgerRow) -> model.LedgerRow:
    entries = row.entries[:1]
    results = Counter(entry.result for entry in entries)
    late = results[model.LedgerResult.LATE] + results[model.LedgerResult.OVERDUE]
    met, unclear = results[model.LedgerResult.ON_TIME], results[model.LedgerResult.UNKNOWN]
    fine = row.operation if row.operation is not model.Operation.EXCEPTION else model.Operation.UNKNOWN
    return replace(
        row,
        source=one.source,
        scope=one.scope,
        id=one.id,
        entries=entries,
        due=met + late + unclear,
        met=met,
        late=late,
        open=unclear,
        out_min=sum(entry.out_min for entry in entries),
        out_max=sum(entry.out_max for entry in entries),
        operation=model.Operation.EXCEPTION if late else fine,
    )


def consistent(report: model.Report) -> model.Report:
    """Let the counts of any report agree with what it lists."""
    findings = tuple(
        finding if finding.verdict in consistency.LISTED else replace(finding, verdict=model.Verdict.WAIVED)
        for finding in report.findings
    )
    listed = Counter((finding.rule, finding.verdict) for finding in findings)
    other = model.RuleResult(*"xx", None, model.Basis.POLICY, 0, 0, 0, 0, 0, (), *"tttt")
    by_id = {rule.id: rule for rule in report.rules}
    by_id |= {finding.rule: replace(other, id=finding.rule) for finding in findings}
    rules = tuple(
        replace(
            rule,
            failed=listed[rule.id, model.Verdict.FAIL],
            unknown=listed[rule.id, model.Verdict.UNKNOWN],
            waived=listed[rule.id, model.Verdict.WAIVED],
        )
        for rule in by_id.values()
    )
    frameworks = report.frameworks[:1]
    controls = tuple(
        replace(control, framework=frameworks[0].id, rules=(), exceptions=0, tested=control.population)
        for control in report.controls
        if frameworks
    )
    return replace(
        report,
        findings=findings,
        rules=rules,
        frameworks=frameworks,
        controls=controls,
        orphans=None if report.orphans is None else held_by_nobody(report.population),
        inventory=replace(report.inventory, credentials=len(report.population)),
        summary=summary(report, rules, findings),
        sample=report.sample and drawn_of(report.population, report.sample),
        ledger=report.ledger and report.period and ledger_of(report.population, report.ledger, report.period),
        baseline=None
        if report.baseline is None
        else replace(
            report.baseline,
            known=everything(findings),
            new=(),
            appeared=report.baseline.appeared and tuple({finding.fingerprint for finding in findings}),
            changed=report.baseline.changed and (),
        ),
    )


def drawn_of(population: tuple[model.PopulationRow, ...], said: model.Sample) -> model.Sample | None:
    """A sample of this population, where it is one of which a sample can be drawn."""
    listed = {(row.source, row.scope, row.id) for row in population}
    if len(listed) < len(population):
        return None
    return draw(population, max(said.size, 1), "seed", said.strata)


def everything(findings: tuple[model.Finding, ...]) -> int:
    """All failures are known from the baseline, so that none of them closes the gate."""
    return sum(finding.verdict is model.Verdict.FAIL for finding in findings)


def held_by_nobody(population: tuple[model.PopulationRow, ...]) -> tuple[model.CredentialRef, ...]:
    rows = {(row.source, row.scope, row.id): row for row in population}.values()
    return tuple(
        model.CredentialRef(row.source, row.scope, row.id, row.name, row.environment, row.owner)
        for row in rows
    )


def summary(
    report: model.Report, rules: tuple[model.RuleResult, ...], findings: tuple[model.Finding, ...]
) -> model.Summary:
    failed = Counter(
        finding.severity
        for finding in findings
        if finding.verdict is model.Verdict.FAIL and finding.severity is not None
    )
    gate = report.summary.fail_on
    return model.Summary(
        {v: sum(getattr(rule, consistency.FIELDS[v]) for rule in rules) for v in model.Verdict},
        dict(failed),
        gate,
        1 if gate and not report.baseline and any(severity.rank <= gate.rank for severity in failed) else 3,
    )


REPORTS = any_of(model.Report).map(consistent)


@given(REPORTS)
@settings(max_examples=60, deadline=None)
def test_a_report_survives_the_document(report: model.Report) -> None:
    document = to_document(report)
    assert from_document(document) == report
    assert read(msgspec.json.encode(document)) == report


@given(REPORTS)
@settings(max_examples=30, deadline=None)
def test_the_digest_can_be_checked_without_keyaudit(report: model.Report) -> None:
    document = to_document(report)
    claimed = document.pop("sha256")
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(canonical).hexdigest() == claimed


@given(REPORTS, st.data())
@settings(max_examples=60, deadline=None)
def test_no_damage_ends_in_anything_but_an_input_error(report: model.Report, data: st.DataObject) -> None:
    document = json.loads(msgspec.json.encode(to_document(report)))
    place, holders = document, []
    while isinstance(place, (dict, list)) and place and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        holders.append((place, key))
        place = place[key]
    if not holders:
        return
    holder, key = holders[-1]
    holder[key] = data.draw(st.none() | st.integers() | TEXT | st.just([]) | st.just({}) | st.floats())
    if data.draw(st.booleans()):
        try:
            document["sha256"] = digest(document)
        except (OverflowError, ValueError, TypeError):
            return
    try:
        from_document(document)
    except InputError as error:
        assert error.hint


SMALL = model.Report(
    version="0.1.0",
    as_of=1_777_593_600_000_000,
    period=None,
    policy=model.PolicySummary("acme", "ab", None, None, None, ()),
    frameworks=(),
    inventory=model.InventorySummary("cd", None, 0, 0),
    coverage=(model.Coverage("vault", "kv", model.ScopeStatus.FAILED, reason="denied"),),
    summary=model.Summary({}, {}, model.Severity.HIGH, 3),
    rules=(),
    controls=(),
    findings=(),
    waivers=(),
    population=(),
)


def test_the_keys_stand_in_the_order_of_the_contract() -> None:
    assert list(to_document(SMALL)) == [
        "schema", "tool", "as_of", "period", "policy", "frameworks", "inventory", "coverage", "summary",
        "rules", "controls", "findings", "waivers", "orphans", "population", "sha256",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected", "hint"),
    [
        ({"schema": "keyaudit/report/2"}, "report.json: schema: expected keyaudit/report/1", "--format json"),
        (
            {"as_of": "2026-05-02T00:00:00Z"},
            "report.json: sha256: does not fit the document",
            "changed after",
        ),
        ({"sha256": None}, "report.json: sha256: does not fit the document", "changed after"),
    ],
)
def test_another_document_is_refused(changes: dict[str, Any], expected: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        from_document({**to_document(SMALL), **changes})
    assert str(caught.value) == expected
    assert caught.value.hint is not None
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"as_of": "2026-05-01"}, "as_of: a date is not an instant: write 2026-05-01T00:00:00Z"),
        ({"as_of": 5}, "as_of: expected text"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"rules": {}}, "rules: expected a list"),
        ({"rules": [{"id": "KA101"}]}, "rules[0]: key 'basis' is missing"),
        ({"summary": None}, "summary: expected an object"),
        ({"tool": {"name": "other", "version": "1"}}, "tool: expected the name keyaudit and a version"),
        ({"period": {"from": "2026-05-01T00:00:00Z"}}, "period: expected null or an object with from and to"),
        ({"policy": {**to_document(SMALL)["policy"], "sha256": 1}}, "policy.sha256: expected text"),
    ],
)
def test_another_shape_is_refused_by_the_name_of_the_field(changes: dict[str, Any], expected: str) -> None:
    document = {**to_document(SMALL), **changes}
    document["sha256"] = digest(document)
    with pytest.raises(InputError) as caught:
        from_document(document)
    assert str(caught.value) == f"report.json: {expected}"


SAMPLE = replace(sample_report(25), sample=draw(sample_report(25).population, 5, "seed", ("environment",)))


def bumped(document: dict[str, Any], key: str, by: int = 1) -> None:
    document[key] += by


IDENTITY = ("source", "scope", "id")

# what somebody changes in a document before signing it again, and what gives it away
CONTRADICTIONS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a failure left out": (lambda d: d["findings"].pop(0), "fail: is"),
    "every finding left out": (lambda d: d["findings"].clear(), "but findings come to 0"),
    "a failure called a waiver": (lambda d: d["findings"][0].update(verdict="waived"), "fail: is"),
    "a rule that passes more": (
        lambda d: bumped(d["rules"][0], "pass", 5),
        "summary.verdicts.pass: is",
    ),
    "fewer unknown": (lambda d: bumped(d["summary"]["verdicts"], "unknown", -1), "summary.verdicts.unknown"),
    "milder": (lambda d: d["findings"][0].update(severity="info"), "summary.by_severity"),
    "a better exit code": (lambda d: d["summary"].update(exit_code=0), "summary.exit_code: 0 is not"),
    "an exit code of its own": (lambda d: d["summary"].update(exit_code=7), "expected one of 0, 1, 3"),
    "a count below zero": (lambda d: d["rules"][0].update(not_applicable=-1), "expected a count"),
    "more tested than there are": (
        lambda d: bumped(d["controls"][0], "tested", 10_000),
        "controls[0].tested",
    ),
    "a result that is no word of ours": (
        lambda d: d["controls"][0].update(result="compliant"),
        "controls[0].result: expected one of exception, no-exception",
    ),
    "a result against its exceptions": (
        lambda d: d["controls"][0].update(result="no-exception"),
        "no-exception with",
    ),
    "another evidence": (lambda d: d["controls"][0].update(evidence="total"), "controls[0].evidence"),
    "a framework that was not used": (lambda d: d["frameworks"].clear(), "is not among the frameworks"),
    "a rule of nowhere": (lambda d: d["controls"][0].update(rules=["KA999"]), "KA999 is not among the rules"),
    "a rule twice": (lambda d: d["rules"].append(d["rules"][0]), "twice"),
    "a waiver of another status": (lambda d: d["waivers"][0].update(status="fine"), "waivers[0].status"),
    "an orphan of nowhere": (
        lambda d: d["orphans"][0].update(id="x"),
        "orphans[0]: is not in the population",
    ),
    "an orphan twice": (lambda d: d["orphans"].append(d["orphans"][0]), "or stands here twice"),
    "orphans that are none": (lambda d: d.update(orphans=0), "orphans: expected a list"),
    "a credential left out": (lambda d: d["population"].pop(), "inventory.credentials: is"),
    "a sample of more": (lambda d: bumped(d["sample"], "population"), "sample.population: is"),
    "one of the sample left out": (lambda d: d["sample"]["drawn"].pop(), "sample.drawn: is 4"),
    "one of the sample from nowhere": (
        lambda d: d["sample"]["drawn"][2].update(id="x"),
        "number 3 is not in",
    ),
    "one of the sample twice": (
        lambda d: d["sample"]["drawn"][1].update({k: d["sample"]["drawn"][0][k] for k in IDENTITY}),
        "number 2 is not in",
    ),
    "a sample in another order": (lambda d: d["sample"]["drawn"].reverse(), "number 1 is not in"),
    "a reserve out of order": (lambda d: bumped(d["sample"]["reserves"][0], "order"), "number 6 is not in"),
    "a stratum left out": (lambda d: d["sample"]["parts"].pop(), "sample.parts: is"),
    "strata renamed": (lambda d: d["sample"]["strata"].append("owner"), "more or fewer values than strata"),
}


def test_the_sample_is_what_an_audit_could_have_written() -> None:
    assert from_document(to_document(SAMPLE)) == SAMPLE
    assert SAMPLE.controls[0].exceptions


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_is_refused_though_it_is_signed_again(case: str) -> None:
    change, said = CONTRADICTIONS[case]
    document = json.loads(msgspec.json.encode(to_document(SAMPLE)))
    change(document)
    document["sha256"] = digest(document)
    with pytest.raises(InputError) as caught:
        from_document(document)
    assert said in str(caught.value)


def test_the_words_are_those_of_the_formats_and_of_the_frameworks() -> None:
    assert tuple(wording.RESULTS) == shapes.RESULTS
    assert shapes.EVIDENCE == EVIDENCE


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b"[" * 100_000, b"null", b'{"schema": 1}']
)
def test_bytes_that_are_no_report_are_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        read(content, file="old.json")


def test_a_report_with_refused_evidence_cannot_claim_that_nothing_is_missing() -> None:
    refused = model.RecordSummary("records/a.ndjson", None, 0, "cannot be read")
    quiet = replace(sample_report(), records=(refused,))
    verdicts = {**quiet.summary.verdicts, model.Verdict.UNKNOWN: 0}
    rules = tuple(replace(rule, unknown=0, failed=0, waived=0) for rule in quiet.rules)
    verdicts = {v: sum(getattr(rule, consistency.FIELDS[v]) for rule in rules) for v in verdicts}
    quiet = replace(quiet, findings=(), rules=rules)
    for code in (3, 0):
        told = replace(
            quiet, summary=replace(quiet.summary, verdicts=verdicts, by_severity={}, exit_code=code)
        )
        if code == 3:
            assert from_document(to_document(told)).records == (refused,)
        else:
            with pytest.raises(InputError, match="is not what its findings come to"):
                from_document(to_document(told))

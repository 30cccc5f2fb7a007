"""The evidence index as CSV: per control, everything in the report that supports its result, numbered.

Columns: `reference` (what a workpaper cites: `E000017`), `framework`, `control`, `title`,
`result`, `kind`, `item`, `verdict`, `says`, `identity` (a SHA-256 or a finding's fingerprint).
Kinds: `document` and `scope` stand first and belong to every control, and so do a `rotation` for each
credential of which a value fell due in the audited period, or may have, and a `sample` for each that was
drawn. Then for each control its `result`, its `rule`s with their counts over the whole inventory, as
`rotation` what the ledger comes to where the control is about rotation in time, every `finding` that
names it, every `waiver` that covers one of those, and as `manual` what metadata cannot show and has to
be gathered elsewhere.

References count the rows: they hold for the report whose SHA-256 the first row carries. Cells
are as in the CSV of findings: nothing that a spreadsheet would run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from keyaudit import times
from keyaudit.formats import csv_table, ledger_text, sample_text, wording
from keyaudit.model import (
    ControlRef,
    ControlResult,
    Coverage,
    Finding,
    Ledger,
    LedgerResult,
    LedgerRow,
    Operation,
    Report,
    RuleResult,
    WaiverResult,
)
from keyaudit.report_document import SCHEMA, to_document

COLUMNS = (
    "reference", "framework", "control", "title", "result", "kind", "item", "verdict", "says", "identity",
)  # fmt: skip

Row = tuple[str | None, ...]


def render(report: Report) -> bytes:
    """Print one row an item of evidence under a heading row."""
    return csv_table.table(COLUMNS, rows(report))


def rows(report: Report) -> Iterator[Row]:
    """Number every item of evidence, in the order of the report."""
    for number, row in enumerate(_items(report), start=1):
        yield (f"E{number:06}", *row)


def _items(report: Report) -> Iterator[Row]:
    everywhere = (None, None, None, None)
    first = (_documents(report), map(_scope, report.coverage), _rotations(report), _sampled(report))
    for item in chain.from_iterable(first):
        yield (*everywhere, *item)
    rules = {rule.id: rule for rule in report.rules}
    waivers = {waiver.id: waiver for waiver in report.waivers}
    named = _named(report)
    for control in report.controls:
        about = (control.framework, control.id, control.title, control.result)
        found = named.get(ControlRef(control.framework, control.id), [])
        for item in _of_control(control, rules, waivers, report.findings, found):
            yield (*about, *item)
            if item[0] == "result" and report.ledger is not None and ledger_text.LATE_RULE in control.rules:
                yield (*about, *_operation(report.ledger))


def _named(report: Report) -> Mapping[ControlRef, Sequence[int]]:
    """Say at which positions the findings of each control stand; findings are made again when printed."""
    named: dict[ControlRef, list[int]] = defaultdict(list)
    for position, finding in enumerate(report.findings):
        for control in finding.controls:
            named[control].append(position)
    return named


def _documents(report: Report) -> Iterator[Row]:
    says = f"the whole report, by keyaudit {report.version}, as of {times.format_instant(report.as_of)}"
    yield "document", f"report {SCHEMA}", None, says, to_document(report)["sha256"]
    count = wording.plural(report.inventory.credentials, "credential")
    collected = wording.collected(report) or "not said when"
    yield "document", "inventory", None, f"{count}; collected: {collected}", report.inventory.sha256
    approved = report.policy.approved_by or "nobody"
    yield "document", f"policy {report.policy.name}", None, f"approved by {approved}", report.policy.sha256
    for framework in report.frameworks:
        item = f"framework {framework.id}"
        yield "document", item, None, f"{framework.name} {framework.version}", framework.sha256
    if report.ledger is not None:
        yield from _ledger_documents(report.ledger)
    if report.sample is not None:
        says = f"sample: {sample_text.drawn(report.sample)}"
        yield "document", "population of the sample", None, says, report.sample.population_sha256


def _ledger_documents(ledger: Ledger) -> Iterator[Row]:
    for part in ledger.policies[:-1]:
        yield "document", f"policy {part.name}", None, ledger_text.policy(part), part.sha256
    if ledger.history is not None:
        said = "all that was known of other times"
        yield "document", "history keyaudit/history/1", None, said, ledger.history.sha256
        for file in ledger.history.files:
            yield "document", f"history {file.file}", None, file.problem or file.kind, file.sha256


def _scope(scope: Coverage) -> Row:
    counts = {
        "credential": scope.credentials,
        "version": scope.versions,
        "call": scope.calls,
        "page": scope.pages,
    }
    said = [wording.plural(count, noun) for noun, count in counts.items() if count is not None]
    asked = scope.identity and f"asked as {scope.identity}"
    parts = [wording.STATUSES[scope.status], *said, scope.reason, asked]
    says = "; ".join(part for part in parts if part)
    return "scope", f"{scope.source} {scope.scope}", scope.status, says, None


def _rotations(report: Report) -> Iterator[Row]:
    """List what a control of rotation operated on, or may have; not what nothing was due of."""
    for row in report.ledger.rows if report.ledger else ():
        if row.operation not in (Operation.DID_NOT_OPERATE, Operation.NOT_REQUIRED):
            said = [row.name, f"{row.source} {row.scope}", ledger_text.standing(row), *_values(row)]
            yield "rotation", row.id, row.operation, "; ".join(said), None


def _values(row: LedgerRow) -> Iterator[str]:
    for entry in row.entries:
        if entry.result is not LedgerResult.NOT_DUE:
            due = "a day not known" if entry.due_at is None else times.format_instant(entry.due_at)
            yield f"version {entry.version} due {due}: {entry.result}, {ledger_text.lateness(entry)}"


def _operation(ledger: Ledger) -> Row:
    history = ledger.history.sha256 if ledger.history else None
    says = f"{ledger_text.headline(ledger)} Credentials: {ledger_text.operations(ledger)}."
    return "rotation", "the rotation ledger", None, says, history


def _sampled(report: Report) -> Iterator[Row]:
    for each in report.sample.drawn if report.sample else ():
        says = f"number {each.order:,} of the sample; {each.name}; {each.source} {each.scope}"
        yield "sample", each.id, None, says, each.key


def _of_control(
    control: ControlResult,
    rules: Mapping[str, RuleResult],
    waivers: Mapping[str, WaiverResult],
    findings: Sequence[Finding],
    found: Sequence[int],
) -> Iterator[Row]:
    tested = f"{control.tested:,} of {control.population:,} tested, {control.exceptions:,} with an exception"
    says = f"{tested}; metadata is {control.evidence} evidence; {control.reason}"
    yield "result", f"{control.framework} {control.id}", control.result, says, None
    for name in control.rules:
        if name in rules:
            yield _rule(rules[name])
    used: dict[str, None] = {}
    for position in found:
        finding = findings[position]
        if finding.waiver:
            used[finding.waiver] = None
        yield _finding(finding)
    for name in used:
        yield _waiver(name, waivers.get(name))
    for needed in control.manual_evidence:
        yield "manual", "to be gathered elsewhere", None, needed, None


def _rule(rule: RuleResult) -> Row:
    counts = (
        f"over all that it judged: {rule.passed:,} pass, {rule.failed:,} fail, {rule.unknown:,} unknown, "
        f"{rule.waived:,} waived, {rule.not_applicable:,} not applicable"
    )
    says = "; ".join(_present([counts, wording.untested(rule)]))
    return "rule", f"{rule.id} {rule.name}", None, says, None


def _finding(finding: Finding) -> Row:
    where = [finding.credential.source, finding.credential.scope] if finding.credential else []
    version = f"version {finding.version}" if finding.version else None
    item = " ".join(_present([finding.rule, wording.subject(finding)]))
    says = "; ".join(_present([finding.message, " ".join(where), version]))
    return "finding", item, finding.verdict, says, finding.fingerprint


def _waiver(name: str, waiver: WaiverResult | None) -> Row:
    if waiver is None:
        return "waiver", name, None, None, None
    until = None if waiver.ends is None else f"until {times.format_date(waiver.ends - 1)}, inclusive"
    by = waiver.approved_by and f"approved by {waiver.approved_by}"
    return "waiver", name, waiver.status, "; ".join(_present([waiver.reason, by, until])), None


def _present(parts: Iterable[str | None]) -> Iterator[str]:
    return (part for part in parts if part)

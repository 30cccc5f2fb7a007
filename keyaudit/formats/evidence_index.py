"""The evidence index as CSV: per control, everything in the report that supports its result, numbered.

Columns: `reference` (what a workpaper cites: `E000017`), `framework`, `control`, `title`,
`result`, `kind`, `item`, `verdict`, `says`, `identity` (a SHA-256 or a finding's fingerprint).
Kinds: `document` and `scope` stand first and belong to every control; then for each control its
`result`, its `rule`s with their counts over the whole inventory, every `finding` that names it,
every `waiver` that covers one of those, and as `manual` what metadata cannot show and has to be
gathered elsewhere.

References count the rows: they hold for the report whose SHA-256 the first row carries. Cells
are as in the CSV of findings: nothing that a spreadsheet would run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from keyaudit import times
from keyaudit.formats import csv_table, wording
from keyaudit.model import ControlRef, ControlResult, Coverage, Finding, Report, RuleResult, WaiverResult
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
    for item in (*_documents(report), *map(_scope, report.coverage)):
        yield (*everywhere, *item)
    rules = {rule.id: rule for rule in report.rules}
    waivers = {waiver.id: waiver for waiver in report.waivers}
    named = _named(report)
    for control in report.controls:
        about = (control.framework, control.id, control.title, control.result)
        found = named.get(ControlRef(control.framework, control.id), [])
        for item in _of_control(control, rules, waivers, report.findings, found):
            yield (*about, *item)


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


def _scope(scope: Coverage) -> Row:
    counts = {
        "credential": scope.credentials,
        "version": scope.versions,
        "call": scope.calls,
        "page": scope.pages,
    }
    said = [wording.plural(count, noun) for noun, count in counts.items() if count is not None]
    parts = [wording.STATUSES[scope.status], *said, scope.reason]
    says = "; ".join(part for part in parts if part)
    return "scope", f"{scope.source} {scope.scope}", scope.status, says, None


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

"""What stands on each sheet of the workbook: headings, widths and rows, as plain data.

Instants are RFC 3339 text, UTC, exact to the microsecond, which a spreadsheet's dates are not;
what an auditor sorts by is a number beside it (`days_late`, `age_days`), whole days, rounded
down. A column that is empty on every row is for the auditor to fill in.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit import times
from keyaudit.formats import csv_table, evidence_index, wording, xlsx_period
from keyaudit.formats.xlsx_sheet import Row, Sheet, days
from keyaudit.model import ControlResult, Report, RuleResult, Severity, Verdict, WaiverResult

LIMITS = (
    "Made from metadata alone: no secret value was read. It says nothing of how strong a value is, of what "
    "it may do, or of whether a provider really refuses an old one unless the provider says so."
)


def sheets(report: Report, most_rows: int) -> Iterator[Sheet]:
    """Give the sheets in their order; the first says which of them end after `most_rows`."""
    yield Sheet("Summary", ("what", "value"), _summary(report, most_rows))
    yield Sheet("Not tested", ("what", "why"), ((gap.what, gap.why) for gap in wording.gaps(report)))
    yield _coverage(report)
    yield _criteria(report)
    yield Sheet("Controls", _CONTROL_COLUMNS, (_control(control) for control in report.controls))
    yield _findings(report)
    yield _population(report)
    yield from xlsx_period.sheets(report)
    yield Sheet("Rules", _RULE_COLUMNS, (_rule(rule) for rule in report.rules))
    yield Sheet("Waivers", _WAIVER_COLUMNS, (_waiver(waiver) for waiver in report.waivers))
    if report.orphans is not None:
        columns = ("source", "scope", "id", "name")
        rows = ((each.source, each.scope, each.id, each.name) for each in report.orphans)
        yield Sheet("Orphans", columns, rows, long=True)
    yield Sheet("Evidence index", evidence_index.COLUMNS, evidence_index.rows(report), long=True)


def _summary(report: Report, most_rows: int) -> Iterator[Row]:
    yield "keyaudit", report.version
    yield "as of", times.format_instant(report.as_of)
    if report.period:
        yield "period", "/".join(map(times.format_instant, report.period))
    yield "all times", "UTC"
    yield from xlsx_period.summary(report)
    yield "in short", wording.headline(report)
    yield "exit code", report.summary.exit_code
    yield "failures by severity", wording.severity_counts(report)
    for verdict in Verdict:
        yield f"verdicts: {verdict}", report.summary.verdicts.get(verdict, 0)
    yield "what was not tested", wording.plural(len(wording.gaps(report)), "entry", "entries")
    if baseline := wording.baseline(report):
        yield "baseline", baseline
    if orphans := wording.orphans(report):
        yield "keys without a store", orphans
    yield "policy", report.policy.name
    yield "policy SHA-256", report.policy.sha256
    yield "policy approved by", report.policy.approved_by or "nobody"
    reviewed = report.policy.reviewed_on
    yield "policy reviewed on", "never" if reviewed is None else times.format_date(reviewed)
    for framework in report.frameworks:
        yield f"framework {framework.id}", f"{framework.name} {framework.version}"
        yield f"framework {framework.id}: scope", framework.scope_note
        yield f"framework {framework.id}: SHA-256", framework.sha256
    yield "inventory SHA-256", report.inventory.sha256
    yield "inventory collected", wording.collected(report) or "not said when"
    yield "credentials", report.inventory.credentials
    yield "versions", report.inventory.versions
    for name, count in (("Findings", len(report.findings)), ("Population", len(report.population))):
        if count > most_rows:
            yield f"sheet {name}", f"the first {most_rows:,} of {count:,}: the JSON report has them all"
    yield "limits", LIMITS


def _coverage(report: Report) -> Sheet:
    columns = (
        "source", "scope", "status", "credentials", "versions", "calls", "pages", "started_at", "finished_at",
        "reason", "cannot_know",
    )  # fmt: skip
    rows = (
        (
            scope.source,
            scope.scope,
            scope.status,
            scope.credentials,
            scope.versions,
            scope.calls,
            scope.pages,
            _instant(scope.started_at),
            _instant(scope.finished_at),
            scope.reason,
            ", ".join(scope.cannot_know),
        )
        for scope in report.coverage
    )
    return Sheet("Coverage", columns, rows)


def _criteria(report: Report) -> Sheet:
    columns = (
        "schedule", "framework", "match", "rotation_period", "grace_period", "overdue_tolerance",
        "credentials",
    )  # fmt: skip
    rows = (
        (
            schedule.name,
            schedule.framework,
            schedule.match,
            _duration(schedule.rotation_period),
            _duration(schedule.grace_period),
            _duration(schedule.overdue_tolerance),
            schedule.credentials,
        )
        for schedule in report.policy.schedules
    )
    return Sheet("Criteria", columns, rows)


_CONTROL_COLUMNS = (
    "framework", "control", "title", "summary", "result", "reason", "evidence", "modality", "rules",
    "exceptions", "tested", "population", "unclassified", "manual_evidence", "source",
    "auditors_conclusion", "performed_by", "reviewed_by",
)  # fmt: skip


def _control(control: ControlResult) -> Row:
    return (
        control.framework,
        control.id,
        control.title,
        control.summary,
        control.result,
        control.reason,
        control.evidence,
        control.modality,
        ", ".join(control.rules),
        control.exceptions,
        control.tested,
        control.population,
        control.unclassified,
        "; ".join(control.manual_evidence),
        "; ".join(control.source),
    )


def _findings(report: Report) -> Sheet:
    columns = (*csv_table.COLUMNS, "days_late", "management_response")
    rows = (
        (*csv_table.finding_cells(finding), _days_late(finding.due_at, report.as_of))
        for finding in report.findings
    )
    return Sheet("Findings", columns, rows, long=True)


def _population(report: Report) -> Sheet:
    columns = (*csv_table.POPULATION_COLUMNS, "age_days", "age_days_at_most", "days_late")
    rows = (
        (
            *csv_table.credential_cells(row),
            days(row.age_min),
            days(row.age_max),
            _days_late(row.due_at, report.as_of),
        )
        for row in report.population
    )
    return Sheet("Population", columns, rows, long=True)


_RULE_COLUMNS = (
    "rule", "name", "title", "severity", "basis", "pass", "fail", "unknown", "not_applicable", "waived",
    "not_tested",
)  # fmt: skip


def _rule(rule: RuleResult) -> Row:
    severity: Severity | None = rule.severity
    counts = (rule.passed, rule.failed, rule.unknown, rule.not_applicable, rule.waived)
    return (rule.id, rule.name, rule.title, severity, rule.basis, *counts, wording.untested(rule))


_WAIVER_COLUMNS = (
    "waiver", "status", "matched", "rules", "reason", "requested_by", "approved_by", "first_day", "last_day",
    "problems",
)  # fmt: skip


def _waiver(waiver: WaiverResult) -> Row:
    return (
        waiver.id,
        waiver.status,
        waiver.matched,
        ", ".join(waiver.rules),
        waiver.reason,
        waiver.requested_by,
        waiver.approved_by,
        None if waiver.starts is None else times.format_date(waiver.starts),
        None if waiver.ends is None else times.format_date(waiver.ends - 1),
        "; ".join(waiver.problems),
    )


def _instant(value: int | None) -> str | None:
    return None if value is None else times.format_instant(value)


def _duration(value: int | None) -> str | None:
    return None if value is None else times.format_duration(value)


def _days_late(due_at: int | None, as_of: int) -> int | None:
    """Count whole days since it fell due; negative while it has not."""
    return None if due_at is None else days(as_of - due_at)

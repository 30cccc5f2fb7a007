"""The report as GitHub Markdown, made for a job summary: short, capped, and safe to paste.

Text from stores stands in code spans, where no mark-up, HTML, mention or link is recognised;
only sentences of plain letters and figures stand outside them. GitHub drops a summary of more
than 1 MiB whole, so rows stop well before that and the rest is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from keyaudit import times
from keyaudit.formats import history_text, ledger_text, ledger_view, sample_text, wording
from keyaudit.formats.visible import visible
from keyaudit.model import ControlResult, Finding, Report, Verdict

LARGEST = 900_000
"""Bytes of the whole document; GitHub's limit for a step is 1,048,576."""
MOST_FINDINGS = 500
MOST_GAPS = 50
MOST_CONTROLS = 150
MOST_ORPHANS = 50
MOST_NEW = 100
MOST_MISSED = 50
MOST_DRAWN = 100
MOST_POLICIES = 12

# A full stop ends a sentence or parts a number: `a.example` would become a link.
_TAME = re.compile(r"(?:[A-Za-z0-9 ,;()%'-]|[.:](?=[ 0-9]|$))*", re.ASCII)
# GitHub links GH-12 to an issue and seven or more hexadecimal digits to a commit.
_LINKED = re.compile(r"GH-\d|\b[0-9a-f]{7,}\b", re.ASCII | re.IGNORECASE)
_ORDER = list(wording.RESULTS)


def render(report: Report, *, entity: str | None = None) -> bytes:
    """Write the summary, what was not seen, the controls and the worst findings of `entity`'s audit."""
    parts = [
        f"# keyaudit: {wording.headline(report)}",
        _facts(report, entity),
        _gaps(report),
        _new(report),
        _controls(report),
        _rotations(report),
        _sample(report),
        _orphans(report),
    ]
    text = "\n\n".join(part for part in parts if part)
    return (text + _findings(report, LARGEST - len(text.encode())) + "\n").encode()


def code(text: str) -> str:
    """Put text in a code span that nothing in it can end, fit for a table cell."""
    shown = visible(text).strip(" ").replace("|", "\\|")
    if not shown:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{space}{shown}{space}{fence}"


def prose(text: str) -> str:
    """Leave a plain sentence as it is; put anything that could mean something in a code span."""
    return text if _TAME.fullmatch(text) and not _LINKED.search(text) else code(text)


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay cells out that are Markdown already."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _facts(report: Report, entity: str | None) -> str:
    policy, inventory = report.policy, report.inventory
    approved = f"approved by {code(policy.approved_by)}" if policy.approved_by else "not approved by anyone"
    reviewed = f", reviewed {times.format_date(policy.reviewed_on)}" if policy.reviewed_on is not None else ""
    collected = wording.collected(report) or "not known"
    verdicts = ", ".join(f"{report.summary.verdicts.get(verdict, 0):,} {verdict}" for verdict in Verdict)
    credentials = wording.plural(inventory.credentials, "credential")
    versions = wording.plural(inventory.versions, "version")
    rows = [
        ("As of", times.format_instant(report.as_of)),
        ("Audited", f"{credentials}, {versions}"),
        ("Collected", collected),
        ("Verdicts", verdicts),
        ("Failures", wording.severity_counts(report)),
        ("Policy", f"{code(policy.name)} ({code(policy.sha256[:12])}), {approved}{reviewed}"),
        ("keyaudit", code(report.version)),
    ]
    if baseline := wording.baseline(report):
        rows.insert(-1, ("Baseline", prose(baseline)))
    if orphans := wording.orphans(report):
        rows.insert(-1, ("Orphans", orphans))
    if report.period:
        rows.insert(1, ("Period", " to ".join(times.format_instant(end) for end in report.period)))
    if report.ledger:
        rows.insert(2, ("Rotations", ledger_text.headline(report.ledger)))
    if entity:
        rows.insert(0, ("Entity", code(entity)))
    return table(("", ""), rows)


def _gaps(report: Report) -> str:
    found = wording.gaps(report)
    if not found:
        return ""
    rows = [(code(gap.what), prose(gap.why)) for gap in found[:MOST_GAPS]]
    more = f"\n\n… and {len(found) - MOST_GAPS:,} more." if len(found) > MOST_GAPS else ""
    return f"## Not seen, so not passed\n\n{table(('What', 'Why'), rows)}{more}"


def _new(report: Report) -> str:
    found = wording.new_failures(report) if report.baseline else []
    if not found:
        return ""
    rows = [
        (
            str(finding.severity or "unrated"),
            f"{code(finding.rule)} {prose(finding.name)}",
            code(wording.subject(finding)),
        )
        for finding in found[:MOST_NEW]
    ]
    left = len(found) - MOST_NEW
    more = f"\n\n… and {left:,} more." if left > 0 else ""
    return f"## New or worse since the baseline\n\n{table(('Severity', 'Rule', 'Credential'), rows)}{more}"


def _controls(report: Report) -> str:
    if not report.controls:
        return ""
    ordered = sorted(report.controls, key=_rank)
    heading = ("Framework", "Control", "Title", "Result", "Exceptions", "Tested", "Population")
    listed = table(heading, [_control(control) for control in ordered[:MOST_CONTROLS]])
    left = len(ordered) - MOST_CONTROLS
    return f"## Results by control\n\n{listed}" + (f"\n\n… and {left:,} more controls." if left > 0 else "")


def _rank(control: ControlResult) -> int:
    return _ORDER.index(control.result) if control.result in _ORDER else len(_ORDER)


def _control(control: ControlResult) -> tuple[str, ...]:
    counts = (f"{count:,}" for count in (control.exceptions, control.tested, control.population))
    result = f"**{control.result}**" if control.result == "exception" else prose(control.result)
    return code(control.framework), code(control.id), prose(control.title), result, *counts


def _rotations(report: Report) -> str:
    found = ledger_view.of_report(report, rows=0, missed=MOST_MISSED)
    if report.ledger is None or found is None:
        return ""
    said = [
        ("Values", ledger_text.counts(report.ledger.results)),
        ("Credentials", ledger_text.operations(report.ledger)),
        ("History", prose(history_text.history(report) or "")),
        *(("Policy", prose(ledger_text.policy(part))) for part in report.ledger.policies[:MOST_POLICIES]),
    ]
    parts = [f"## Rotations in the period\n\n{table(('', ''), said)}"]
    if found.missed:
        heading = ("Result", "Credential", "Fell due", "Replaced", "Late")
        parts.append(table(heading, map(_missed, found.missed)))
    if (left := found.all_missed - len(found.missed)) > 0:
        parts.append(f"… and {left:,} more: see the ledger, HTML or JSON report.")
    return "\n\n".join(parts)


def _missed(each: ledger_view.Missed) -> tuple[str, ...]:
    row, entry = each.row, each.entry
    return (
        f"**{entry.result}**",
        f"{code(row.name)}<br>{code(f'{row.source} {row.scope}')}<br>version {code(entry.version)}",
        "not known" if entry.due_at is None else times.format_instant(entry.due_at),
        ledger_text.replaced(entry),
        ledger_text.lateness(entry),
    )


def _sample(report: Report) -> str:
    sample = report.sample
    if sample is None:
        return ""
    rows = [
        (f"{each.order:,}", code(each.name), code(f"{each.source} {each.scope}"), code(each.id))
        for each in sample.drawn[:MOST_DRAWN]
    ]
    left = len(sample.drawn) - len(rows)
    more = f"\n\n… and {left:,} more: see the sample or JSON report." if left > 0 else ""
    said = f"{code(sample_text.drawn(sample))}, population {code(sample.population_sha256)}"
    return f"## Sample\n\n{said}\n\n{table(('Order', 'Credential', 'Where', 'Id'), rows)}{more}"


def _orphans(report: Report) -> str:
    if not report.orphans:
        return ""
    rows = [
        (code(orphan.name), code(f"{orphan.source} {orphan.scope}"), code(orphan.id))
        for orphan in report.orphans[:MOST_ORPHANS]
    ]
    left = len(report.orphans) - MOST_ORPHANS
    more = f"\n\n… and {left:,} more keys: see the JSON report." if left > 0 else ""
    listed = table(("Key", "Where", "Id"), rows)
    return f"## Keys of providers that no store here is known to hold\n\n{wording.ORPHANS}\n\n{listed}{more}"


def _findings(report: Report, room: int) -> str:
    if not report.findings:
        return ""
    heading = ("Severity", "Rule", "Credential", "Finding", "Due", "Environment", "Owner")
    text = f"\n\n## Findings\n\n{table(heading, ())}"
    left = room - len(text.encode()) - 200
    lines = []
    for finding in report.findings[:MOST_FINDINGS]:
        line = f"\n| {' | '.join(_finding(finding, report.as_of))} |"
        left -= len(line.encode())
        if left < 0:
            break
        lines.append(line)
    hidden = len(report.findings) - len(lines)
    more = f"\n\n… and {hidden:,} more findings: see the HTML, CSV or JSON report." if hidden else ""
    return text + "".join(lines) + more


def _finding(finding: Finding, as_of: int) -> tuple[str, ...]:
    credential = finding.credential
    severity = finding.severity or "unrated"
    place = f"<br>{code(f'{credential.source} {credential.scope}')}" if credential else ""
    version = f"<br>version {code(finding.version)}" if finding.version else ""
    said = [prose(finding.message)]
    if finding.clause:
        said.append(f"required by {code(finding.clause)}")
    if finding.controls:
        said.append(", ".join(code(f"{control.framework} {control.id}") for control in finding.controls))
    if finding.waiver:
        said.append(f"waiver {code(finding.waiver)}")
    if finding.fix and finding.verdict is Verdict.FAIL:
        said.append(f"fix: {code(finding.fix)}")
    return (
        severity if finding.verdict is Verdict.FAIL else f"{finding.verdict} ({severity})",
        f"{code(finding.rule)} {prose(finding.name)}",
        f"{code(wording.subject(finding))}{place}{version}",
        "<br>".join(said),
        wording.due(finding, as_of) or "",
        code(credential.environment or "") if credential else "",
        code(credential.owner or "") if credential else "",
    )

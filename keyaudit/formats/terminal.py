"""The report for a terminal: what came of it, what was not seen, then what to mend and how.

Plain text unless colour is asked for: no boxes, nothing that a pager or a log cannot carry.
Commands stand on one line however long, so that they can be copied.
"""

from __future__ import annotations

import io
from collections import Counter

from rich.console import Console
from rich.text import Text

from keyaudit import times
from keyaudit.formats import terminal_period, wording
from keyaudit.formats.terminal_layout import grid, heading
from keyaudit.formats.visible import visible
from keyaudit.model import ControlResult, Finding, Report, Severity, Verdict

MOST_IN_FULL = 100
MOST_OF_A_GROUP = 10
MOST_GROUPS = 25
MOST_GAPS = 15
MOST_CONTROLS = 20
MOST_ORPHANS = 15
MOST_NEW = 50
NARROWEST = 40

_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "info": "dim",
}
_ASCII = str.maketrans({"·": "-", "…": "...", "—": "-", "×": "x"})


def render(
    report: Report,
    *,
    width: int = 80,
    colour: bool = False,
    group_by: str = "owner",
    ascii_only: bool = False,
    entity: str | None = None,
) -> bytes:
    """Lay the report out for `width` columns, findings grouped by `owner` or `environment`.

    `entity` is who was audited.

    `colour` adds ANSI colours; `ascii_only` escapes whatever is not ASCII, for logs that break on it.
    """
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, NARROWEST),
        force_terminal=colour,
        color_system="standard" if colour else None,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    _summary(console, report, entity)
    _gaps(console, report)
    _new(console, report)
    _controls(console, report)
    terminal_period.rotations(console, report)
    _findings(console, report, group_by)
    _orphans(console, report)
    terminal_period.sample(console, report)
    _next(console, report)
    text = "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())
    return text.translate(_ASCII).encode("ascii", "backslashreplace") if ascii_only else text.encode()


def _summary(console: Console, report: Report, entity: str | None) -> None:
    policy, inventory, verdicts = report.policy, report.inventory, report.summary.verdicts
    as_of = times.format_instant(report.as_of)
    audited = f"{visible(entity)} · " if entity else ""
    about = f"keyaudit {visible(report.version)} · {audited}{visible(policy.name)} · as of {as_of}"
    console.print(Text(about, style="dim"))
    console.print()
    style = {0: "bold green", 1: "bold red"}.get(report.summary.exit_code, "bold yellow")
    console.print(Text(wording.headline(report), style=style))
    console.print()
    counted = [
        wording.plural(inventory.credentials, "credential"),
        wording.plural(inventory.versions, "version"),
    ]
    if collected := wording.collected(report):
        counted.append(f"collected {collected}")
    rows = [
        ("audited", ", ".join(counted)),
        ("verdicts", ", ".join(f"{verdicts.get(verdict, 0):,} {verdict}" for verdict in Verdict)),
        ("failures", wording.severity_counts(report)),
        ("policy", f"{visible(policy.name)}, sha256 {policy.sha256[:12]}{_approved(report)}"),
    ]
    if baseline := wording.baseline(report):
        rows.append(("baseline", visible(baseline, longest=600)))
    if orphans := wording.orphans(report):
        rows.append(("orphans", orphans))
    if report.period:
        rows.append(("period", " to ".join(times.format_instant(end) for end in report.period)))
    rows += terminal_period.facts(report)
    console.print(grid(rows))


def _approved(report: Report) -> str:
    policy = report.policy
    approved = (
        f", approved by {visible(policy.approved_by)}" if policy.approved_by else ", not approved by anyone"
    )
    reviewed = f", reviewed {times.format_date(policy.reviewed_on)}" if policy.reviewed_on is not None else ""
    return approved + reviewed


def _gaps(console: Console, report: Report) -> None:
    found = wording.gaps(report)
    if not found:
        return
    heading(console, "Not seen, so not passed")
    rows = [(visible(gap.what, longest=60), visible(gap.why)) for gap in found[:MOST_GAPS]]
    console.print(grid(rows))
    if len(found) > MOST_GAPS:
        console.print(f"  … and {len(found) - MOST_GAPS:,} more (see --format html)")


def _new(console: Console, report: Report) -> None:
    """List what the baseline does not have: this is what a gate that is held against it looks at."""
    found = wording.new_failures(report) if report.baseline else []
    if not found:
        return
    heading(console, "New or worse since the baseline")
    rows = [
        (
            _label(finding),
            f"{visible(finding.rule)} {visible(finding.name)}",
            visible(wording.subject(finding)),
        )
        for finding in found[:MOST_NEW]
    ]
    console.print(grid(rows))
    if len(found) > MOST_NEW:
        console.print(f"  … and {len(found) - MOST_NEW:,} more (see --format json)")


def _controls(console: Console, report: Report) -> None:
    if not report.controls:
        return
    heading(console, "Results by control")
    rows = []
    for framework in report.frameworks:
        results = Counter(control.result for control in report.controls if control.framework == framework.id)
        words = ", ".join(f"{results[result]:,} {result}" for result in wording.RESULTS if results[result])
        rows.append((f"{visible(framework.id)} {visible(framework.version)}", words or "no control"))
    if rows:
        console.print(grid(rows))
    exceptions = [control for control in report.controls if control.result == "exception"]
    if not exceptions:
        return
    console.print()
    console.print(grid([_control(control) for control in exceptions[:MOST_CONTROLS]]))
    if len(exceptions) > MOST_CONTROLS:
        console.print(f"  … and {len(exceptions) - MOST_CONTROLS:,} more controls with exceptions")


def _control(control: ControlResult) -> tuple[Text | str, ...]:
    name = f"{visible(control.framework)} {visible(control.id)}"
    broken = wording.plural(control.exceptions, "exception")
    tested = f"{control.tested:,} of {control.population:,} tested"
    return name, Text(broken, style="red"), tested, visible(control.title)


def _group_name(finding: Finding, group_by: str) -> str:
    credential = finding.credential
    if credential is None:
        return "the audit itself"
    name = credential.owner if group_by == "owner" else credential.environment
    return visible(name, longest=100) if name else f"{group_by} not known"


def _urgency(findings: list[Finding]) -> tuple[int, int]:
    """Worst first: the rank of the worst failure, then how many there are."""
    ranks = [f.severity.rank for f in findings if f.verdict is Verdict.FAIL and f.severity]
    return min(ranks, default=len(Severity)), -len(findings)


def _findings(console: Console, report: Report, group_by: str) -> None:
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(_group_name(finding, group_by), []).append(finding)
    if not groups:
        return
    heading(console, f"Findings by {group_by}")
    few = len(report.findings) <= MOST_IN_FULL
    most, most_groups = (MOST_IN_FULL, MOST_IN_FULL) if few else (MOST_OF_A_GROUP, MOST_GROUPS)
    ordered = sorted(groups.items(), key=lambda group: (*_urgency(group[1]), group[0]))
    for name, findings in ordered[:most_groups]:
        _group(console, name, findings, report.as_of, group_by, most)
    rest = ordered[most_groups:]
    if rest:
        count = wording.plural(sum(len(findings) for _, findings in rest), "finding")
        console.print()
        console.print(f"… and {len(rest):,} more groups with {count} (see --format html)")


def _group(
    console: Console, name: str, findings: list[Finding], as_of: int, group_by: str, most: int
) -> None:
    counts = Counter(_label(finding).lower() for finding in findings)
    order = [*(severity.value for severity in Severity), "unrated", "unknown", "waived"]
    words = ", ".join(f"{counts[label]:,} {label}" for label in order if counts[label])
    console.print()
    console.print(Text.assemble((name, "bold underline"), f"  {words}"))
    for finding in findings[:most]:
        _finding(console, finding, as_of, group_by)
    if len(findings) > most:
        console.print(f"  … and {len(findings) - most:,} more (see --format html)")


def _label(finding: Finding) -> str:
    if finding.verdict is Verdict.FAIL:
        return (finding.severity or "unrated").upper()
    return finding.verdict.upper()


def _finding(console: Console, finding: Finding, as_of: int, group_by: str) -> None:
    label = _label(finding)
    style = _STYLES.get(label.lower(), "magenta")
    about = Text.assemble(
        (visible(finding.rule), "bold"),
        f" {visible(finding.name)}  ",
        (visible(wording.subject(finding)), "bold"),
    )
    about.append("\n" + visible(finding.message, longest=600))
    for line in _details(finding, as_of, group_by):
        about.append("\n" + line, style="dim")
    console.print(grid([(Text(f"{label:<8}", style=style), about)]))
    if finding.fix and finding.verdict is Verdict.FAIL:
        command = Text(f"            $ {visible(finding.fix, longest=4000)}", style="green")
        console.print(command, soft_wrap=True)


def _details(finding: Finding, as_of: int, group_by: str) -> list[str]:
    """Where it is, when it was due, which clause and controls, which waiver."""
    place = []
    if finding.credential:
        other = finding.credential.environment if group_by == "owner" else finding.credential.owner
        place = [f"{finding.credential.source} {finding.credential.scope}", other]
    if finding.version:
        place.append(f"version {finding.version}")
    controls = ", ".join(f"{control.framework} {control.id}" for control in finding.controls)
    demand = [finding.clause and f"required by {finding.clause}", controls]
    due = wording.due(finding, as_of)
    end = [due and f"due {due}", finding.waiver and f"waiver {finding.waiver}"]
    lines = [" · ".join(visible(part) for part in parts if part) for parts in (place, end, demand)]
    return [line for line in lines if line]


def _orphans(console: Console, report: Report) -> None:
    if not report.orphans:
        return
    heading(console, "Keys of providers that no store here is known to hold")
    rows = [
        (visible(orphan.name, longest=60), visible(f"{orphan.source} {orphan.scope} {orphan.id}"))
        for orphan in report.orphans[:MOST_ORPHANS]
    ]
    console.print(grid(rows))
    if len(report.orphans) > MOST_ORPHANS:
        console.print(f"  … and {len(report.orphans) - MOST_ORPHANS:,} more (see --format json)")


def _next(console: Console, report: Report) -> None:
    failed = [rule for rule in report.rules if rule.failed]
    steps = []
    if failed:
        worst = min(failed, key=lambda rule: (rule.severity.rank if rule.severity else 9, -rule.failed))
        steps.append((f"keyaudit explain {visible(worst.id)}", "why it matters and how to mend it"))
    if wording.gaps(report):
        steps.append(("keyaudit inventory show", "which facts were collected, and where they are missing"))
    if report.findings:
        steps.append(("keyaudit scan --format html --output DIR", "every finding, searchable, with pictures"))
        steps.append(("keyaudit scan --format pdf --output DIR", "the same, to be kept as evidence"))
    if steps:
        heading(console, "Next")
        console.print(grid(steps, whole=True))

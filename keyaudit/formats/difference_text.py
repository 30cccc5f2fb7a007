"""What two reports do not share, in the words that its formats for people have in common."""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit.formats import wording
from keyaudit.formats.visible import visible
from keyaudit.model import Finding, Report, Verdict
from keyaudit.report_difference.changes import Change, Kind, ReportDifference, ScopeChange, Shift
from keyaudit.report_difference.inputs import CALLED
from keyaudit.times import format_instant

SECTIONS: dict[Kind, tuple[str, str]] = {
    Kind.APPEARED: ("Appeared", "In the newer report only."),
    Kind.CHANGED: ("Changed", "In both, with another verdict or severity."),
    Kind.FIXED: ("Fixed", "A fact of the credential changed, and the finding is gone."),
    Kind.ENDED: ("No longer found", "Gone, and no failing credential was mended for it."),
    Kind.NOT_SEEN: ("Not seen", "In the older report only, and the newer audit could not look."),
}


def headline(found: ReportDifference) -> str:
    """Say in a sentence what the gate made of it."""
    incomplete = " Incomplete: not everything could be seen." if _incomplete(found) else ""
    if found.fail_on is None:
        new = wording.plural(sum(change.new_failure for change in found.changes), "new or worse failure")
        return f"The gate is off; {new} listed.{incomplete}"
    if found.gating:
        return f"{wording.plural(found.gating, 'new or worse failure')} at or above {found.fail_on}."
    return f"Nothing new at or above {found.fail_on}.{incomplete}"


def _incomplete(found: ReportDifference) -> bool:
    return found.exit_code == 3


def facts(found: ReportDifference, names: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """Name both reports, what they do not share, and count what came of it."""
    yield "old", _about(found.old, names[0])
    yield "new", _about(found.new, names[1])
    yield "differ in", ", ".join(CALLED[cause] for cause in found.inputs) or "nothing"
    counted = [
        f"{found.counts[kind]:,} {SECTIONS[kind][0].lower()}" for kind in SECTIONS if found.counts[kind]
    ]
    yield "findings", ", ".join([*counted, f"{sum(found.same.values()):,} the same"])
    if found.lost:
        yield "not seen", f"{wording.plural(found.lost, 'credential')} of the older report"
    if found.open:
        yield "undecided", f"{wording.plural(found.open, 'verdict')} of the newer report"


def _about(report: Report, name: str) -> str:
    policy = f"{visible(report.policy.name)} {report.policy.sha256[:12]}"
    listed = wording.plural(len(report.findings), "finding")
    return f"{visible(name)}, as of {format_instant(report.as_of)}, policy {policy}, {listed}"


def scope(change: ScopeChange) -> tuple[str, str]:
    """Name a scope and say what came of asking it, then and now."""
    said = [
        "not asked for" if side is None else str(side.status) + (f" ({side.reason})" if side.reason else "")
        for side in (change.old, change.new)
    ]
    return f"{visible(change.source)} {visible(change.scope)}", visible(" → ".join(said))


def label(change: Change) -> str:
    """Say how it is rated, and how it was where that changed."""
    now = _rating(change.finding)
    if change.old is None or change.new is None:
        return now
    return f"{_rating(change.old)} → {now}"


def _rating(finding: Finding) -> str:
    severity = finding.severity or "unrated"
    return str(severity) if finding.verdict is Verdict.FAIL else f"{finding.verdict} ({severity})"


def place(change: Change) -> str:
    """Say where the credential is and whose it is."""
    finding = change.finding
    if finding.credential is None:
        return ""
    credential = finding.credential
    parts = [f"{credential.source} {credential.scope}", credential.environment, credential.owner]
    parts.append(f"version {finding.version}" if finding.version else None)
    return " · ".join(visible(part) for part in parts if part)


def shift(change: Shift) -> str:
    """Say one fact then and now; digests are cut, and what did not change is said once."""
    digest = change.fact.endswith("sha256")
    old, new = (
        "none" if side is None else visible(side[:12] if digest else side, longest=200)
        for side in (change.old, change.new)
    )
    same = change.old == change.new
    return f"{visible(change.fact)}: {old}" if same else f"{visible(change.fact)}: {old} → {new}"

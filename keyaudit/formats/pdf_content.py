"""What the PDF puts on paper and what it leaves to the attachment: pure functions of a report.

A reader gets every finding of a small audit in full. Of a large one, the worst of each rule in
full, then one row each up to a limit, then the number of those that only the attached report
lists.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from keyaudit.model import (
    ControlResult,
    Finding,
    FrameworkResult,
    PopulationRow,
    Report,
    RuleResult,
    Severity,
    Verdict,
)

ALL_IN_FULL = 40
"""Findings; an audit with no more than this shows each of them in full."""
WORST_IN_FULL = 4
"""Findings of each rule that a larger audit shows in full."""
MOST_ROWS = 600
"""Rows for all rules together, shared out evenly; about thirty pages, and three seconds of layout."""
MOST_POPULATION = 120
"""Credentials; a larger population is summarised and attached."""
MOST_GROUPS = 20

_VERDICTS = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED, Verdict.NOT_APPLICABLE, Verdict.PASS)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A finding and its place, from 1, in the findings of the attached report."""

    number: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """The findings of one rule: `full`, then `rows`, and `hidden` more in the attachment.

    `bears` is False where the report is about one framework and none of its controls rests on them.
    """

    id: str
    name: str
    rule: RuleResult | None
    counts: dict[Verdict, int]
    clauses: tuple[str, ...]
    controls: tuple[str, ...]
    full: tuple[Numbered, ...]
    rows: tuple[Numbered, ...]
    hidden: int
    bears: bool = True


@dataclass(frozen=True, slots=True)
class Share:
    """How one part of the population fared."""

    name: str
    verdicts: Counter[Verdict]

    @property
    def total(self) -> int:
        """How many credentials are in it."""
        return self.verdicts.total()


def findings_by_rule(report: Report, framework: str | None = None) -> list[RuleFindings]:
    """Group findings by rule, the rule of the worst finding first.

    What bears on a control of `framework` comes before what does not.
    """
    grouped: dict[str, list[Numbered]] = defaultdict(list)
    for number, finding in enumerate(report.findings, 1):
        grouped[finding.rule].append(Numbered(number, finding))
    full = ALL_IN_FULL if len(report.findings) <= ALL_IN_FULL else WORST_IN_FULL
    room = _shares([max(len(found) - full, 0) for found in grouped.values()], MOST_ROWS)
    rules = {rule.id: rule for rule in report.rules}
    for found in grouped.values():
        found.sort(key=_worst_first)
    groups = [
        _rule_findings(rules.get(rule), found, full, rows, framework)
        for (rule, found), rows in zip(grouped.items(), room, strict=True)
    ]
    return sorted(groups, key=lambda group: not group.bears)


def _worst_first(each: Numbered) -> tuple[int, int, float, int]:
    """Failures before unknowns, then by severity, then what has been due longest."""
    finding = each.finding
    severity = len(Severity) if finding.severity is None else finding.severity.rank
    due = inf if finding.due_at is None else finding.due_at
    return _VERDICTS.index(finding.verdict), severity, due, each.number


def _shares(wanted: list[int], room: int) -> list[int]:
    """Share `room` out evenly; what a small group does not need goes to the larger ones."""
    given = [0] * len(wanted)
    ascending = sorted(range(len(wanted)), key=wanted.__getitem__)
    for done, index in enumerate(ascending):
        given[index] = min(wanted[index], room // (len(wanted) - done))
        room -= given[index]
    return given


def _rule_findings(
    rule: RuleResult | None, found: list[Numbered], full: int, rows: int, framework: str | None
) -> RuleFindings:
    first = found[0].finding
    controls = {f"{control.framework} {control.id}" for each in found for control in each.finding.controls}
    return RuleFindings(
        id=first.rule,
        name=first.name,
        rule=rule,
        counts=dict(Counter(each.finding.verdict for each in found)),
        clauses=tuple(sorted({each.finding.clause for each in found if each.finding.clause})),
        controls=tuple(sorted(controls)),
        full=tuple(found[:full]),
        rows=tuple(found[full : full + rows]),
        hidden=max(len(found) - full - rows, 0),
        bears=framework is None
        or any(control.framework == framework for each in found for control in each.finding.controls),
    )


def controls_by_framework(report: Report) -> list[tuple[FrameworkResult, list[ControlResult], Counter[str]]]:
    """Give each framework its controls and how many there are of each result."""
    parts = []
    for framework in report.frameworks:
        controls = [control for control in report.controls if control.framework == framework.id]
        parts.append((framework, controls, Counter(control.result for control in controls)))
    return parts


def population_shares(report: Report) -> list[tuple[str, list[Share], int]]:
    """Split the population by environment, class, owner and scope.

    Each part has its heading, its largest shares and the number of shares left out.
    """
    splits: tuple[tuple[str, Callable[[PopulationRow], str | None]], ...] = (
        ("Environment", lambda row: row.environment),
        ("Class", lambda row: row.cls),
        ("Owner", lambda row: row.owner),
        ("Source and scope", lambda row: f"{row.source} {row.scope}"),
    )
    return [(heading, *_split(report.population, key)) for heading, key in splits]


def _split(
    rows: Iterable[PopulationRow], key: Callable[[PopulationRow], str | None]
) -> tuple[list[Share], int]:
    counted: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for row in rows:
        counted[key(row) or "not known"][row.worst] += 1
    shares = sorted(
        (Share(name, verdicts) for name, verdicts in counted.items()), key=lambda s: (-s.total, s.name)
    )
    return shares[:MOST_GROUPS], max(len(shares) - MOST_GROUPS, 0)

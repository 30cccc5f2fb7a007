"""A report in one of the shapes: which controls it shows, in which words, and what is said of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from keyaudit import times
from keyaudit.errors import UsageError, did_you_mean
from keyaudit.formats import evidence_index, wording
from keyaudit.formats.chapters import Contents
from keyaudit.formats.presentation import Presentation
from keyaudit.formats.shapes import SHAPES, Shape
from keyaudit.formats.verification_steps import LIMITS, Evidence, steps
from keyaudit.model import ControlRef, ControlResult, Report

MOST_NAMED = 8
"""Rules that one control's line names; the chapter of rules has them all."""
MOST_LISTED = 200
"""Responses that are listed."""
MOST_ITEMS = 250
"""Items of evidence that are listed; the evidence index has them all."""


def shape_of(name: str, frameworks: Iterable[str]) -> Shape:
    """Find a shape for an audit by those frameworks; raises UsageError for one that does not fit."""
    shape = SHAPES.get(name)
    if shape is None:
        near = did_you_mean(name, SHAPES).removeprefix("; ")
        raise UsageError(f"no shape is called {name!r}", hint=near or f"shapes are {', '.join(SHAPES)}")
    if shape.framework is not None and shape.framework not in frameworks:
        raise UsageError(
            f"the shape {name} is for the framework {shape.framework}, which was not asked for",
            hint=f"--framework {shape.framework}, or --shape general",
        )
    return shape


@dataclass(frozen=True, slots=True)
class Item:
    """One numbered item of evidence."""

    reference: str
    item: str
    says: str


@dataclass(frozen=True)
class Shaped:
    """A report seen through a shape: `report` keeps only the controls that the shape is about.

    `left_out` names frameworks that were asked for beside it. `references` are the numbers of the
    evidence of each control, `items` the first of all items, `more_items` counts the rest. `evidence` is
    the bundle in which it lies.
    """

    shape: Shape
    report: Report
    presentation: Presentation
    evidence: Evidence | None
    left_out: tuple[str, ...]
    references: Mapping[ControlRef, str]
    items: tuple[Item, ...]
    more_items: int

    def contents(self, *, screen: bool, file: str) -> Contents:
        """Number the chapters that this report has."""
        report, said = self.report, self.presentation
        there: dict[str, object] = {
            "ledger": report.ledger,
            "sample": report.sample,
            "orphans": report.orphans,
            "responses": said.responses.answers,
            "distribution": said.distribution,
            "items": self.items,
            "verification": self.evidence or self.shape.retention_years,
        }
        if screen:
            there["sign-off"] = said.distribution or said.prepared_by or said.reviewed_by
        absent = [name for name, content in there.items() if not content]
        return Contents(self.shape.screen if screen else self.shape.paper, absent=absent, file=file)

    def word(self, result: str) -> str:
        """Say a control's result in the shape's words."""
        known = self.shape.words.get(result)
        return known.word if known else result

    def lines(self, control: ControlResult) -> list[tuple[str, str]]:
        """Say of a control what the shape's reader looks for, under the headings of that reader."""
        said = ((label, SAYS[name](self, control)) for label, name in self.shape.control)
        return [(label, text) for label, text in said if text]

    def identification(self, entity: str) -> list[tuple[str, str]]:
        """Say what was audited, by whom and when, under the headings of the shape's reader."""
        return [(label, IDENTIFIES[name](self, entity)) for label, name in self.shape.identification]

    def retention(self) -> str | None:
        """Say how long the framework has this document kept; None where it says nothing."""
        years = self.shape.retention_years
        if years is None:
            return None
        return (
            f"This document is kept for {years} years from when it was made or was last in effect, whichever "
            f"is later. It is not to be discarded before {_years_after(self.report.as_of, years)}."
        )


def shaped(report: Report, presentation: Presentation, evidence: Evidence | None = None) -> Shaped:
    """See a report through the shape that was asked for; raises UsageError for one that does not fit."""
    shape = shape_of(presentation.shape, [framework.id for framework in report.frameworks])
    if shape.framework is None:
        return Shaped(shape, report, presentation, evidence, (), {}, (), 0)
    kept = tuple(each for each in report.frameworks if each.id == shape.framework)
    left_out = tuple(
        f"{each.name} {each.version}" for each in report.frameworks if each.id != shape.framework
    )
    controls = tuple(each for each in report.controls if each.framework == shape.framework)
    references, items, more = _evidence(report, shape.framework) if shape.cites else ({}, (), 0)
    view = replace(report, frameworks=kept, controls=controls)
    return Shaped(shape, view, presentation, evidence, left_out, references, items, more)


def _evidence(report: Report, wanted: str) -> tuple[dict[ControlRef, str], tuple[Item, ...], int]:
    """Number the evidence as the evidence index does: the same numbers, for the same report."""
    found: dict[ControlRef | None, list[int]] = defaultdict(list)
    items: list[Item] = []
    listed = 0
    for number, row in enumerate(evidence_index.rows(report), start=1):
        reference, framework, control, _, _, kind, item, *rest = row
        about = ControlRef(framework, control) if framework and control else None
        found[about].append(number)
        if kind in ("document", "scope") or (kind == "result" and framework == wanted):
            listed += 1
            if listed <= MOST_ITEMS:
                items.append(Item(reference or "", f"{kind}: {item}", rest[1] or ""))
    runs = {about: _runs(numbers) for about, numbers in found.items() if about is not None}
    return runs, tuple(items), listed - len(items)


def _runs(numbers: Sequence[int]) -> str:
    """Write numbers as runs: `E000003, E000007–E000012`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"E{a:06}" if a == b else f"E{a:06}–E{b:06}" for a, b in runs)


def _years_after(instant: int, years: int) -> str:
    """Give the day so many years later; 29 February becomes 1 March where there is none."""
    day = datetime.fromtimestamp(instant // times.SECOND, UTC).date()
    try:
        return day.replace(year=day.year + years).isoformat()
    except ValueError:
        return day.replace(year=day.year + years, month=3, day=1).isoformat()


def _tests(shaped: Shaped, control: ControlResult) -> str:
    if not control.rules:
        return "None: credential metadata says nothing about it."
    names = {rule.id: rule.name for rule in shaped.report.rules}
    rules = [f"{rule} {names.get(rule, '')}".strip() for rule in control.rules]
    named = ", ".join(rules[:MOST_NAMED])
    more = f" and {len(rules) - MOST_NAMED} more" if len(rules) > MOST_NAMED else ""
    unplaced = f"; {control.unclassified:,} more could not be placed" if control.unclassified else ""
    return (
        f"Metadata of {control.tested:,} of {control.population:,} in the population inspected and judged "
        f"by {named}{more}{unplaced}."
    )


def _outcome(shaped: Shaped, control: ControlResult) -> str:
    word = shaped.word(control.result)
    counted = f": {wording.plural(control.exceptions, 'exception')}" if control.exceptions else ""
    reason = f" {control.reason[0].upper()}{control.reason[1:].rstrip('.')}." if control.reason else ""
    return f"{word}{counted}.{reason}"


def _measure(shaped: Shaped, control: ControlResult) -> str:
    policy = shaped.report.policy
    titles = {rule.id: rule.title for rule in shaped.report.rules}
    asked = [titles[rule].rstrip(".") for rule in control.rules if titles.get(rule)]
    by = f", approved by {policy.approved_by}" if policy.approved_by else ", approved by nobody"
    if not asked:
        return f"Policy {policy.name}{by}; it sets nothing for this that metadata could show."
    more = f"; and {len(asked) - MOST_NAMED} more" if len(asked) > MOST_NAMED else ""
    return f"Policy {policy.name}{by}, allows none of: {'; '.join(asked[:MOST_NAMED])}{more}."


def _modality(shaped: Shaped, control: ControlResult) -> str:
    return (shaped.shape.modalities or {}).get(control.modality, control.modality)


SAYS: Mapping[str, Callable[[Shaped, ControlResult], str]] = {
    "summary": lambda _, control: control.summary,
    "measure": _measure,
    "tests": _tests,
    "outcome": _outcome,
    "references": lambda shaped, control: shaped.references.get(
        ControlRef(control.framework, control.id), ""
    ),
    "needed": lambda _, control: "; ".join(control.manual_evidence),
    "modality": _modality,
}
"""What can be said of a control, by name."""


def _span(shaped: Shaped, _: str) -> str:
    report = shaped.report
    if report.period is None:
        return (
            f"As of {times.format_instant(report.as_of)}: how things stood, not how they went over a period"
        )
    first, last = map(times.format_instant, report.period)
    return f"{first} to {last}, and how things stood as of {times.format_instant(report.as_of)}"


def _criteria(shaped: Shaped, _: str) -> str:
    named = [f"{each.name} {each.version}" for each in shaped.report.frameworks]
    return "; ".join(
        [*named, f"policy {shaped.report.policy.name}, SHA-256 {shaped.report.policy.sha256[:16]}"]
    )


def _population(shaped: Shaped, _: str) -> str:
    report = shaped.report
    credentials = wording.plural(report.inventory.credentials, "credential")
    return f"{credentials} in {wording.plural(len(report.coverage), 'scope')}, all of them tested"


IDENTIFIES: Mapping[str, Callable[[Shaped, str], str]] = {
    "entity": lambda _, entity: entity,
    "span": _span,
    "criteria": _criteria,
    "population": _population,
    "prepared": lambda shaped, _: str(shaped.presentation.prepared_by or "not stated"),
    "reviewed": lambda shaped, _: str(shaped.presentation.reviewed_by or "not stated"),
    "applicability": lambda _, __: "not read: compare what applies below with the version that is in force",
}
"""What can be said of the audit as a whole, by name."""


def context(seen: Shaped, entity: str | None) -> dict[str, Any]:
    """Give what templates print of a shape and a presentation, for paper and screen alike."""
    said = seen.presentation
    counts = said.responses.counted(seen.report.findings)
    return {
        "shape": seen.shape,
        "word": seen.word,
        "control_lines": seen.lines,
        "identification": seen.identification(entity or seen.report.policy.name),
        "left_out": seen.left_out,
        "items": seen.items,
        "more_items": seen.more_items,
        "retention": seen.retention(),
        "responses": [(answer, counts[answer]) for answer in said.responses.answers],
        "responses_to": said.responses.to,
        "most_listed": MOST_LISTED,
        "distribution": said.distribution,
        "prepared_by": said.prepared_by,
        "reviewed_by": said.reviewed_by,
        "logo_address": Markup(said.logo.address) if said.logo else "",  # noqa: S704 - base64
        "bundle": seen.evidence,
        "steps": steps(seen.evidence) if seen.evidence else (),
        "step_limits": LIMITS,
    }

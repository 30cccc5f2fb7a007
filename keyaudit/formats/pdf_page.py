"""The HTML that becomes the PDF: templates filled with a report, every text made visible."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from keyaudit import times
from keyaudit.formats import pdf_content, period_page, pictures, rule_text, shaping, wording
from keyaudit.formats.own_templates import TEMPLATES
from keyaudit.formats.presentation import PLAIN, Presentation
from keyaudit.formats.sandbox import Sandbox
from keyaudit.formats.shaping import Shaped
from keyaudit.formats.verification_steps import Evidence
from keyaudit.formats.visible import visible
from keyaudit.model import Finding, PopulationRow, Report, ScopeStatus, Verdict

MOST_TIMELINE = 24
SHORT = 110
MOST_LISTED = 200
"""Scopes, gaps and waivers; an estate with more of them reads the rest in the attachment."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file inside the PDF."""

    name: str
    about: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the file's bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def page(
    report: Report,
    document_id: str,
    attachments: tuple[Attached, ...],
    *,
    entity: str | None,
    marking: str,
    presentation: Presentation = PLAIN,
    evidence: Evidence | None = None,
) -> str:
    """Fill the templates; raises UsageError for a shape that does not fit, PolicyError for a bad template."""
    seen = shaping.shaped(report, presentation, evidence)
    own = presentation.templates
    contents = seen.contents(screen=False, file="pdf_{name}.html.j2")
    style = own.texts.get("pdf.css") or (TEMPLATES / "pdf.css").read_text("utf-8")
    content = {
        "report": seen.report,
        "document_id": document_id,
        "attachments": attachments,
        "entity": entity,
        "marking": marking,
        "style": Markup(style),  # noqa: S704 - no `<` is in it, whoever wrote it
        "chapters": contents.parts,
        "ref": contents.reference,
        "mention": contents.mention,
        **_words(),
        **_sentences(seen.report),
        **_tables(seen),
        **_printers(report),
        **period_page.paper(report),
        **shaping.context(seen, entity),
    }
    return Sandbox(own, "", _shown).fill("pdf.html.j2", content)


def _shown(value: Any) -> Any:
    """Print what an expression of a template gives: numbers in thousands, text made visible."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return visible(str(value), longest=4000)


def _words() -> dict[str, Any]:
    return {
        "verdicts": tuple(Verdict),
        "worst": (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED, Verdict.PASS, Verdict.NOT_APPLICABLE),
        "results": tuple(wording.RESULTS),
        "bases": wording.BASES,
        "verdict_meanings": tuple(wording.VERDICTS.items()),
        "basis_meanings": tuple(wording.BASES.items()),
        "text": rule_text.html,
        "instant": times.format_instant,
        "date": times.format_date,
        "subject": wording.subject,
        "plural": wording.plural,
        "untested": wording.untested,
    }


def _sentences(report: Report) -> dict[str, Any]:
    policy, inventory = report.policy, report.inventory
    statuses = Counter(scope.status for scope in report.coverage)
    scopes = ", ".join(f"{statuses[status]:,} {status}" for status in ScopeStatus if statuses[status])
    found = Counter(finding.verdict for finding in report.findings)
    approved = f"approved by {policy.approved_by}" if policy.approved_by else "not approved by anyone"
    reviewed = f", reviewed {times.format_date(policy.reviewed_on)}" if policy.reviewed_on is not None else ""
    frameworks = ", ".join(f"{framework.name} {framework.version}" for framework in report.frameworks)
    return {
        "headline": wording.headline(report),
        "severities": wording.severity_counts(report),
        "collected": wording.collected(report),
        "gaps": wording.gaps(report),
        "baseline": wording.baseline(report),
        "orphans": wording.orphans(report),
        "about_orphans": wording.ORPHANS,
        "credentials": wording.plural(inventory.credentials, "credential"),
        "versions": wording.plural(inventory.versions, "version"),
        "scopes": scopes or "none is named by the inventory",
        "finding_counts": ", ".join(f"{found[verdict]:,} {verdict}" for verdict in Verdict if found[verdict])
        or "none",
        "tested_against": frameworks or "the policy alone; no framework was asked for",
        "policy_line": f"{policy.name}, {approved}{reviewed}, SHA-256 {policy.sha256[:16]}",
    }


def _tables(seen: Shaped) -> dict[str, Any]:
    report = seen.report
    groups = pdf_content.findings_by_rule(report, seen.shape.framework)
    return {
        "groups": groups,
        "scope_rows": sorted(report.coverage, key=lambda scope: scope.status is ScopeStatus.COMPLETE)[
            :MOST_LISTED
        ],
        "most_listed": MOST_LISTED,
        "hidden": sum(group.hidden for group in groups),
        "frameworks": pdf_content.controls_by_framework(report),
        "shares": pdf_content.population_shares(report),
        "list_population": len(report.population) <= pdf_content.MOST_POPULATION,
        "pictures": _pictures(report) if report.population else None,
    }


def _pictures(report: Report) -> dict[str, Markup]:
    drawn = {
        "age": pictures.age_picture(report.population, theme="print"),
        "due": pictures.due_picture(report.population, report.as_of, theme="print"),
        "timeline": pictures.timeline_picture(
            report.population, report.as_of, limit=MOST_TIMELINE, theme="print"
        ),
    }
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - drawn and escaped by us


def _printers(report: Report) -> dict[str, Any]:
    def due(finding: Finding) -> str | None:
        return wording.due(finding, report.as_of)

    return {
        "due": due,
        "duration": _duration,
        "age": _age,
        "short": _short,
        "controls_of": _controls_of,
        "fact_value": _fact,
    }


def _duration(value: int | None) -> str:
    return "none" if value is None else times.format_duration(value)


def _age(row: PopulationRow) -> str:
    low, high = (None if age is None else times.describe_duration(age) for age in (row.age_min, row.age_max))
    if low == high:
        return low or "not known"
    return f"{low or 'any'} to {high or 'any'}"


def _short(text: str) -> str:
    return visible(text, longest=SHORT)


def _controls_of(finding: Finding) -> str:
    return ", ".join(f"{control.framework} {control.id}" for control in finding.controls)


def _fact(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)

"""The report as one page that fetches nothing: readable, searchable, printable, and still there in ten years.

Everything is inside the file: style, script, pictures, rows. The content security policy allows
exactly the style and scripts that are in it, by hash, and nothing else at all.
"""

from __future__ import annotations

import base64
import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import islice
from typing import Any

from markupsafe import Markup

from keyaudit import times
from keyaudit.formats import html_data, period_page, pictures, rule_text, shaping, wording
from keyaudit.formats.own_templates import OwnTemplates
from keyaudit.formats.page import FILTERS
from keyaudit.formats.presentation import PLAIN, Presentation
from keyaudit.formats.sandbox import Sandbox
from keyaudit.formats.shaping import Shaped
from keyaudit.formats.verification_steps import Evidence
from keyaudit.formats.visible import visible
from keyaudit.model import ControlResult, FrameworkResult, Report, RuleResult, Verdict
from keyaudit.report_document import to_document

STATIC_FINDINGS = 200
"""Findings in the plain table that is shown without scripts and on paper."""

MOST_ORPHANS = 500

_SCRIPTS = ("data.js", "table.js", "views.js", "ledger.js", "page.js")


def render(
    report: Report,
    *,
    most_rows: int = html_data.MOST_ROWS,
    entity: str | None = None,
    marking: str | None = None,
    presentation: Presentation = PLAIN,
    evidence: Evidence | None = None,
) -> bytes:
    """Print the page as UTF-8; the same report gives the same bytes.

    `entity` is who was audited, by default the policy's name; `marking` stands beside it;
    `presentation` shapes it, and `evidence` is the bundle in which it lies.
    The page holds at most `most_rows` findings and as many credentials, and says so.
    """
    with _without_collector():
        held = _held(report, most_rows)
        seen = shaping.shaped(held, presentation, evidence)
        return _page(seen, to_document(held)["sha256"], most_rows, entity, marking).encode()


@contextmanager
def _without_collector() -> Iterator[None]:
    """Rest the cyclic collector: rows have no cycles, and walking them took most of the time.

    100,000 findings: 18 s with it, 7 s without.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _page(seen: Shaped, document: str, most_rows: int, entity: str | None, marking: str | None) -> str:
    own, report = seen.presentation.templates, seen.report
    style, early = own.texts.get("html/style.css") or _asset("style.css"), _asset("early.js")
    script = "\n".join(map(_asset, _SCRIPTS))
    data = html_data.embedded(report, most_rows, seen.presentation.responses, fixes=seen.shape.prescribes)
    pictured = seen.presentation.logo is not None
    content = {
        "report": report,
        "document": document,
        "policy": _security_policy(styles=[style], scripts=[early, script], images=pictured),
        "style": Markup(style),  # noqa: S704 - no `<` is in it, whoever wrote it
        "early": Markup(early),  # noqa: S704 - our own files
        "script": Markup(script),  # noqa: S704
        "data": Markup(data),  # noqa: S704 - cannot end its block, see there
        "most_rows": most_rows,
        "entity": entity,
        "marking": marking,
        "sections": seen.contents(screen=True, file="{name}.html").parts,
        **_content(report),
        **period_page.screen(report),
        **shaping.context(seen, entity),
    }
    return _environment(own).fill("page.html", content)


def _held(report: Report, most_rows: int) -> Report:
    """Make the rows of a report once where they fit in memory: the page looks at them several times."""
    if max(len(report.findings), len(report.population)) > most_rows:
        return report
    return replace(report, findings=tuple(report.findings), population=tuple(report.population))


def _content(report: Report) -> dict[str, Any]:
    """Everything the template shows that is not simply a field of the report."""
    population, as_of = report.population, report.as_of
    return {
        "headline": wording.headline(report),
        "unread": _unread(report),
        "tone": {0: "calm", 1: "alarm"}.get(report.summary.exit_code, "unsure"),
        "collected": wording.collected(report),
        "gaps": wording.gaps(report),
        "baseline": wording.baseline(report),
        "orphans": wording.orphans(report),
        "about_orphans": wording.ORPHANS,
        "most_orphans": MOST_ORPHANS,
        "verdicts": _verdict_bar(report),
        "frameworks": [_framework(framework, report.controls) for framework in report.frameworks],
        "bases": wording.BASES,
        "meanings": wording.VERDICTS,
        "rules": sorted(report.rules, key=lambda rule: rule.id),
        "rule_names": {rule.id: rule.name for rule in report.rules},
        "age_picture": Markup(pictures.age_picture(population)),  # noqa: S704 - escapes what it draws
        "age_columns": pictures.age_columns(population),
        "due_picture": Markup(pictures.due_picture(population, as_of)),  # noqa: S704
        "due_columns": pictures.due_columns(population, as_of),
        "timeline": Markup(pictures.timeline_picture(population, as_of)),  # noqa: S704
        "narrow_timeline": Markup(  # noqa: S704
            pictures.timeline_picture(population, as_of, narrow=True, name="narrow-timeline")
        ),
        "static_findings": list(islice(report.findings, STATIC_FINDINGS)),
    }


def _unread(report: Report) -> str:
    """Add to the headline what could not be seen: scopes, then questions."""
    open_scopes = sum(scope.status in {"partial", "failed"} for scope in report.coverage)
    empty = sum(scope.status == "empty" for scope in report.coverage)
    unknown = report.summary.verdicts.get(Verdict.UNKNOWN, 0)
    said = [
        f"{wording.plural(open_scopes, 'scope')} could not be read completely" if open_scopes else "",
        f"{wording.plural(empty, 'scope')} held nothing" if empty else "",
        f"{wording.plural(unknown, 'question')} could not be decided" if unknown else "",
    ]
    return "; ".join(part for part in said if part)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the verdict bar, in hundredths of its width."""

    verdict: Verdict
    count: int
    start: float
    width: float


def _verdict_bar(report: Report) -> list[Part]:
    shown = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED, Verdict.PASS)
    counts = {verdict: report.summary.verdicts.get(verdict, 0) for verdict in shown}
    total, start, parts = max(sum(counts.values()), 1), 0.0, []
    for verdict, count in counts.items():
        width = round(100 * count / total, 2)
        parts.append(Part(verdict, count, round(start, 2), width))
        start += width
    return parts


@dataclass(frozen=True, slots=True)
class FrameworkPart:
    """A framework with its controls, exceptions first, and how many came to each result.

    `silent` are the controls that no rule bears on: metadata says nothing about them.
    """

    framework: FrameworkResult
    controls: list[ControlResult]
    silent: list[ControlResult]
    counts: list[tuple[str, int]]


def _framework(framework: FrameworkResult, controls: tuple[ControlResult, ...]) -> FrameworkPart:
    mine = sorted((control for control in controls if control.framework == framework.id), key=_result_rank)
    counts = [(result, sum(control.result == result for control in mine)) for result in wording.RESULTS]
    return FrameworkPart(
        framework=framework,
        controls=[control for control in mine if control.rules],
        silent=[control for control in mine if not control.rules],
        counts=[pair for pair in counts if pair[1]],
    )


def _result_rank(control: ControlResult) -> int:
    order = ("exception", "not-evaluated", "supporting-only", "no-exception", "not-applicable")
    return order.index(control.result) if control.result in order else len(order)


def _environment(own: OwnTemplates) -> Sandbox:
    opened = Sandbox(own, "html/", _shown)
    opened.filters |= {
        **FILTERS,
        "last_day": lambda instant: times.format_date(instant - 1),
        "duration": times.describe_duration,
        "rule_text": rule_text.html,
        "passed_of": _asked,
        "untested": wording.untested,
    }
    return opened


def _shown(value: Any) -> Any:
    plain = isinstance(value, str) and not isinstance(value, Markup)
    return visible(value, longest=html_data.LONGEST_TEXT) if plain else value


def _asked(rule: RuleResult) -> int:
    return rule.passed + rule.failed + rule.unknown + rule.waived


def _security_policy(*, styles: list[str], scripts: list[str], images: bool) -> str:
    style, script = (" ".join(map(_source, texts)) for texts in (styles, scripts))
    image = "img-src data:; " if images else ""
    code = f"style-src {style}; script-src {script}"
    return f"default-src 'none'; {image}{code}; base-uri 'none'; form-action 'none'"


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return files("keyaudit.formats").joinpath("templates", "html", name).read_text("utf-8")

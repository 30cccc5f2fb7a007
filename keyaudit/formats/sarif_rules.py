"""What SARIF's results refer to: rules with their documentation, and frameworks as taxonomies."""

from __future__ import annotations

from typing import Any

from keyaudit.formats.finding_text import LEVELS
from keyaudit.formats.visible import visible
from keyaudit.model import ControlRef, Report, RuleResult, Severity

LONGEST_DESCRIPTION = 1024
"""Characters that code scanning shows of a rule's descriptions."""

_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
"""What code scanning turns back into the same words; it knows none for info."""
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}


def rule(result: RuleResult) -> dict[str, Any]:
    """Describe a rule: its documentation, and the severity that the policy gives it."""
    title = result.title or result.name
    level = "note" if result.severity is None else LEVELS[result.severity]
    parts = (
        title,
        result.why,
        f"## Remediation\n\n{result.remediation}",
        f"## References\n\n{result.references}",
    )
    text = "\n\n".join(part for part in parts if part and not part.endswith("\n\n"))
    properties: dict[str, Any] = {
        "tags": ["security", str(result.basis)],
        "precision": "very-high",
        "problem.severity": _PROBLEMS[level],
    }
    if result.severity in _SCORES:
        properties["security-severity"] = _SCORES[result.severity]
    return {
        "id": visible(result.id),
        "name": visible(result.name, longest=254),
        "shortDescription": {"text": _cut(title)},
        "fullDescription": {"text": _cut(" ".join(result.why.split()) or title)},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"enabled": result.enabled, "level": level},
        "properties": properties,
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 1]}…"


def taxonomies(report: Report) -> list[dict[str, Any]]:
    """Describe each framework with its controls, in the order of the report."""
    return [
        {
            "name": visible(framework.id),
            "fullName": f"{visible(framework.name)} {visible(framework.version)}",
            "organization": visible(framework.publisher),
            "version": visible(framework.version),
            "taxa": [
                {"id": visible(control.id), "shortDescription": {"text": visible(control.title)}}
                for control in report.controls
                if control.framework == framework.id
            ],
        }
        for framework in report.frameworks
    ]


def references(report: Report) -> dict[ControlRef, dict[str, Any]]:
    """Make the reference to each control that a taxonomy has."""
    found = {}
    for number, framework in enumerate(report.frameworks):
        controls = [control for control in report.controls if control.framework == framework.id]
        for index, control in enumerate(controls):
            component = {"name": visible(framework.id), "index": number}
            reference = {"id": visible(control.id), "index": index, "toolComponent": component}
            found[ControlRef(framework.id, control.id)] = reference
    return found

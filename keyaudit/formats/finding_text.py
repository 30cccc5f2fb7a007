"""A finding in one line: for alerts, annotations and test results, which have room for no more."""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit.formats import wording
from keyaudit.formats.visible import visible
from keyaudit.model import Finding, Severity, Verdict

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
"""How bad a severity is for tools that know three words."""


def level(finding: Finding) -> str:
    """Say how bad a failure is in one of those words."""
    return "note" if finding.severity is None else LEVELS[finding.severity]


def sentence(finding: Finding) -> str:
    """Name the credential, or what else it is about, and say what was found."""
    if finding.credential is None and finding.subject and finding.subject in finding.message:
        return visible(finding.message)
    version = f" (version {visible(finding.version)})" if finding.version else ""
    return f"{visible(wording.subject(finding))}{version}: {visible(finding.message)}"


def details(finding: Finding, as_of: int) -> Iterator[str]:
    """Say when it was due, who requires it, where the credential is, whose it is and what mends it."""
    if due := wording.due(finding, as_of):
        yield f"Due {due}"
    if finding.clause:
        yield f"Required by {visible(finding.clause)}"
    if finding.controls:
        yield "Bears on " + ", ".join(f"{visible(c.framework)} {visible(c.id)}" for c in finding.controls)
    if credential := finding.credential:
        yield f"In {visible(credential.source)} {visible(credential.scope)}"
        if credential.environment:
            yield f"Environment {visible(credential.environment)}"
        if credential.owner:
            yield f"Owner {visible(credential.owner)}"
    if finding.waiver:
        yield f"Waived by {visible(finding.waiver)}"
    if finding.fix and finding.verdict is Verdict.FAIL:
        yield f"Fix: {visible(finding.fix, longest=2000)}"


def as_one_line(finding: Finding, as_of: int) -> str:
    """Give all of that as sentences of one line; the first says what was found."""
    return ". ".join([sentence(finding).rstrip("."), *details(finding, as_of)])

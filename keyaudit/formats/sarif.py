"""Findings as SARIF 2.1.0, in the shape that code scanning takes: all of a file or nothing of it.

* Every result stands at a line of a file of the repository, as a relative reference; the
  credential is its logical location. A result without a file, or one whose URI has a scheme
  (`arn:` would be one), loses the whole upload.
* Results share lines, so each says who it is: by the fingerprint of its finding, which no edit
  of the file changes.
* A failure has the level of its severity; what could not be decided is `open`, whose level is
  always `none`; what a waiver accepts is suppressed, with the waiver's reason.
* What was not seen is a notification, of level `error` where results are missing because of it.
* Code scanning refuses more than 25,000 results or 10 MB. The worst come first, the rest is
  counted in a notification.
* There is no `automationDetails`: its id would outrank the category that the upload gives, and
  two audits of one repository would replace each other's alerts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from keyaudit import times
from keyaudit.formats import ledger_counts, sarif_rules, wording
from keyaudit.formats.anchor import Anchor
from keyaudit.formats.sarif_results import Results, message
from keyaudit.formats.visible import visible
from keyaudit.model import Report, ScopeStatus

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_NOTIFICATIONS = 1000
MOST_INDENTED = 1000
"""Results of a file that a person may open."""

_NOTIFICATIONS = {
    "not-seen": "Something that was asked for was not seen, so results may be missing.",
    "not-tested": "A rule was not tested everywhere, or its verdict is not known.",
    "not-listed": "There are more findings than code scanning takes.",
}


def render(report: Report, *, anchor: Anchor | None = None) -> bytes:
    """Print a log with one run, its results at lines of `anchor`."""
    results = list(Results(report, anchor or Anchor()))
    run = {
        "tool": {"driver": _driver(report)},
        "invocations": [
            {
                "executionSuccessful": True,
                "exitCode": report.summary.exit_code,
                "exitCodeDescription": wording.headline(report),
                "toolExecutionNotifications": list(_notifications(report, len(results))),
            }
        ],
        "taxonomies": sarif_rules.taxonomies(report),
        "results": results,
        "properties": _properties(report, len(results)),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    indent = 2 if len(results) <= MOST_INDENTED else None
    return json.dumps(log, ensure_ascii=False, indent=indent).encode() + b"\n"


def _driver(report: Report) -> dict[str, Any]:
    return {
        "name": "keyaudit",
        "semanticVersion": visible(report.version),
        "rules": [sarif_rules.rule(rule) for rule in report.rules],
        "notifications": [
            {"id": name, "shortDescription": {"text": meaning}} for name, meaning in _NOTIFICATIONS.items()
        ],
        "supportedTaxonomies": [
            {"name": visible(framework.id), "index": number}
            for number, framework in enumerate(report.frameworks)
        ],
    }


def _notifications(report: Report, listed: int) -> Iterator[dict[str, Any]]:
    if hidden := len(report.findings) - listed:
        text = f"{listed:,} findings are listed, worst first; {hidden:,} more are in the JSON report."
        yield _notification("not-listed", "warning", text)
    if not report.inventory.credentials:
        yield _notification("not-seen", "error", "No credential was listed.")
    lost = {
        f"{scope.source} {scope.scope}"
        for scope in report.coverage
        if scope.status in {ScopeStatus.PARTIAL, ScopeStatus.FAILED}
    }
    gaps = wording.gaps(report)
    for gap in gaps[:MOST_NOTIFICATIONS]:
        name, level = ("not-seen", "error") if gap.what in lost else ("not-tested", "note")
        yield _notification(name, level, f"{visible(gap.what)}: {visible(gap.why)}")
    if len(gaps) > MOST_NOTIFICATIONS:
        text = f"{len(gaps) - MOST_NOTIFICATIONS:,} more gaps are in the JSON report."
        yield _notification("not-seen", "error", text)


def _notification(name: str, level: str, text: str) -> dict[str, Any]:
    index = list(_NOTIFICATIONS).index(name)
    return {"descriptor": {"id": name, "index": index}, "level": level, "message": message(text)}


def _properties(report: Report, listed: int) -> dict[str, Any]:
    """Say what was judged, by what, as of when: facts about the run that SARIF has no words for."""
    collected = report.inventory.collected_at
    return {
        "as_of": times.format_instant(report.as_of),
        "policy": {"name": visible(report.policy.name), "sha256": visible(report.policy.sha256)},
        "inventory": {
            "sha256": visible(report.inventory.sha256),
            "collected_at": None if collected is None else times.format_instant(collected),
            "credentials": report.inventory.credentials,
            "versions": report.inventory.versions,
        },
        "verdicts": {str(verdict): count for verdict, count in report.summary.verdicts.items()},
        "findings": {"listed": listed, "total": len(report.findings)},
        **ledger_counts.of(report),
    }

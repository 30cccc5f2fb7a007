"""Findings as CSV (RFC 4180, CRLF, UTF-8 without a mark): one row a finding, worst first.

Columns: `rule`, `name`, `verdict`, `severity`, `basis`, `source`, `scope`, `credential_id`,
`credential_name`, `environment`, `owner`, `subject` (what it is about where that is no
credential), `version`, `message`, `due_at` (RFC 3339, UTC), `clause` (which schedule or text
required it), `controls` (`soc2 CC6.1; pci-dss 8.6.3`), `waiver`, `fix`, `evidence` (a JSON object
with sorted keys), `fingerprint`. An empty cell is not known or not there.

A cell that a spreadsheet could take for a formula, whatever spaces stand before it, gets a
leading apostrophe; characters that cannot be seen are escaped. The exact text of everything is
in the JSON document.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable

from keyaudit import times
from keyaudit.formats.visible import UNSEEN, visible
from keyaudit.model import Finding, PopulationRow, Report

COLUMNS = (
    "rule", "name", "verdict", "severity", "basis", "source", "scope", "credential_id", "credential_name",
    "environment", "owner", "subject", "version", "message", "due_at", "clause", "controls", "waiver", "fix",
    "evidence", "fingerprint",
)  # fmt: skip

POPULATION_COLUMNS = (
    "source", "scope", "id", "name", "class", "provider", "environment", "tier", "owner", "age_min",
    "age_max", "age_basis", "rotation_period", "grace_period", "schedule", "due_at", "worst", "severity",
    "rules",
)  # fmt: skip

LONGEST_CELL = 32_000
"""Characters; the common spreadsheets refuse a cell of more than 32,767."""

FORMULA = re.compile(rf"[\t\r\n]|(?:\s|{UNSEEN.pattern})*[=+@|%＝＋－＠﹢﹣﹦﹫−-]")
"""What a spreadsheet may run, also after spaces of any kind and characters that cannot be seen."""


def render(report: Report) -> bytes:
    """Print one row a finding under a heading row."""
    return table(COLUMNS, (finding_cells(finding) for finding in report.findings))


def population(report: Report) -> bytes:
    """Print one row a credential of the population, judged or not, in the order of the inventory."""
    return table(POPULATION_COLUMNS, (credential_cells(row) for row in report.population))


def table(columns: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]) -> bytes:
    """Print rows under a heading row, every cell safe for a spreadsheet; None and "" are empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: str | None) -> str:
    if not value:
        return ""
    text = visible(value, longest=LONGEST_CELL)
    return f"'{text}" if FORMULA.match(value) else text


def finding_cells(finding: Finding) -> tuple[str | None, ...]:
    """Give what stands under `COLUMNS`, not yet escaped."""
    credential = finding.credential
    where = (
        (
            credential.source,
            credential.scope,
            credential.id,
            credential.name,
            credential.environment,
            credential.owner,
        )
        if credential
        else (None,) * 6
    )
    return (
        finding.rule,
        finding.name,
        finding.verdict,
        finding.severity,
        finding.basis,
        *where,
        finding.subject,
        finding.version,
        finding.message,
        None if finding.due_at is None else times.format_instant(finding.due_at),
        finding.clause,
        "; ".join(f"{control.framework} {control.id}" for control in finding.controls),
        finding.waiver,
        finding.fix,
        json.dumps(dict(finding.evidence), sort_keys=True, ensure_ascii=False),
        finding.fingerprint,
    )


def _duration(value: int | None) -> str | None:
    return None if value is None else times.format_duration(value)


def credential_cells(row: PopulationRow) -> tuple[str | None, ...]:
    """Give what stands under `POPULATION_COLUMNS`, not yet escaped."""
    return (
        row.source,
        row.scope,
        row.id,
        row.name,
        row.cls,
        row.provider,
        row.environment,
        None if row.tier is None else str(row.tier),
        row.owner,
        _duration(row.age_min),
        _duration(row.age_max),
        row.age_basis,
        _duration(row.rotation_period),
        _duration(row.grace_period),
        row.schedule,
        None if row.due_at is None else times.format_instant(row.due_at),
        row.worst,
        row.severity,
        "; ".join(row.rules),
    )

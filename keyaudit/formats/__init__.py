"""How a report looks: one module a format, each `render(report, ...) -> bytes`.

A module is imported when its format is asked for, so nobody pays for the PDF by asking for
JSON. Formats see a `Report` and nothing else; sorting and counting happened before.

For people
  terminal               `terminal_layout`, `terminal_period`
  markdown               for a job summary
  html                   `html_data` and `html_ledger` are the rows of its script, `page` its templates
  pdf                    `pdf_page`, `pdf_content`
  xlsx                   `xlsx_sheets`, `xlsx_sheet`, `xlsx_period`
  csv_table, ledger_csv, sample_csv, evidence_index   workpapers
For programs
  json_document          the report document; `report_document` has its shape
  sarif                  `sarif_results`, `sarif_rules`
  junit, annotations, code_quality   CI: JUnit, GitHub, GitLab; `anchor` the file and line of a finding
  ocsf, asff             SIEMs, Security Hub; `aws_places`, `identifiers`
  oscal                  `oscal_observations`, `oscal_ledger`, `oscal_words`
What html and pdf share
  shaping, shapes        a report for one kind of reader: SOC 2, PCI DSS, HIPAA, ISO 27001
  chapters               what stands where, under which number
  presentation           what its maker says: names, `logo`, management's `responses`
  sandbox, own_templates where templates are filled, and those of a user's own
  verification_steps     how a bundle is checked by hand
  pictures               `picture_bars`, `picture_timeline` with `picture_lives`, `picture_ledger` with
                         `ledger_lives`; `picture_axis`, `picture_ink`
Words that several share
  wording, visible       the same everywhere; names that a stranger may have written
  finding_text, rule_text, history_text, sample_text
  ledger_text            … of a ledger; `ledger_view`, `ledger_counts` and `period_page` what is shown of it
  difference_text        two reports compared: `difference_terminal`, `difference_markdown`
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from keyaudit.errors import UsageError, nearest
from keyaudit.model import Report


@dataclass(frozen=True, slots=True)
class Format:
    """Where a format lives and what its file is called: `report.EXTENSION`, or the name its readers want.

    `of` names the part of a report that it prints, where only some reports have that part: all others
    are refused with a UsageError.
    """

    extension: str
    module: str
    binary: bool = False
    called: str | None = None
    of: str | None = None

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.called or f"report.{self.extension}"


FORMATS: dict[str, Format] = {
    "terminal": Format("txt", "keyaudit.formats.terminal"),
    "json": Format("json", "keyaudit.formats.json_document"),
    "csv": Format("csv", "keyaudit.formats.csv_table"),
    "markdown": Format("md", "keyaudit.formats.markdown"),
    "html": Format("html", "keyaudit.formats.html"),
    "pdf": Format("pdf", "keyaudit.formats.pdf", binary=True),
    "sarif": Format("sarif", "keyaudit.formats.sarif"),
    "junit": Format("junit.xml", "keyaudit.formats.junit"),
    "gitlab": Format("json", "keyaudit.formats.code_quality", called="gl-code-quality-report.json"),
    "github": Format("github.txt", "keyaudit.formats.annotations"),
    "ocsf": Format("ocsf.ndjson", "keyaudit.formats.ocsf"),
    "oscal": Format("oscal.json", "keyaudit.formats.oscal"),
    "asff": Format("asff.ndjson", "keyaudit.formats.asff"),
    "xlsx": Format("xlsx", "keyaudit.formats.xlsx", binary=True),
    "evidence-index": Format("evidence.csv", "keyaudit.formats.evidence_index"),
    "ledger": Format("csv", "keyaudit.formats.ledger_csv", called="ledger.csv", of="ledger"),
    "sample": Format("csv", "keyaudit.formats.sample_csv", called="sample.csv", of="sample"),
}


def render(name: str, report: Report, **options: Any) -> bytes:
    """Render a report in the format called `name`; `options` are that format's own.

    Raises UsageError for a name that is none, MissingExtraError where a package is missing.
    """
    known = FORMATS.get(name)
    if known is None:
        near = nearest(name, FORMATS)
        hint = f"did you mean {near}?" if near else f"formats are {', '.join(FORMATS)}"
        raise UsageError(f"no format is called {name!r}", hint=hint)
    content: bytes = import_module(known.module).render(report, **options)
    return content

"""How a report looks: one module a format, each `render(report, ...) -> bytes`.

A module is imported when its format is asked for, so nobody pays for the PDF by asking for
JSON. Formats see a `Report` and nothing else; sorting and counting happened before.
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

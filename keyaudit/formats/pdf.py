"""The report on paper: tagged PDF/A-3 with the report document and the population attached.

Nothing is fetched while it is laid out, whatever a name says: no address is ever opened, files
included. The same report gives the same bytes with the same fonts and library versions.
"""

from __future__ import annotations

import gc
import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from typing import Any

from keyaudit.errors import MissingExtraError, UsageError
from keyaudit.formats import csv_table, evidence_index, json_document, ledger_csv, pdf_page, sample_csv
from keyaudit.formats.logo import Logo
from keyaudit.formats.own_templates import TEMPLATES
from keyaudit.formats.pdf_page import Attached
from keyaudit.formats.presentation import PLAIN, Presentation
from keyaudit.formats.shaping import shape_of
from keyaudit.formats.verification_steps import Evidence
from keyaudit.model import Report
from keyaudit.report_document import to_document

MARKING = "Confidential. Evidence produced by the entity's management; not an auditor's opinion."
VARIANT = "pdf/a-3a"
SYSTEM_LIBRARIES = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"


def render(
    report: Report,
    *,
    entity: str | None = None,
    marking: str | None = None,
    presentation: Presentation = PLAIN,
    evidence: Evidence | None = None,
) -> bytes:
    """Lay the report out on A4.

    `entity` is who was audited, by default the policy's name; `marking` is printed on the cover, by
    default `MARKING`; `evidence` is the bundle in which the report lies.
    Raises MissingExtraError without the `pdf` extra and UsageError without Pango.
    """
    weasyprint = _weasyprint()
    document = to_document(report)
    attached = tuple(_attached(report, document, presentation, evidence))
    html = pdf_page.page(
        report,
        document["sha256"],
        attached,
        entity=entity,
        marking=marking or MARKING,
        presentation=presentation,
        evidence=evidence,
    )
    as_of = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=report.as_of)
    attachments = [
        weasyprint.Attachment(
            string=each.content,
            name=each.name,
            description=each.about,
            created=as_of,
            modified=as_of,
            relationship="Data",
        )
        for each in attached
    ]
    with _collector_paused():
        content: bytes = weasyprint.HTML(string=html, url_fetcher=_only(presentation.logo)).write_pdf(
            attachments=attachments,
            pdf_identifier=bytes.fromhex(document["sha256"])[:16],
            pdf_variant=VARIANT,
            pdf_tags=True,
        )
    return content


_PROBE = (
    "<p>Abcxyz 0123456789 – … × ✓ ≥ → ÄÖß éñ Ελλ Кир עבר عرب हिन्दी ไทย 漢字 かな 한글 🔑</p>"
    "<p><b>Abc</b> <i>xyz</i> <code>SHA-256</code></p><h1>Abc</h1><table><tr><th>n<td>1</table>"
)


@cache
def paper() -> str:
    """Tell two machines apart that lay out the same report differently: fonts and libraries decide.

    The SHA-256, in hex, of a fixed page in our style. Raises as `render` does.
    """
    weasyprint = _weasyprint()
    style = (TEMPLATES / "pdf.css").read_text("utf-8")
    html = f'<html lang="en"><title>paper</title><style>{style}</style><body>{_PROBE}'
    with _collector_paused():
        content: bytes = weasyprint.HTML(string=html, url_fetcher=_only(None)).write_pdf(
            pdf_identifier=bytes(16), pdf_variant=VARIANT, pdf_tags=True
        )
    return hashlib.sha256(content).hexdigest()


def _attached(
    report: Report, document: dict[str, Any], presentation: Presentation, evidence: Evidence | None
) -> Iterator[Attached]:
    """Give what is embedded, by name: the order in which a PDF must list it."""
    if shape_of(presentation.shape, [each.id for each in report.frameworks]).cites:
        yield Attached("evidence.csv", "Every item of evidence, numbered.", evidence_index.render(report))
    if report.ledger is not None:
        yield Attached(
            "ledger.csv", "Every value in use in the period, one a row.", ledger_csv.render(report)
        )
    if evidence is not None:
        yield Attached("manifest.json", "What was audited, by digest.", _manifest(evidence))
    yield Attached("population.csv", "Every credential judged, one a row.", csv_table.population(report))
    yield Attached("report.json", "The whole report, keyaudit/report/1.", json_document.encode(document))
    if report.sample is not None:
        yield Attached("sample.csv", "The sample, with columns to fill in.", sample_csv.render(report))


def _manifest(evidence: Evidence) -> bytes:
    """Say which inputs of which bundle the report was made of: its own manifest also names this file."""
    inputs = [{"name": name, "sha256": digest} for name, digest in evidence.inputs]
    said = {"bundle": evidence.bundle, "inputs": inputs, "key_id": evidence.key_id, "signer": evidence.signer}
    return json.dumps(said, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Layout makes millions of objects and next to no garbage: looking for it costs a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            # WeasyPrint 70 leaves its colour profile open until the document is collected.
            warnings.simplefilter("ignore", ResourceWarning)
            yield
            gc.collect()
    finally:
        if was_on:
            gc.enable()


def _weasyprint() -> Any:
    try:
        return import_module("weasyprint")
    except ImportError:
        raise MissingExtraError("pdf", "the PDF report") from None
    except OSError as error:
        missing = str(error).splitlines()[0]
        raise UsageError(f"the PDF report needs Pango: {missing}", hint=SYSTEM_LIBRARIES) from None


def _only(logo: Logo | None) -> Any:
    """Give what answers for every address that a page names: the logo's, and an error for each other."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Nothing(URLFetcher):  # type: ignore[misc]  # the library has no types
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:  # noqa: ARG002
            if logo is not None and url == logo.address:
                return URLFetcherResponse(url, logo.content, {"Content-Type": logo.mime})
            raise ValueError("a report opens no address")

    return Nothing()

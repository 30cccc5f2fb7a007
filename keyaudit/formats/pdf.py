"""The report on paper: tagged PDF/A-3 with the report document and the population attached.

Nothing is fetched while it is laid out, whatever a name says: no address is ever opened, files
included. The same report gives the same bytes with the same fonts and library versions.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, NoReturn

from keyaudit.errors import MissingExtraError, UsageError
from keyaudit.formats import csv_table, json_document, pdf_page
from keyaudit.formats.pdf_page import Attached
from keyaudit.model import Report
from keyaudit.report_document import to_document

MARKING = "Confidential. Evidence produced by the entity's management; not an auditor's opinion."
VARIANT = "pdf/a-3a"
SYSTEM_LIBRARIES = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"


def render(report: Report, *, entity: str | None = None, marking: str = MARKING) -> bytes:
    """Lay the report out on A4.

    `entity` is who was audited, by default the policy's name; `marking` is printed on the cover.
    Raises MissingExtraError without the `pdf` extra and UsageError without Pango.
    """
    weasyprint = _weasyprint()
    document = to_document(report)
    attached = (  # by name: the order in which a PDF must list them
        Attached(
            "population.csv", "Every credential that was judged, one a row.", csv_table.population(report)
        ),
        Attached("report.json", "The whole report, keyaudit/report/1.", json_document.encode(document)),
    )
    html = pdf_page.page(report, document["sha256"], attached, entity=entity, marking=marking)
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
        content: bytes = weasyprint.HTML(string=html, url_fetcher=_refuse).write_pdf(
            attachments=attachments,
            pdf_identifier=bytes.fromhex(document["sha256"])[:16],
            pdf_variant=VARIANT,
            pdf_tags=True,
        )
    return content


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


def _refuse(url: str, *_: Any, **__: Any) -> NoReturn:
    raise ValueError(f"a report opens no address: {url}")

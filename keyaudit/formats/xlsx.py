"""The report as a workbook for an auditor's workpapers: one sheet a subject, every one filterable.

Text is written as text, never as a formula or a link; what a spreadsheet could take for a
formula when somebody edits the cell carries the quote prefix as well. Characters that cannot be
seen are escaped. Rows go to disk as they are written, so a hundred thousand take little memory.

The same report gives the same bytes wherever the same zlib packs them: the workbook is dated by
the audit's instant, and its parts by none.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from keyaudit.errors import MissingExtraError, UsageError
from keyaudit.formats.csv_table import FORMULA
from keyaudit.formats.visible import bounded
from keyaudit.formats.xlsx_sheet import MOST_ROWS, USUAL_WIDTH, WIDTHS, Cell, Row, Sheet
from keyaudit.formats.xlsx_sheets import sheets
from keyaudit.model import Report

LONGEST_CELL = 16_000
"""Characters. A cell holds 32,767 units of UTF-16, and a character may be two of them."""

_PART_TIME = (1980, 1, 1, 0, 0, 0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def render(report: Report, *, most_rows: int = MOST_ROWS) -> bytes:
    """Make the workbook. A sheet that grows with the inventory ends after `most_rows` and says so.

    Raises MissingExtraError where XlsxWriter is not installed, UsageError where there is no room
    for temporary files.
    """
    packed = io.BytesIO()
    try:
        _fill(_workbook(packed), report, most_rows)
    except OSError as error:
        hint = "TMPDIR names a folder that may be written, with some room"
        raise UsageError(f"xlsx: temporary files: {error.strerror or error}", hint=hint) from None
    return _undated(packed.getvalue())


def _fill(workbook: Any, report: Report, most_rows: int) -> None:
    created = (_EPOCH + timedelta(microseconds=report.as_of)).replace(tzinfo=None, microsecond=0)
    workbook.set_properties(
        {
            "title": "Credential rotation audit",
            "created": created,
            "comments": f"keyaudit {report.version}",
        }
    )
    writer = _Writer(workbook, most_rows)
    for sheet in sheets(report, most_rows):
        writer.write(sheet)
    workbook.close()


def _workbook(packed: io.BytesIO) -> Any:
    try:
        import xlsxwriter  # type: ignore[import-untyped]  # it has no types of its own
    except ImportError as error:
        raise MissingExtraError("xlsx", "the workbook") from error
    return xlsxwriter.Workbook(packed, {"constant_memory": True})


class _Writer:
    """Writes sheets into one workbook."""

    def __init__(self, workbook: Any, most_rows: int) -> None:
        self._workbook = workbook
        self._most_rows = most_rows
        self._heading = workbook.add_format({"bold": True, "bg_color": "#E8EDF3", "bottom": 1})
        self._text = workbook.add_format({"num_format": "@", "valign": "top"})
        self._quoted = workbook.add_format({"num_format": "@", "valign": "top", "quote_prefix": True})
        self._number = workbook.add_format({"num_format": "#,##0", "valign": "top"})

    def write(self, sheet: Sheet) -> None:
        """Write one sheet, row after row: what was written cannot be changed any more."""
        page = self._workbook.add_worksheet(sheet.name)
        for column, heading in enumerate(sheet.columns):
            page.set_column(column, column, WIDTHS.get(heading, max(USUAL_WIDTH, len(heading) + 2)))
        page.freeze_panes(1, 0)
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.repeat_rows(0)
        for column, heading in enumerate(sheet.columns):
            page.write_string(0, column, heading, self._heading)
        rows = iter(sheet.rows)
        last = 0
        for last, row in enumerate(islice(rows, self._most_rows if sheet.long else None), start=1):
            self._row(page, last, row)
        page.autofilter(0, 0, last, len(sheet.columns) - 1)
        if left := sum(1 for _ in rows):
            self._cell(
                page, last + 1, 0, f"… {left:,} more rows are left out here: the JSON report has them all"
            )

    def _row(self, page: Any, number: int, row: Row) -> None:
        for column, cell in enumerate(row):
            self._cell(page, number, column, cell)

    def _cell(self, page: Any, row: int, column: int, cell: Cell) -> None:
        if isinstance(cell, int):
            page.write_number(row, column, cell, self._number)
        elif cell and (text := bounded(cell, LONGEST_CELL, nothing="")):
            page.write_string(row, column, text, self._format(text))

    def _format(self, text: str) -> Any:
        return self._quoted if FORMULA.match(text) else self._text


def _undated(packed: bytes) -> bytes:
    """Pack the parts again with one time and one mode for all: those of the temporary files differ."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as parts, zipfile.ZipFile(out, "w") as again:
        for name in parts.namelist():
            part = zipfile.ZipInfo(name, _PART_TIME)
            part.compress_type = zipfile.ZIP_DEFLATED
            part.create_system, part.external_attr = 3, 0o600 << 16
            again.writestr(part, parts.read(name), compresslevel=6)
    return out.getvalue()

"""Saved reports in, comparisons out: what `diff`, `policy diff` and `scan --baseline` share."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keyaudit.cli.outputs import prepare_folder, print_document, write_files
from keyaudit.cli.rendering import IN_A_FILE, NARROW, WIDE
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.model import Report
    from keyaudit.report_difference.changes import ReportDifference

FILES = {"terminal": "diff.txt", "json": "diff.json", "markdown": "diff.md"}
WIDEST = max(WIDE, 200)


def read_report(file: str) -> Report:
    """Read a report that `--format json` wrote, `-` from stdin; raises UsageError, InputError."""
    from keyaudit.report_document import read

    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        hint = "scan --format json --output DIR writes one"
        raise UsageError(f"{file}: {error.strerror}", hint=hint) from None
    return read(content, file="stdin" if file == "-" else file)


def gate_against(baseline: Report | None, report: Report) -> Report:
    """Hold the gate of a report against an earlier one, if there is one."""
    if baseline is None:
        return report
    from keyaudit.report_difference.ratchet import hold

    return hold(report, baseline)


class Destination:
    """Which formats of a comparison are wanted, and where; refused before any work when it cannot be."""

    def __init__(self, formats: Sequence[str], output: str | None) -> None:
        """Check formats against `output`: a folder, `-` or None for stdout; raises UsageError."""
        self.formats = tuple(dict.fromkeys(formats)) or ("terminal",)
        self.folder = Path(output) if output not in (None, "-") else None
        if self.folder is not None:
            prepare_folder(self.folder)
        elif len(self.formats) > 1:
            raise UsageError("stdout holds one document", hint="--output DIR writes one file a --format")

    def deliver(self, found: ReportDifference, names: tuple[str, str]) -> None:
        """Render every format, then write it."""
        contents = {name: self._render(name, found, names) for name in self.formats}
        self.put(contents)

    def put(self, contents: dict[str, bytes]) -> None:
        """Write what was rendered, by format: to stdout, or a file each."""
        if self.folder is None:
            print_document(contents[self.formats[0]])
        else:
            write_files(self.folder, {FILES[name]: contents[name] for name in contents})

    def _render(self, name: str, found: ReportDifference, names: tuple[str, str]) -> bytes:
        renderers: dict[str, Callable[[], bytes]] = {
            "terminal": lambda: self._terminal(found, names),
            "json": lambda: _json(found, names),
            "markdown": lambda: _markdown(found, names),
        }
        return renderers[name]()

    def _terminal(self, found: ReportDifference, names: tuple[str, str]) -> bytes:
        from keyaudit.formats.difference_terminal import render

        return render(found, names, width=self.width, ascii_only=self.ascii_only)

    @property
    def width(self) -> int:
        """Columns for text: the window's, or those of a file."""
        columns = shutil.get_terminal_size((100, 24)).columns if self.folder is None else IN_A_FILE
        return min(max(columns, NARROW), WIDEST)

    @property
    def ascii_only(self) -> bool:
        """Whether stdout can only take ASCII."""
        return self.folder is None and not (sys.stdout.encoding or "").lower().startswith("utf")


def _json(found: ReportDifference, names: tuple[str, str]) -> bytes:
    from keyaudit.formats.json_document import encode
    from keyaudit.report_difference.document import to_document

    return encode(to_document(found, names))


def _markdown(found: ReportDifference, names: tuple[str, str]) -> bytes:
    from keyaudit.formats.difference_markdown import render

    return render(found, names)

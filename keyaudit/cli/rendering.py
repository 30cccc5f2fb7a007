"""From a report to bytes on stdout or in a folder: what `scan` and `report` share."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.cli.anchoring import ANCHORED
from keyaudit.cli.outputs import is_terminal, prepare_folder, print_document, write_files
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.cli.anchoring import Repository
    from keyaudit.formats.presentation import Presentation
    from keyaudit.model import Report

NARROW, WIDE = 60, 160
IN_A_FILE = 110
NAMED, MARKED = ("terminal", "markdown", "html", "pdf"), ("html", "pdf")
"""Formats for people name the entity; those that are handed on carry a marking."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What only whoever makes a report can say: who is audited, how confidential that is, where it goes.

    `security_hub` is the `ACCOUNT/REGION` of findings that are of no account or region of AWS.
    """

    entity: str | None = None
    marking: str | None = None
    security_hub: str | None = None
    presentation: Presentation | None = None


class Destination:
    """Which formats are wanted, and where; refused before any work when it cannot be."""

    def __init__(
        self,
        formats: Sequence[str],
        output: str | None,
        group_by: str,
        named: Naming,
        repository: Repository,
    ) -> None:
        """Check formats against `output`: a folder, `-` or None for stdout; raises UsageError."""
        from keyaudit.formats import FORMATS

        self.formats = tuple(dict.fromkeys(formats)) or ("terminal",)
        self.folder = Path(output) if output not in (None, "-") else None
        self.group_by = group_by
        self.named = named
        self.repository = repository
        self.place = repository.place(self.formats)
        if self.folder is not None:
            prepare_folder(self.folder)
        elif len(self.formats) > 1:
            raise UsageError("stdout holds one document", hint="--output DIR writes one file a --format")
        elif FORMATS[self.formats[0]].binary and is_terminal():
            name = self.formats[0]
            raise UsageError(
                f"{name} is no text for a terminal", hint=f"--output DIR writes DIR/report.{name}"
            )

    def shaped_for(self, frameworks: Collection[str]) -> None:
        """Look whether what is shaped for a framework is asked for with it; raises UsageError."""
        if self.named.presentation is not None and any(name in MARKED for name in self.formats):
            from keyaudit.formats.shaping import shape_of

            shape_of(self.named.presentation.shape, frameworks)

    def deliver(self, report: Report) -> None:
        """Render every format, then write: a format that cannot be rendered leaves nothing half done."""
        from keyaudit.formats import FORMATS, render

        options = self._all_options(report)
        contents = {name: render(name, report, **options[name]) for name in self.formats}
        if self.folder is None:
            print_document(contents[self.formats[0]])
        else:
            write_files(self.folder, {FORMATS[name].file: contents[name] for name in contents})

    def kept(self, report: Report) -> dict[str, dict[str, Any]]:
        """Give what each format is printed with in a bundle: as in a file, whatever this screen is."""
        options = self._all_options(report)
        if "terminal" in options:
            options["terminal"] |= screen(Path(), widest=WIDE)
        return options

    def _all_options(self, report: Report) -> dict[str, dict[str, Any]]:
        where = {} if self.place is None else {"anchor": self.repository.anchor(self.place, report)}
        return {name: where if name in ANCHORED else self._options(name) for name in self.formats}

    def _options(self, name: str) -> dict[str, Any]:
        said: dict[str, Any] = {"entity": self.named.entity} if name in NAMED else {}
        if name in MARKED and self.named.marking is not None:
            said["marking"] = self.named.marking
        if name in MARKED and self.named.presentation is not None:
            said["presentation"] = self.named.presentation
        if name == "asff":
            return {"security_hub": self.named.security_hub}
        if name != "terminal":
            return said
        return {**said, **screen(self.folder, widest=WIDE), "group_by": self.group_by}


def screen(folder: Path | None, *, widest: int) -> dict[str, Any]:
    """Say what the terminal format is laid out for: what stdout is, or a file in a folder."""
    on_screen = folder is None and is_terminal()
    width = shutil.get_terminal_size((100, 24)).columns if folder is None else IN_A_FILE
    return {
        "width": min(max(width, NARROW), widest),
        "colour": on_screen and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        "ascii_only": folder is None and not (sys.stdout.encoding or "").lower().startswith("utf"),
    }

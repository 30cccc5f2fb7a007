"""What stands in a report on paper and on a screen: which parts, in which order, under which number.

A part is there only if the report has something for it, so numbers and cross references are
counted here and written nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part as a shape of report wants it. `name` is its anchor and names its template.

    `label` is what the navigation of a page calls it, by default its title; `new_page` begins a
    page of paper.
    """

    name: str
    title: str
    label: str | None = None
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A part in its place: `number` counts from 1, `file` is the template that fills it."""

    number: int
    name: str
    title: str
    label: str
    new_page: bool
    file: str


class Contents:
    """The parts that one report has, numbered."""

    def __init__(self, chapters: Iterable[Chapter], *, absent: Collection[str], file: str) -> None:
        """Number the chapters that are not `absent`; `file` makes a template's name of a `{name}`."""
        there = [chapter for chapter in chapters if chapter.name not in absent]
        self.parts: Sequence[Placed] = tuple(
            Placed(
                number,
                chapter.name,
                chapter.title,
                chapter.label or chapter.title,
                chapter.new_page,
                file.format(name=chapter.name.replace("-", "_")),
            )
            for number, chapter in enumerate(there, start=1)
        )

    def has(self, name: str) -> bool:
        """Say whether the report has that part."""
        return any(part.name == name for part in self.parts)

    def mention(self, name: str) -> str:
        """Say `section 7`; raises LookupError for a part that this report does not have."""
        number = next((part.number for part in self.parts if part.name == name), None)
        if number is None:
            raise LookupError(f"the report has no part called {name}")
        return f"section {number}"

    def reference(self, name: str) -> Markup:
        """Link to a part by its number; raises LookupError for one that this report does not have."""
        return Markup('<a href="#{}">{}</a>').format(name, self.mention(name))

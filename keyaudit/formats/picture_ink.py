"""How pictures are put on a page: SVG elements, and what each thing in them looks like.

A picture says what a shape *is* (`late`, `unknown`); the ink turns that into a class for a page
whose style sheet has light and dark, or into literal attributes for paper. Paper inks differ in
lightness or hatching, so a page printed in grey still tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from keyaudit.formats.visible import visible

Theme = Literal["screen", "print"]

_PAPER: dict[str, str] = {
    "use": 'fill="#7fb2d9" stroke="#2b6694" stroke-width="0.6"',
    "late": 'fill="#a3160f"',
    "replaced": 'fill="#dfe3e8" stroke="#8a93a0" stroke-width="0.6"',
    "was-late": 'fill="url(#{name}-was-late)" stroke="#a3160f" stroke-width="0.6"',
    "grace": 'fill="#f5dd9d" stroke="#9a7200" stroke-width="0.6"',
    "old-active": 'fill="#a3160f"',
    "pending": 'fill="#ffffff" stroke="#2b6694" stroke-width="1" stroke-dasharray="2 1.5"',
    "gap": 'fill="#ffffff" stroke="#a3160f" stroke-width="1" stroke-dasharray="1 1.5"',
    "unknown": 'fill="url(#{name}-unknown)" stroke="#6b7480" stroke-width="0.6"',
    "due": 'fill="#ffffff" stroke="#2b6694" stroke-width="1.2"',
    "early": 'stroke="#2b6694" stroke-width="1.2"',
    "policy": 'stroke="#3c4450" stroke-width="1.1" stroke-dasharray="4 2.5"',
    "earlier": 'fill="#3c4450"',
    "today": 'stroke="#111820" stroke-width="1.2"',
    "grid": 'stroke="#d5dae0" stroke-width="0.7"',
    "axis": 'stroke="#6b7480" stroke-width="0.9"',
    "text": 'fill="#111820"',
    "muted": 'fill="#4a5360"',
    "alarm": 'fill="#8f120c" font-weight="600"',
    "hatch": 'stroke="#6b7480" stroke-width="1"',
    "hatch-late": 'stroke="#a3160f" stroke-width="1"',
    "paper": 'fill="#ffffff"',
}
LONGEST_SAID = 20_000
"""Characters of what a picture says of itself: for whoever cannot see it, that is all of it."""
_FONT = 'font-family="system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif"'


@dataclass(frozen=True, slots=True)
class Ink:
    """Draws for one picture. `name` keeps its ids apart from those of other pictures."""

    name: str
    theme: Theme

    def look(self, role: str) -> str:
        """Give the attributes of a role; a role without a look is our mistake (KeyError)."""
        paper = _PAPER[role].replace("{name}", self.name)
        if self.theme == "print":
            return paper
        hatched = f' fill="url(#{self.name}-{role})"' if role in {"unknown", "was-late"} else ""
        return f'class="ka-{role}"{hatched}'

    def box(
        self, role: str, place: tuple[float, float, float, float], title: str = "", round_by: float = 0
    ) -> str:
        """Draw a rectangle at x, y, width, height; `title` is shown on pointing."""
        x, y, width, height = (number(part) for part in place)
        corner = f' rx="{number(round_by)}"' if round_by else ""
        shape = f'<rect {self.look(role)} x="{x}" y="{y}" width="{width}" height="{height}"{corner}'
        return f"{shape}><title>{words(title)}</title></rect>" if title else f"{shape}/>"

    def line(self, role: str, start: tuple[float, float], end: tuple[float, float]) -> str:
        """Draw a line from start to end."""
        (x1, y1), (x2, y2) = start, end
        ends = f'x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"'
        return f"<line {self.look(role)} {ends}/>"

    def shape(self, role: str, points: Sequence[tuple[float, float]], title: str = "") -> str:
        """Draw a polygon."""
        path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        start = f'<polygon {self.look(role)} points="{path}"'
        return f"{start}><title>{words(title)}</title></polygon>" if title else f"{start}/>"

    def text(
        self,
        content: str,
        at: tuple[float, float],
        *,
        role: str = "text",
        size: float = 11,
        anchor: str = "start",
    ) -> str:
        """Write on one line; hostile characters are made visible."""
        aligned = f' text-anchor="{anchor}"' if anchor != "start" else ""
        place = f'x="{number(at[0])}" y="{number(at[1])}" font-size="{number(size)}"'
        return f"<text {self.look(role)} {place}{aligned}>{words(content)}</text>"

    def picture(self, size: tuple[int, int], title: str, description: str, parts: list[str]) -> str:
        """Put the parts on a canvas that says in words what it shows."""
        width, height = size
        said = escape(visible(description, longest=LONGEST_SAID))
        labels = f'role="img" aria-labelledby="{self.name}-title {self.name}-desc"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" class="ka-picture" {labels} {_FONT}>'
            f'<title id="{self.name}-title">{words(title)}</title>'
            f'<desc id="{self.name}-desc">{said}</desc>{self._hatches()}{"".join(parts)}</svg>'
        )

    def _hatches(self) -> str:
        return "<defs>" + self._hatch("unknown", "hatch") + self._hatch("was-late", "hatch-late") + "</defs>"

    def _hatch(self, role: str, stroke: str) -> str:
        # Lines are drawn past the tile's corners: a renderer that does not rotate patterns shows them too.
        strokes = "".join(
            self.line(stroke, (offset - 1.5, 7.5), (offset + 7.5, -1.5)) for offset in (-6, 0, 6)
        )
        tile = f'<pattern id="{self.name}-{role}" width="6" height="6" patternUnits="userSpaceOnUse">'
        return f'{tile}<rect {self.look("paper")} width="6" height="6"/>{strokes}</pattern>'


def number(value: float) -> str:
    """Print a coordinate to a tenth, the same on every machine."""
    tenths = round(value * 10)
    return str(tenths // 10) if tenths % 10 == 0 else f"{tenths / 10:.1f}"


def words(text: str) -> str:
    """Make text safe inside an element or an attribute, and all of it visible."""
    return escape(visible(text))


def shortened(text: str, longest: int) -> str:
    """Cut visible text in the middle, where names differ least."""
    shown = visible(text)
    if len(shown) <= longest:
        return shown
    tail = (longest - 1) * 2 // 5
    return f"{shown[: longest - 1 - tail]}…{shown[-tail:]}"

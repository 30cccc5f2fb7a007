"""What another policy would change, in words, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from keyaudit.cli.tables import table

if TYPE_CHECKING:
    from keyaudit.cli.report_differences import Destination
    from keyaudit.policy.difference import PolicyChange
    from keyaudit.report_difference.changes import ReportDifference
    from keyaudit.report_difference.impact import Impact

SCHEMA = "keyaudit/policy-diff/1"
MOST_LISTED = 50


@dataclass(frozen=True)
class Outlook:
    """What the policies say otherwise, and what would come of it; `names` are the two files."""

    found: ReportDifference
    changes: Sequence[PolicyChange]
    names: tuple[str, str]

    @property
    def impact(self) -> tuple[Impact, ...]:
        """Counts by rule, environment and schedule."""
        from keyaudit.report_difference.impact import impact

        return impact(self.found)

    def render(self, name: str, destination: Destination) -> bytes:
        """Give it in a format; each begins with the policies and ends with the findings."""
        if name == "json":
            return self._json()
        if name == "markdown":
            from keyaudit.formats.difference_markdown import render as render_markdown

            return "\n".join(self._markdown()).encode() + b"\n" + render_markdown(self.found, self.names)
        from keyaudit.formats.difference_terminal import render as render_text
        from keyaudit.formats.difference_terminal import to_bytes

        ascii_only = destination.ascii_only
        head = to_bytes(self._text(), ascii_only=ascii_only)
        return head + render_text(self.found, self.names, width=destination.width, ascii_only=ascii_only)

    def _json(self) -> bytes:
        from keyaudit.formats.json_document import encode
        from keyaudit.report_difference.document import to_document

        return encode(
            {
                "schema": SCHEMA,
                "policy": [asdict(change) for change in self.changes],
                "impact": [asdict(count) for count in self.impact],
                "difference": to_document(self.found, self.names),
            }
        )

    def _text(self) -> Iterator[str]:
        from keyaudit.formats.visible import visible

        yield f"What {visible(self.names[1])} says otherwise than {visible(self.names[0])}"
        for change in self.changes[:MOST_LISTED]:
            yield f"  {visible(change.part)}: {_shown(change.old)} → {_shown(change.new)}"
        yield from _rest(len(self.changes))
        for by in ("rule", "environment", "schedule"):
            rows = [_row(count) for count in self.impact if count.by == by]
            if rows:
                yield ""
                yield from table(rows[:MOST_LISTED])
                yield from _rest(len(rows))
        yield ""

    def _markdown(self) -> Iterator[str]:
        from keyaudit.formats.markdown import code
        from keyaudit.formats.markdown import table as lay_out

        yield "# What the policy says otherwise\n"
        said = [(code(c.part), code(_shown(c.old)), code(_shown(c.new))) for c in self.changes[:MOST_LISTED]]
        yield lay_out(("Part", code(self.names[0]), code(self.names[1])), said)
        yield from _rest(len(self.changes))
        for by in ("rule", "environment", "schedule"):
            rows = [_row(count) for count in self.impact if count.by == by]
            if rows:
                cells = [[code(str(cell)) for cell in row.values()] for row in rows[:MOST_LISTED]]
                yield "\n" + lay_out([name.capitalize() for name in rows[0]], cells)
                yield from _rest(len(rows))
        yield ""


def _row(count: Impact) -> dict[str, Any]:
    return {
        count.by: count.name or "not known",
        "appear": f"{count.appeared:,}",
        "change": f"{count.changed:,}",
        "go": f"{count.gone:,}",
        "credentials": f"{count.credentials:,}",
    }


def _shown(text: str | None) -> str:
    from keyaudit.formats.visible import visible

    return "not there" if text is None else visible(text, longest=200)


def _rest(count: int) -> Iterator[str]:
    if count > MOST_LISTED:
        yield f"\n… and {count - MOST_LISTED:,} more (see --format json)"
    elif not count:
        yield "  nothing"

"""What two inventories do not share, in words, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from keyaudit.cli.tables import table

if TYPE_CHECKING:
    import polars as pl

    from keyaudit.inventory.difference import Difference, Sums

MOST_LISTED = 50
COLUMNS = ("change", "source", "scope", "id", "name", "lineage", "fact", "a", "b", "note")


def as_text(found: Difference, first: str, second: str) -> Iterator[str]:
    """Sum up, count by scope, then list; long lists are cut, and their length is said."""
    yield _verdict(found)
    yield ""
    yield from _sums("A", first, found.a, found.by)
    yield from _sums("B", second, found.b, found.by)
    yield f"compared by {found.by}; facts compared: {', '.join(found.compared) or 'none'}"
    yield from _scopes(found)
    for title, rows, seen in (
        ("in A, not in B", found.only_a, True),
        ("in B, not in A", found.only_b, True),
        ("in A, and not seen in B, which could not look everywhere", found.only_a, False),
        ("in B, and not seen in A, which could not look everywhere", found.only_b, False),
    ):
        yield from _listed(title, rows, surely=seen)
    yield from _different(found)


def _verdict(found: Difference) -> str:
    if found.differs:
        return "They differ."
    return (
        "No difference."
        if not found.exit_code
        else "No difference was found, but not everything was compared."
    )


def _sums(letter: str, file: str, sums: Sums, by: str) -> Iterator[str]:
    from keyaudit.formats.visible import visible
    from keyaudit.formats.wording import plural

    said = [plural(sums.credentials, "credential")]
    if sums.repeated:
        said.append(f"{plural(sums.repeated, by)} more than once")
    if sums.nameless:
        said.append(f"{sums.nameless:,} without a {by}, so not compared")
    yield f"{letter}: {visible(file)}: {'; '.join(said)}"
    for scope in sums.incomplete:
        why = f": {visible(scope.reason)}" if scope.reason else ""
        place = f"{visible(scope.source)} {visible(scope.scope)}"
        yield f"   {place} was not seen completely, {scope.status}{why}"


def _scopes(found: Difference) -> Iterator[str]:
    """Count by scope where there is anything to say."""
    import polars as pl

    counted = [name for name in found.scopes.columns if name not in {"source", "scope", "in_a", "in_b"}]
    odd = found.scopes.filter(pl.sum_horizontal(counted) > 0)
    if odd.is_empty():
        return
    yield ""
    yield from table([_scope(row) for row in odd.head(MOST_LISTED).iter_rows(named=True)])
    if odd.height > MOST_LISTED:
        yield f"… and {odd.height - MOST_LISTED:,} more places (see --format json)"


def _scope(row: Mapping[str, Any]) -> dict[str, Any]:
    place = " ".join(part for part in (row["source"], row["scope"]) if part is not None)
    counts = {name: f"{row[name]:,}" for name in row if name not in {"source", "scope"}}
    return {"place": place or "no place known", **counts}


def _listed(title: str, rows: pl.DataFrame, *, surely: bool) -> Iterator[str]:
    import polars as pl

    chosen = rows.filter(pl.col("not_seen").is_null() == surely)
    if chosen.is_empty():
        return
    yield ""
    yield f"{title}: {chosen.height:,}"
    for row in chosen.head(MOST_LISTED).iter_rows(named=True):
        yield f"  {_who(row)}" + (f" ({_shown(row['not_seen'])})" if row["not_seen"] else "")
    yield from _rest(chosen.height)


def _different(found: Difference) -> Iterator[str]:
    if found.different.is_empty():
        return
    yield ""
    yield f"in both, and different: {found.different.height:,} facts"
    for row in found.different.head(MOST_LISTED).iter_rows(named=True):
        yield f"  {_who(row)}: {row['fact']} is {_shown(row['a'])} in A, {_shown(row['b'])} in B"
    yield from _rest(found.different.height)


def _rest(height: int) -> Iterator[str]:
    if height > MOST_LISTED:
        yield f"  … and {height - MOST_LISTED:,} more (see --format csv)"


def _who(row: Mapping[str, Any]) -> str:
    place = [row[part] for part in ("source", "scope") if row[part] is not None]
    names = dict.fromkeys(row[part] for part in ("name", "id") if row[part] is not None)
    lineage = [f"lineage {row['lineage']}"] if row.get("lineage") is not None else []
    return "  ".join(_shown(part) for part in (*place, *names, *lineage))


def _shown(text: str | None) -> str:
    from keyaudit.formats.visible import visible

    return "not known" if text is None else visible(text, longest=200) or "none"


def as_json(found: Difference, first: str, second: str) -> str:
    """Give everything for a program; null is what is not known."""

    def sums(file: str, side: Sums) -> dict[str, Any]:
        return {
            "file": file,
            "credentials": side.credentials,
            "repeated": side.repeated,
            "nothing_to_compare_by": side.nameless,
            "incomplete": [
                {"source": s.source, "scope": s.scope, "status": s.status, "reason": s.reason}
                for s in side.incomplete
            ],
        }

    content = {
        "by": found.by,
        "a": sums(first, found.a),
        "b": sums(second, found.b),
        "compared": list(found.compared),
        "scopes": found.scopes.to_dicts(),
        "only_in_a": found.only_a.to_dicts(),
        "only_in_b": found.only_b.to_dicts(),
        "different": found.different.to_dicts(),
        "exit_code": found.exit_code,
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def as_csv(found: Difference) -> bytes:
    """Give one row a difference; a cell that a spreadsheet might run begins with an apostrophe."""
    from keyaudit.inventory.cells import disarm

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _records(found):
        cells = (row.get(name) for name in COLUMNS)
        writer.writerow(["" if cell is None else disarm(cell) for cell in cells])
    return out.getvalue().encode()


def _records(found: Difference) -> Iterator[dict[str, str | None]]:
    for here, there, rows in (("a", "b", found.only_a), ("b", "a", found.only_b)):
        for row in rows.iter_rows(named=True):
            gap = row["not_seen"]
            yield {**row, "change": f"only-in-{here}" if gap is None else f"not-seen-in-{there}", "note": gap}
    for row in found.different.iter_rows(named=True):
        yield {**row, "change": "different"}

"""Which credentials a clause is about: equality, lists, globs, comparisons, all/any/not.

A match is judged three ways that agree: as a column expression, in Python on one credential,
and as a trace for a reader. Three-valued: an environment or class that is not known may be
anything, so it neither matches nor fails to; the same goes for the tier of a credential whose
environment is not known. Any other field that is missing simply does not match.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import narwhals as nw

TEXT_FIELDS = (
    "source",
    "scope",
    "id",
    "name",
    "class",
    "provider",
    "environment",
    "owner",
    "lineage",
    "reach",
    "exposure",
)
NUMBER_FIELDS = ("tier", "consumers")
FLAG_FIELDS = ("user_owned",)
FIELDS = (*TEXT_FIELDS, *NUMBER_FIELDS, *FLAG_FIELDS)
UNNAMEABLE = (":", ",")
_MAY_BE_ANYTHING = ("environment", "class")


@dataclass(frozen=True, slots=True)
class Is:
    """A field equals one of some values; text values with `*` or `?` are globs, case-sensitive."""

    field: str
    values: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A number field compared with a number: `>=`, `<=`, `>` or `<`."""

    field: str
    operator: str
    number: int


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part matches; without parts, everything does."""

    parts: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part matches; without parts, nothing does."""

    parts: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not match."""

    part: Match


Match = Is | Compare | AllOf | AnyOf | Not
EVERYTHING = AllOf(())


def is_glob(value: object) -> bool:
    """Say whether a value of a match is a pattern."""
    return isinstance(value, str) and ("*" in value or "?" in value)


def glob_regex(pattern: str) -> str:
    """Write a glob as a regular expression that Rust, RE2, Java and Python read alike."""
    return rf"\A{_glob_body(pattern)}\z"


def _glob_body(pattern: str) -> str:
    return "".join({"*": r"[\s\S]*", "?": r"[\s\S]"}.get(c) or _literal(c) for c in pattern)


def fits_glob(glob: str, text: str) -> bool:
    """Say whether a glob is of that text, in a time that no glob can stretch.

    One regular expression for all of it would try every way to share a text among its stars, and Python's
    would for years. Between two stars the first place that fits is as good as any.
    """
    first, *rest = glob.split("*")
    if not rest:
        return _alike(first, text)
    *between, last = rest
    at, end = len(first), len(text) - len(last)
    if at > end or not _alike(first, text[:at]) or not _alike(last, text[end:]):
        return False
    for part in between:
        found = re.compile(_glob_body(part)).search(text, at, end)
        if found is None:
            return False
        at = found.end()
    return True


def _alike(part: str, text: str) -> bool:
    return len(part) == len(text) and all(c in {"?", t} for c, t in zip(part, text, strict=True))


def expression(match: Match) -> nw.Expr:
    """Give the match as a three-valued boolean column."""
    import narwhals as nw

    if isinstance(match, AllOf):
        return _fold([expression(part) for part in match.parts], empty=True)
    if isinstance(match, AnyOf):
        return _fold([expression(part) for part in match.parts], empty=False)
    if isinstance(match, Not):
        return ~expression(match.part)
    if match.field.startswith("labels."):
        return _labels(match).fill_null(value=False)
    column = nw.col(match.field)
    return _unless_open(
        match.field, _compared(column, match) if isinstance(match, Compare) else _listed(column, match)
    )


def _fold(parts: list[nw.Expr], *, empty: bool) -> nw.Expr:
    import narwhals as nw

    if not parts:  # a bare literal would give one row where a column is selected
        always = nw.lit(value=empty)
        return nw.when(nw.col("id").is_null()).then(always).otherwise(always)
    folded = parts[0]
    for part in parts[1:]:
        folded = folded & part if empty else folded | part
    return folded


def _compared(column: nw.Expr, match: Compare) -> nw.Expr:
    number = match.number
    if match.operator == ">=":
        return column >= number
    if match.operator == "<=":
        return column <= number
    return column > number if match.operator == ">" else column < number


def _listed(column: nw.Expr, match: Is) -> nw.Expr:
    exact = [value for value in match.values if not is_glob(value)]
    globs = [str(value) for value in match.values if is_glob(value)]
    parts = [column == exact[0] if len(exact) == 1 else column.is_in(exact)] if exact else []
    parts += [column.str.contains(glob_regex(glob)) for glob in globs]
    return _fold(parts, empty=False)


def _unless_open(field: str, found: nw.Expr) -> nw.Expr:
    import narwhals as nw

    if field in _MAY_BE_ANYTHING:
        return found
    if field == "tier":
        closed = nw.col("tier").is_null() & ~nw.col("environment").is_null()
        return nw.when(closed).then(nw.lit(value=False)).otherwise(found)
    return found.fill_null(value=False)


def _labels(match: Is | Compare) -> nw.Expr:
    """Look in the JSON text of the labels, whose keys are sorted and which has no spaces.

    A pair counts only where a pair can begin: behind the brace, or behind a comma. Quotes inside
    names and values are escaped there, so no text can pose as a pair, as long as nobody asks for
    a label called `:` or `,` (see `UNNAMEABLE`).
    """
    import narwhals as nw

    assert isinstance(match, Is), "labels are text"
    name = json.dumps(match.field.removeprefix("labels."), ensure_ascii=False)
    column, parts = nw.col("labels"), list[nw.Expr]()
    for value in map(str, match.values):
        if is_glob(value):
            parts.append(column.str.contains(_label_regex(name, value)))
        else:
            pair = f"{name}:{json.dumps(value, ensure_ascii=False)}"
            parts += [column.str.starts_with("{" + pair), column.str.contains("," + pair, literal=True)]
    return _fold(parts, empty=False)


def _label_regex(name: str, glob: str) -> str:
    """Match a glob inside a JSON string: one character is a plain one or an escape."""
    one = r'(?:[^"\\]|\\u[0-9a-f]{4}|\\["\\/bfnrt])'
    inner = "".join(
        {"*": f"{one}*", "?": one}.get(c) or _literal(json.dumps(c, ensure_ascii=False)[1:-1]) for c in glob
    )
    return rf'(?:\A\{{|,){_literal(name)}:"{inner}"'


def _literal(text: str) -> str:
    return "".join("\\" + c if c in r"\.*+?()[]{}^$|/-&~#" else c for c in text)


def judge(match: Match, row: Mapping[str, Any]) -> bool | None:
    """Judge one credential; `row` has the inventory's flat columns, `labels` as a mapping or JSON text."""
    if isinstance(match, AllOf | AnyOf):
        answers = [judge(part, row) for part in match.parts]
        decisive = isinstance(match, AnyOf)
        if decisive in answers:
            return decisive
        return None if None in answers else not decisive
    if isinstance(match, Not):
        answer = judge(match.part, row)
        return None if answer is None else not answer
    value = field_value(match.field, row)
    if value is None:
        return None if _open(match.field, row) else False
    if isinstance(match, Compare):
        return _holds(value, match)
    return any(_equals(value, wanted) for wanted in match.values)


def field_value(field: str, row: Mapping[str, Any]) -> Any:
    """Give the value that a match looks at; None if there is none."""
    if not field.startswith("labels."):
        return row.get(field)
    labels = row.get("labels") or {}
    labels = json.loads(labels) if isinstance(labels, str) else labels
    return labels.get(field.removeprefix("labels."))


def _open(field: str, row: Mapping[str, Any]) -> bool:
    return field in _MAY_BE_ANYTHING or (field == "tier" and row.get("environment") is None)


def _holds(value: int, match: Compare) -> bool:
    operator, number = match.operator, match.number
    return {">=": value >= number, "<=": value <= number, ">": value > number, "<": value < number}[operator]


def _equals(value: Any, wanted: str | int) -> bool:
    if is_glob(wanted) and isinstance(value, str):
        return fits_glob(str(wanted), value)
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def trace(match: Match, row: Mapping[str, Any]) -> list[tuple[str, bool | None]]:
    """Say for each test of a match what came of it on one credential."""
    if isinstance(match, AllOf | AnyOf):
        return [line for part in match.parts for line in trace(part, row)]
    leaf = match.part if isinstance(match, Not) else match
    if not isinstance(leaf, Is | Compare):
        return [(describe(match), judge(match, row))]
    found = field_value(leaf.field, row)
    seen = "not known" if found is None else f"is {_shown(found)}"
    return [(f"{describe(match)} ({leaf.field} {seen})", judge(match, row))]


def describe(match: Match) -> str:
    """Write a match in one line for a reader: `environment=production, tier=1`."""
    if isinstance(match, AllOf):
        return ", ".join(describe(part) for part in match.parts) or "everything"
    if isinstance(match, AnyOf):
        if not match.parts:
            return "nothing"
        return "any of (" + "; ".join(describe(part) for part in match.parts) + ")"
    if isinstance(match, Not):
        return f"not ({describe(match.part)})"
    if isinstance(match, Compare):
        return f"{match.field}{match.operator}{match.number}"
    return f"{match.field}={'|'.join(_shown(value) for value in match.values)}"


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def may_be_open(match: Match) -> bool:
    """Say whether a match can come out as not known for some credential."""
    if isinstance(match, AllOf | AnyOf):
        return any(may_be_open(part) for part in match.parts)
    if isinstance(match, Not):
        return may_be_open(match.part)
    return match.field in (*_MAY_BE_ANYTHING, "tier")

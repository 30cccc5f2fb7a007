"""Matches as plain data and back: what a policy or a rule is about, with nothing left to guess.

`{"field": "environment", "is": ["production"]}`, `{"by": ">=", "field": "consumers", "than": 5}`,
`{"all": [...]}`, `{"any": [...]}` and `{"not": ...}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit.match import AllOf, AnyOf, Compare, Is, Match, Not

DEEPEST = 40
"""Levels; a policy's own are bounded by the reader of YAML."""


def to_data(match: Match) -> dict[str, Any]:
    """Write a match as what JSON has."""
    if isinstance(match, Is):
        return {"field": match.field, "is": list(match.values)}
    if isinstance(match, Compare):
        return {"by": match.operator, "field": match.field, "than": match.number}
    if isinstance(match, Not):
        return {"not": to_data(match.part)}
    return {"all" if isinstance(match, AllOf) else "any": [to_data(part) for part in match.parts]}


def from_data(data: Any, depth: int = 0) -> Match:
    """Read what `to_data` wrote; raises ValueError, in a sentence, for anything else."""
    if not isinstance(data, Mapping) or depth > DEEPEST:
        raise ValueError("expected a match")
    keys = set(data)
    if keys == {"field", "is"}:
        values = data["is"]
        if not isinstance(values, list) or any(type(value) not in (str, int, bool) for value in values):
            raise ValueError("expected a list of values")
        return Is(_text(data["field"]), tuple(values))
    if keys == {"by", "field", "than"}:
        if data["by"] not in {">=", "<=", ">", "<"} or type(data["than"]) is not int:
            raise ValueError("expected a comparison with a number")
        return Compare(_text(data["field"]), data["by"], data["than"])
    if keys == {"not"}:
        return Not(from_data(data["not"], depth + 1))
    if len(keys) == 1 and keys <= {"all", "any"}:
        key = keys.pop()
        parts = data[key]
        if not isinstance(parts, list):
            raise ValueError("expected a list of matches")
        made = tuple(from_data(part, depth + 1) for part in parts)
        return AllOf(made) if key == "all" else AnyOf(made)
    raise ValueError("expected a match: field and is, field, by and than, all, any or not")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected the name of a field")  # noqa: TRY004 - a document's fault, not a caller's
    return value

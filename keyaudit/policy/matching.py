"""A match as it is written in YAML: `{environment: production, tier: ">=2", labels.pci: "true"}`.

Fields side by side all have to hold; a list means any of its values; `all`, `any` and `not`
combine further matches.
"""

from __future__ import annotations

import re

from keyaudit.errors import Problem, did_you_mean
from keyaudit.inventory.columns import CHOICES
from keyaudit.match import FIELDS, FLAG_FIELDS, NUMBER_FIELDS, AllOf, AnyOf, Compare, Is, Match, Not, is_glob
from keyaudit.strict_yaml import Entry, Node

_COMPARISON = re.compile(r"(>=|<=|>|<)\s*(-?\d{1,15})", re.ASCII)


def parse(node: Node, file: str, problems: list[Problem]) -> Match:
    """Read a match from a mapping; everything wrong is appended to `problems`."""
    if not isinstance(node.content, dict):
        problems.append(Problem(file, node.line, node.column, None, "a match is a mapping of fields to values"))
        return AllOf(())
    parts = [_part(name, entry, file, problems) for name, entry in node.items()]
    found = tuple(part for part in parts if part is not None)
    return found[0] if len(found) == 1 and len(parts) == 1 else AllOf(found)


def _part(name: str, entry: Entry, file: str, problems: list[Problem]) -> Match | None:
    if name in {"all", "any"}:
        return _several(name, entry, file, problems)
    if name == "not":
        return Not(parse(entry.node, file, problems))
    if name not in FIELDS and not (name.startswith("labels.") and len(name) > len("labels.")):
        hint = did_you_mean(name, (*FIELDS, "all", "any", "not", "labels.NAME"))
        problems.append(Problem(file, entry.line, entry.column, None, f"no field to match is called {name!r}{hint}"))
        return None
    return _field(name, entry.node, file, problems)


def _several(name: str, entry: Entry, file: str, problems: list[Problem]) -> Match | None:
    node = entry.node
    if not isinstance(node.content, list) or not node.content:
        problems.append(Problem(file, node.line, node.column, None, f"{name} takes a list of matches"))
        return None
    parts = tuple(parse(part, file, problems) for part in node.content)
    return AllOf(parts) if name == "all" else AnyOf(parts)


def _field(name: str, node: Node, file: str, problems: list[Problem]) -> Match | None:
    items = node.content if isinstance(node.content, list) else [node]
    if not items:
        problems.append(Problem(file, node.line, node.column, None, f"{name} has no values, so it would never match"))
        return None
    if name in NUMBER_FIELDS and len(items) == 1 and isinstance(items[0].content, str):
        if comparison := _COMPARISON.fullmatch(items[0].content):
            return Compare(name, comparison[1], int(comparison[2]))
    before = len(problems)
    for item in items:
        if complaint := _complaint(name, item.content):
            problems.append(Problem(file, item.line, item.column, None, complaint))
    return Is(name, tuple(item.content for item in items)) if len(problems) == before else None


def _complaint(name: str, value: object) -> str | None:
    if name in NUMBER_FIELDS:
        wrong = not isinstance(value, int) or isinstance(value, bool)
        return f"{name} is matched with a whole number or a comparison such as '>=2'" if wrong else None
    if name in FLAG_FIELDS:
        return None if isinstance(value, bool) else f"{name} is matched with true or false"
    if not isinstance(value, str):
        quoted = str(value).lower() if isinstance(value, bool) else value
        return f'{name} is matched with text: write "{quoted}"'
    choices = CHOICES.get(name)
    if choices and value not in choices and not is_glob(value):
        return f"{name} is one of {', '.join(choices)}{did_you_mean(value, choices)}"
    return None

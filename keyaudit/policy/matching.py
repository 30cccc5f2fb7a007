"""A match as it is written in YAML: `{environment: production, tier: ">=2", labels.pci: "true"}`.

Fields side by side all have to hold; a list means any of its values; `all`, `any` and `not`
combine further matches.
"""

from __future__ import annotations

import re

from keyaudit.columns import CHOICES
from keyaudit.errors import Problem, did_you_mean
from keyaudit.match import (
    FIELDS,
    FLAG_FIELDS,
    NUMBER_FIELDS,
    UNNAMEABLE,
    AllOf,
    AnyOf,
    Compare,
    Is,
    Match,
    Not,
    is_glob,
)
from keyaudit.strict_yaml import Entry, Node

LABEL = "labels."
LONGEST_VALUE = 2048

_COMPARISON = re.compile(r"\s*(>=|<=|>|<)\s*(-?\d{1,15})\s*", re.ASCII)


def parse(node: Node, file: str, problems: list[Problem], field: str = "match") -> Match:
    """Read a match from a mapping; everything wrong is appended to `problems`."""
    return _Reading(file, problems).match(node, field)


class _Reading:
    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file, self.problems = file, problems

    def wrong(self, node: Node | Entry, field: str, message: str) -> None:
        self.problems.append(Problem(self.file, node.line, node.column, field, message))

    def match(self, node: Node, field: str) -> Match:
        if not isinstance(node.content, dict):
            self.wrong(node, field, "a match is a mapping of fields to values")
            return AllOf(())
        parts = [self.part(name, entry, f"{field}.{name}") for name, entry in node.items()]
        found = tuple(part for part in parts if part is not None)
        return found[0] if len(found) == 1 and len(parts) == 1 else AllOf(found)

    def part(self, name: str, entry: Entry, field: str) -> Match | None:
        if name in {"all", "any"}:
            return self.several(name, entry.node, field)
        if name == "not":
            return Not(self.match(entry.node, field))
        label = name.removeprefix(LABEL) if name.startswith(LABEL) else None
        if label is not None and (not label or label in UNNAMEABLE):
            self.wrong(
                entry, field, f"no label can be called {label!r}" if label else "labels.NAME needs a name"
            )
        elif label is None and name not in FIELDS:
            known = (*FIELDS, "all", "any", "not", "labels.NAME")
            self.wrong(entry, field, f"no field to match is called {name!r}{did_you_mean(name, known)}")
        else:
            return self.field(name, entry.node, field)
        return None

    def several(self, name: str, node: Node, field: str) -> Match | None:
        if not isinstance(node.content, list) or not node.content:
            self.wrong(node, field, f"{name} takes a list of matches")
            return None
        parts = tuple(self.match(part, f"{field}[{place}]") for place, part in enumerate(node.content))
        return AllOf(parts) if name == "all" else AnyOf(parts)

    def field(self, name: str, node: Node, field: str) -> Match | None:
        listed = isinstance(node.content, list)
        items: list[Node] = node.content if listed else [node]
        if not items:
            self.wrong(node, field, f"{name} has no values, so it would never match")
            return None
        if not listed and name in NUMBER_FIELDS and isinstance(node.content, str):
            comparison = _COMPARISON.fullmatch(node.content)
            if comparison:
                return Compare(name, comparison[1], int(comparison[2]))
        before = len(self.problems)
        for place, item in enumerate(items):
            if complaint := _complaint(name, item.content):
                self.wrong(item, f"{field}[{place}]" if listed else field, complaint)
        return Is(name, tuple(item.content for item in items)) if len(self.problems) == before else None


def _complaint(name: str, value: object) -> str | None:
    if value is None:
        return "what is not known cannot be matched: leave the field out"
    if name in NUMBER_FIELDS:
        wrong = not isinstance(value, int) or isinstance(value, bool)
        return f"{name} is matched with a whole number or a comparison such as '>=2'" if wrong else None
    if name in FLAG_FIELDS:
        return None if isinstance(value, bool) else f"{name} is matched with true or false"
    if isinstance(value, dict | list):
        return f"{name} is matched with text, or a list of texts"
    if not isinstance(value, str):
        quoted = str(value).lower() if isinstance(value, bool) else value
        return f'{name} is matched with text: write "{quoted}"'
    if len(value) > LONGEST_VALUE:
        return f"longer than {LONGEST_VALUE:,} characters"
    choices = CHOICES.get(name)
    if choices and value not in choices and not is_glob(value):
        return f"{name} is one of {', '.join(choices)}{did_you_mean(value, choices)}"
    return None

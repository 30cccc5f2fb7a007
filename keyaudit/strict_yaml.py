"""YAML that means one thing: every node with its line and column, every error at once.

PyYAML composes the nodes; values are then read by few rules. `true`/`false` are booleans and
nothing else is; times stay text; anchors, aliases, merge keys, tags, duplicate keys and several
documents in one file are refused, because a reader could take them for something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyaudit.errors import InputError, Problem

DEEPEST = 40

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?", re.ASCII)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document and where it stands (line and column count from 1).

    `content` is a dict of key text → `Entry`, a list of nodes, or a plain value.
    """

    content: Any
    line: int
    column: int

    def value(self) -> Any:
        """Give the plain Python value: dicts, lists, text, integers, floats, booleans, None."""
        if isinstance(self.content, dict):
            return {key: entry.node.value() for key, entry in self.content.items()}
        if isinstance(self.content, list):
            return [node.value() for node in self.content]
        return self.content

    def at(self, path: tuple[str | int, ...]) -> Node:
        """Find the node of a path of keys and indexes; the nearest one above where it ends early."""
        node = self
        for part in path:
            content = node.content
            if isinstance(content, dict) and part in content:
                node = content[part].node
            elif isinstance(content, list) and isinstance(part, int) and part < len(content):
                node = content[part]
            else:
                break
        return node

    def items(self) -> Iterator[tuple[str, Entry]]:
        """Go through a mapping; nothing for any other node."""
        return iter(self.content.items() if isinstance(self.content, dict) else ())


@dataclass(frozen=True, slots=True)
class Entry:
    """The value under a key of a mapping, and where the key itself stands."""

    node: Node
    line: int
    column: int


def load(data: bytes, file: str, *, error: type[InputError] = InputError) -> Node:
    """Read one YAML document; raises `error` with every problem found."""
    import yaml

    problems: list[Problem] = []
    text = _text(data, file, error)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        events = _refuse(loader, file, problems)
        if not problems:
            del events
            root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as failure:
        problems.append(_syntax(failure, file))
    except RecursionError:
        problems.append(Problem(file, None, None, None, f"nested deeper than {DEEPEST} levels"))
    finally:
        loader.dispose()
    if problems:
        raise error(problems)
    if root is None:
        raise error([Problem(file, 1, 1, None, "the file is empty")])
    node = _node(root, file, problems)
    if problems:
        raise error(sorted(problems, key=lambda p: (p.line or 0, p.column or 0)))
    return node


def _text(data: bytes, file: str, error: type[InputError]) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = data[: failure.start].count(b"\n") + 1
        raise error([Problem(file, line, None, None, "not UTF-8 text")]) from None
    if bad := re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        line = text.count("\n", 0, bad.start()) + 1
        raise error([Problem(file, line, None, None, f"control character U+{ord(bad[0]):04X}")])
    if not text.strip():
        raise error([Problem(file, 1, 1, None, "the file is empty")])
    return text


def _refuse(loader: Any, file: str, problems: list[Problem]) -> int:
    """Look at the events before anything is built: what is refused cannot grow (alias bombs) or nest."""
    import yaml

    depth = documents = seen = 0
    while loader.check_event():
        event = loader.get_event()
        seen += 1
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        complaint = None
        if isinstance(event, yaml.AliasEvent):
            complaint = "aliases (*name) are not allowed: write the value out"
        elif getattr(event, "anchor", None):
            complaint = "anchors (&name) are not allowed: write the value out"
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            complaint = "a second document (---) in one file" if documents == 2 else None
        elif getattr(event, "tag", None) and event.tag != "!":
            complaint = f"tags are not allowed: {event.tag}"
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
            if depth > DEEPEST:
                problems.append(Problem(file, line, column, None, f"nested deeper than {DEEPEST} levels"))
                return seen
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
        if complaint:
            problems.append(Problem(file, line, column, None, complaint))
    return seen


def _syntax(failure: Any, file: str) -> Problem:
    mark = getattr(failure, "problem_mark", None) or getattr(failure, "context_mark", None)
    reason = getattr(failure, "problem", None) or "not YAML"
    place = (mark.line + 1, mark.column + 1) if mark else (None, None)
    return Problem(file, *place, None, f"not YAML: {reason}")


def _node(raw: Any, file: str, problems: list[Problem]) -> Node:
    import yaml

    line, column = raw.start_mark.line + 1, raw.start_mark.column + 1
    if isinstance(raw, yaml.MappingNode):
        return Node(_mapping(raw, file, problems), line, column)
    if isinstance(raw, yaml.SequenceNode):
        return Node([_node(item, file, problems) for item in raw.value], line, column)
    return Node(_scalar(raw), line, column)


def _mapping(raw: Any, file: str, problems: list[Problem]) -> dict[str, Entry]:
    import yaml

    found: dict[str, Entry] = {}
    for key, value in raw.value:
        line, column = key.start_mark.line + 1, key.start_mark.column + 1
        if not isinstance(key, yaml.ScalarNode):
            problems.append(Problem(file, line, column, None, "a key must be plain text"))
            continue
        name = key.value
        if name == "<<" and not key.style:
            problems.append(Problem(file, line, column, None, "merge keys (<<) are not allowed"))
        elif name in found:
            first = found[name].line
            problems.append(Problem(file, line, column, None, f"duplicate key {name!r}, first on line {first}"))
        else:
            found[name] = Entry(_node(value, file, problems), line, column)
    return found


def _scalar(raw: Any) -> Any:
    """Read a plain scalar; quoted ones are always text."""
    text = raw.value
    if raw.style:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text) and len(text) < 20:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) and len(text) < 40 else text

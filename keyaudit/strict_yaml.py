"""YAML that means one thing: every value with its line and column, every error at once.

`true`/`false` are booleans and nothing else is; times and dates stay text, and so do `yes`,
`010` and `12:30`. Anchors, aliases, merge keys, tags, duplicate keys, keys that are not text and
several documents in one file are refused, because a reader could take them for something else.

Nodes are built from PyYAML's events in one pass: what is refused is refused before anything is
built from it, so no alias can multiply and no nesting can overflow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keyaudit.errors import InputError, Problem

DEEPEST = 40

# Longer ones, which 64 bits might not hold, stay text.
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})", re.ASCII)
_FLOAT = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}([eE][-+]?[0-9]{1,2})?", re.ASCII)
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Besides what nobody can see: characters that end a line for YAML but not for a reader
# (a lone carriage return, U+0085, U+2028, U+2029), behind which a comment could hide a setting.
_UNWELCOME = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


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

    def at(self, path: Iterable[str | int]) -> Node:
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
    """Read one YAML document; raises `error` with every problem found up to the first syntax error."""
    import yaml

    problems: list[Problem] = []
    text = _text(data, file, error)
    builder = _Builder(file, problems)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if not builder.take(event):
                break
    except yaml.YAMLError as failure:
        problems.append(_syntax(failure, file))
    if not problems and (builder.root is None or builder.root.content is None):
        problems.append(Problem(file, 1, 1, None, "the file is empty"))
    if problems:
        raise error(sorted(problems, key=lambda p: (p.line or 0, p.column or 0)))
    assert builder.root is not None, "a document without problems has a root"
    return builder.root


def _text(data: bytes, file: str, error: type[InputError]) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        raise error([Problem(file, line, None, None, "not UTF-8 text")]) from None
    problems = []
    for found in _UNWELCOME.finditer(text):
        place = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        problems.append(Problem(file, *place, None, f"control character U+{ord(found[0]):04X}"))
        if len(problems) == 100:  # a file of nothing else is not worth counting
            break
    if not problems and not text.strip():
        problems.append(Problem(file, 1, 1, None, "the file is empty"))
    if problems:
        raise error(problems)
    return text


def _syntax(failure: Any, file: str) -> Problem:
    mark = getattr(failure, "problem_mark", None) or getattr(failure, "context_mark", None)
    reason = getattr(failure, "problem", None) or "it cannot be read"
    if "found character that cannot start any token" in reason:
        reason += " (a tab, or one of @ ` % that needs quotes)"
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    return Problem(file, line, column, None, f"not YAML: {reason}")


class _Open:
    """A mapping or list whose end was not yet seen; `key` is the mapping's key that waits for its value."""

    __slots__ = ("column", "content", "key", "line")

    def __init__(self, content: dict[str, Entry] | list[Node], line: int, column: int) -> None:
        self.content, self.line, self.column = content, line, column
        self.key: tuple[str | None, int, int] | None = None


class _Builder:
    """Turns events into nodes; what is refused becomes a problem and is left out."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file, self.problems = file, problems
        self.root: Node | None = None
        self.open: list[_Open] = []
        self.documents = 0

    def take(self, event: Any) -> bool:
        """Take the next event; False when there is no sense in going on."""
        kind = type(event).__name__
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if kind == "ScalarEvent":
            self.refuse_properties(event, line, column)
            self.scalar(event, line, column)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self.refuse_properties(event, line, column)
            if len(self.open) == DEEPEST:
                self.problem(line, column, f"nested deeper than {DEEPEST} levels")
                return False
            self.open.append(_Open({} if kind == "MappingStartEvent" else [], line, column))
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            done = self.open.pop()
            self.put(Node(done.content, done.line, done.column))
        elif kind == "AliasEvent":
            self.problem(line, column, f"aliases (*{event.anchor}) are not allowed: write the value out")
            self.put(Node(None, line, column))
        elif kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents == 2:
                self.problem(line, column, "a second document (---) in one file")
        return True

    def problem(self, line: int, column: int, message: str) -> None:
        self.problems.append(Problem(self.file, line, column, None, message))

    def refuse_properties(self, event: Any, line: int, column: int) -> None:
        if event.anchor is not None:
            self.problem(line, column, f"anchors (&{event.anchor}) are not allowed: write the value out")
        if event.tag is not None:
            self.problem(line, column, f"tags ({event.tag}) are not allowed")

    def scalar(self, event: Any, line: int, column: int) -> None:
        top = self.open[-1] if self.open else None
        if top is not None and type(top.content) is dict and top.key is None:
            top.key = (self.key(event, top.content, line, column), line, column)
        else:
            if event.style == '"' and _SURROGATE.search(event.value):
                self.problem(line, column, "half of a surrogate pair is not a character")
            self.put(Node(scalar(event.value) if event.implicit[0] else event.value, line, column))

    def key(self, event: Any, mapping: Mapping[str, Entry], line: int, column: int) -> str | None:
        """Give the name of a key, or None for one that is refused."""
        name: str = event.value
        plain = event.implicit[0]
        if plain and name == "<<":
            self.problem(line, column, "merge keys (<<) are not allowed: write the fields out")
        elif plain and not isinstance(scalar(name), str):
            self.problem(
                line, column, f"a key must be text: put {name} in quotes" if name else "a key is empty"
            )
        elif _SURROGATE.search(name):
            self.problem(line, column, "half of a surrogate pair is not a character")
        elif name in mapping:
            self.problem(line, column, f"duplicate key {name!r}, first on line {mapping[name].line}")
        else:
            return name
        return None

    def put(self, node: Node) -> None:
        """Place a finished node where it belongs."""
        if not self.open:
            self.root = self.root or node
            return
        top = self.open[-1]
        if type(top.content) is list:
            top.content.append(node)
        elif top.key is None:
            self.problem(node.line, node.column, "a key must be text, not a list or a mapping")
            top.key = (None, node.line, node.column)
        else:
            name, line, column = top.key
            top.key = None
            if name is not None and type(top.content) is dict:
                top.content[name] = Entry(node, line, column)


def scalar(text: str) -> Any:
    """Read a scalar that stands without quotes: None, boolean, integer, float, otherwise text."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in "+-0123456789":
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text

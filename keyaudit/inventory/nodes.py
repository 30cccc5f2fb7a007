"""Values with their places: what a document is looked at through once something in it is wrong.

JSON and CSV rows and whole YAML documents come as the same `Node`s, so one set of checks
(`check`) words every problem. Valid JSON never comes here but for its few header fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from json import JSONDecodeError
from json import decoder as json_decoder
from typing import Any

DEEPEST = 40

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_scan_string: Callable[[str, int, bool], tuple[str, int]] = json_decoder.scanstring  # type: ignore[attr-defined]
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands (counted from 1; None where a format has no lines).

    `value` is a scalar, a list of nodes, or, for a mapping, a dict of its keys' nodes; `repeated`
    holds the keys that a mapping has more than once, with the place of the repetition.
    """

    value: Any
    line: int | None
    column: int | None
    repeated: tuple[tuple[str, int | None, int | None], ...] = ()


class Malformed(Exception):
    """Not JSON, at this place."""

    def __init__(self, message: str, line: int, column: int) -> None:
        """Keep the place beside the sentence."""
        super().__init__(message)
        self.line, self.column = line, column


def parse_json(text: str, line: int = 1, column: int = 1) -> Node:
    """Read one JSON value with places; `line` and `column` say where it begins. Raises Malformed."""
    reader = _Reader(text, line, column)
    node, end = reader.value(reader.skip(0), 0)
    if (end := reader.skip(end)) < len(text):
        raise reader.malformed("something follows the end of the value", end)
    return node


def flat(node: Node, line: int | None = None) -> Node:
    """Give a value that stood in one cell the line of the cell, or none."""
    value = node.value
    if isinstance(value, dict):
        value = {key: flat(member, line) for key, member in value.items()}
    elif isinstance(value, list):
        value = [flat(item, line) for item in value]
    return Node(value, line, None, tuple((key, line, None) for key, _, _ in node.repeated))


class _Reader:
    def __init__(self, text: str, line: int, column: int) -> None:
        self.text, self.first = text, (0, line, 1 - column)
        self.seen, self.lines, self.start = self.first

    def place(self, position: int) -> tuple[int, int]:
        if position < self.seen:
            self.seen, self.lines, self.start = self.first
        self.lines += self.text.count("\n", self.seen, position)
        if (newline := self.text.rfind("\n", self.seen, position)) >= 0:
            self.start = newline + 1
        self.seen = position
        return self.lines, position - self.start + 1

    def malformed(self, message: str, position: int) -> Malformed:
        return Malformed(message, *self.place(position))

    def skip(self, position: int) -> int:
        found = _SPACE.match(self.text, position)
        return found.end() if found else position

    def value(self, position: int, depth: int) -> tuple[Node, int]:
        if depth > DEEPEST:
            raise self.malformed("nested too deeply", position)
        here = self.place(position)
        match self.text[position : position + 1]:
            case "{":
                return self.mapping(position, depth, here)
            case "[":
                return self.list(position, depth, here)
            case '"':
                text, end = self.string(position)
                return Node(text, *here), end
            case _:
                return self.scalar(position, here)

    def scalar(self, position: int, here: tuple[int, int]) -> tuple[Node, int]:
        for word, value in _WORDS.items():
            if self.text.startswith(word, position):
                return Node(value, *here), position + len(word)
        number = _NUMBER.match(self.text, position)
        if number is None:
            what = "the text ends too early" if position >= len(self.text) else "expected a JSON value"
            raise self.malformed(what, position)
        if number[1] or number[2] or len(number[0]) > 30:
            return Node(float(number[0]), *here), number.end()
        return Node(int(number[0]), *here), number.end()

    def string(self, position: int) -> tuple[str, int]:
        try:
            text, end = _scan_string(self.text, position + 1, True)
        except JSONDecodeError as error:
            raise self.malformed(error.msg[:1].lower() + error.msg[1:].rstrip(" at"), error.pos) from None
        return text, end

    def list(self, position: int, depth: int, here: tuple[int, int]) -> tuple[Node, int]:
        items: list[Node] = []
        position = self.skip(position + 1)
        if self.text[position : position + 1] == "]":
            return Node(items, *here), position + 1
        while True:
            item, position = self.value(self.skip(position), depth + 1)
            items.append(item)
            position, more = self.separator(position, "]")
            if not more:
                return Node(items, *here), position

    def mapping(self, position: int, depth: int, here: tuple[int, int]) -> tuple[Node, int]:
        members: dict[str, Node] = {}
        repeated: list[tuple[str, int | None, int | None]] = []
        position = self.skip(position + 1)
        if self.text[position : position + 1] == "}":
            return Node(members, *here), position + 1
        while True:
            key_at = self.skip(position)
            if self.text[key_at : key_at + 1] != '"':
                raise self.malformed("expected a key in double quotes", key_at)
            place = self.place(key_at)
            key, position = self.string(key_at)
            position = self.skip(position)
            if self.text[position : position + 1] != ":":
                raise self.malformed("expected a colon", position)
            if key in members:
                repeated.append((key, *place))
            members[key], position = self.value(self.skip(position + 1), depth + 1)
            position, more = self.separator(position, "}")
            if not more:
                return Node(members, *here, tuple(repeated)), position

    def separator(self, position: int, closing: str) -> tuple[int, bool]:
        position = self.skip(position)
        found = self.text[position : position + 1]
        if found not in {",", closing} or not found:
            raise self.malformed(f"expected a comma or {closing}", position)
        return position + 1, found == ","

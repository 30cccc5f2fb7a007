"""What is wrong with a document of lines that only keyaudit writes: each looked at by a table of fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from keyaudit.errors import Problem
from keyaudit.inventory import nodes
from keyaudit.inventory.check import Finding, called, mapping, note
from keyaudit.inventory.nodes import Node
from keyaudit.inventory.problems import Problems

Check = Callable[[Node], Iterator[Finding]]
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Line:
    """The fields that a line may have, and which of them it must."""

    checks: Mapping[str, Check]
    needed: tuple[str, ...]


def found(
    content: bytes, written: bytes | None, file: str, *, header: Line, other: Line
) -> tuple[list[Problem], int]:
    """Say everything that is wrong with a document, and how many problems that is: one at least.

    `written` is what keyaudit would have written for what it says, None if it cannot be told.
    """
    problems = Problems(file)
    lines = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if number == 1 or line:
            _look_at(line, number, header if number == 1 else other, problems)
    if not problems.total:
        others = (written or b"").split(b"\n")
        pairs = zip(lines, [*others, *[b""] * len(lines)], strict=False)
        number = next((n for n, (one, other) in enumerate(pairs, start=1) if one != other), len(lines))
        problems.add("is not as keyaudit writes it: it was changed, or put together by hand", line=number)
    return problems.shown, problems.total


def _look_at(line: bytes, number: int, fields: Line, problems: Problems) -> None:
    try:
        node = nodes.parse_json(line.decode(), number, 1)
    except UnicodeDecodeError as error:
        problems.add(f"not UTF-8: byte {error.object[error.start]:#04x}", line=number)
    except nodes.Malformed as error:
        problems.add(str(error), line=error.line, column=error.column)
    else:
        note(mapping(node, fields.checks, fields.needed), "", problems)


def list_of(check: Check) -> Check:
    """Make the check of a list of which each item passes `check`."""

    def look(node: Node) -> Iterator[Finding]:
        if not isinstance(node.value, list):
            yield node, "", f"expected a list, got {called(node.value)}"
            return
        for index, item in enumerate(node.value):
            for place, path, message in check(item):
                yield place, f"[{index}]{path}", message

    return look


def mapping_of(checks: Mapping[str, Check], needed: tuple[str, ...]) -> Check:
    """Make the check of a mapping by a table of its fields."""
    return lambda node: mapping(node, checks, needed)


def schema(name: str) -> Check:
    """Make the check that a document is of the schema that its reader knows."""

    def look(node: Node) -> Iterator[Finding]:
        if node.value != name:
            yield node, "", f"expected {name}, got {called(node.value)}"

    return look


def digest(node: Node) -> Iterator[Finding]:
    """Check a SHA-256, 64 digits in hex."""
    if not isinstance(node.value, str) or not DIGEST.fullmatch(node.value):
        yield node, "", "expected a SHA-256 in hex"

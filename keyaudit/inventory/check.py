"""What may stand in a credential, field by field, and the sentence for what may not.

These checks say the same as the fast ones (`decode`, `soundness`) and are asked when those
found something: they find every problem of a row, with its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from keyaudit.columns import CHOICES, CREDENTIALS, REQUIRED, REQUIRED_OF_VERSION, VERSIONS
from keyaudit.errors import did_you_mean
from keyaudit.inventory.instants import check_instant
from keyaudit.inventory.nodes import Node
from keyaudit.inventory.problems import Problems

LONGEST_TEXT = 65_536
LARGEST_INTEGER = 2**53
USED_AND_NEVER_USED = "true, although last_used_at is given: one of the two is wrong"

Finding = tuple[Node, str, str]
"""The node that is wrong, its path below the one that was checked, and the sentence."""


def wrong_text(node: Node) -> Iterator[Finding]:
    """Text is not empty, holds no NUL and no half of a surrogate pair, and is not endless."""
    if not isinstance(node.value, str):
        yield node, "", f"expected text, got {called(node.value)}"
    elif message := unfit(node.value):
        yield node, "", message


def unfit(text: str, *, empty: bool = False) -> str | None:
    """Say why a text cannot be kept, or None if it can."""
    if not text and not empty:
        return "empty text: write null if it is not known"
    if "\0" in text:
        return "text holds a NUL character"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "text holds half of a surrogate pair: not Unicode"
    return f"text is longer than {LONGEST_TEXT:,} bytes" if size > LONGEST_TEXT else None


def _wrong_integer(node: Node) -> Iterator[Finding]:
    if type(node.value) is not int:
        yield node, "", f"expected an integer, got {called(node.value)}"
    elif not 0 <= node.value <= LARGEST_INTEGER:
        yield node, "", "expected an integer that is not negative" if node.value < 0 else "integer too large"


def _wrong_boolean(node: Node) -> Iterator[Finding]:
    if type(node.value) is not bool:
        yield node, "", f"expected true or false, got {called(node.value)}"


def wrong_instant(node: Node) -> Iterator[Finding]:
    """An instant is text that `instants.check_instant` takes."""
    if not isinstance(node.value, str):
        yield node, "", f"expected a time such as 2026-05-01T00:00:00Z, got {called(node.value)}"
        return
    try:
        check_instant(node.value)
    except ValueError as error:
        yield node, "", str(error)


def _wrong_labels(node: Node) -> Iterator[Finding]:
    if not isinstance(node.value, dict):
        yield node, "", f"expected a mapping of text to text, got {called(node.value)}"
        return
    for key, place in repetitions(node):
        yield place, f".{key}", "given twice"
    for key, value in node.value.items():
        if message := unfit(key, empty=True):
            yield value, "", f"name of a label: {message}"
        if not isinstance(value.value, str):
            yield value, f".{key}", f"expected text, got {called(value.value)}"
        elif message := unfit(value.value, empty=True):
            yield value, f".{key}", message
    plain = {key: value.value for key, value in node.value.items()}
    if len(json.dumps(plain, default=str, ensure_ascii=False)) > LONGEST_TEXT:
        yield node, "", f"labels longer than {LONGEST_TEXT:,} bytes in all"


def wrong_names(node: Node) -> Iterator[Finding]:
    """A list of texts."""
    if not isinstance(node.value, list):
        yield node, "", f"expected a list of texts, got {called(node.value)}"
        return
    for index, item in enumerate(node.value):
        for found, path, message in wrong_text(item):
            yield found, f"[{index}]{path}", message


def wrong_choice(choices: Iterable[str]) -> Callable[[Node], Iterator[Finding]]:
    """Make the check that a text is one of the choices."""
    known = tuple(map(str, choices))

    def check(node: Node) -> Iterator[Finding]:
        if not isinstance(node.value, str):
            yield node, "", f"expected text, got {called(node.value)}"
        elif node.value not in known:
            close = did_you_mean(node.value, known)
            yield node, "", f"{shown(node.value)} is not one of {', '.join(known)}{close}"

    return check


KINDS: dict[str, Callable[[Node], Iterator[Finding]]] = {
    "text": wrong_text,
    "integer": _wrong_integer,
    "boolean": _wrong_boolean,
    "instant": wrong_instant,
    "labels": _wrong_labels,
    "names": wrong_names,
}


def _checks(columns: Mapping[str, str], prefix: str = "") -> dict[str, Callable[[Node], Iterator[Finding]]]:
    return {
        name: wrong_choice(CHOICES[prefix + name]) if prefix + name in CHOICES else KINDS[kind]
        for name, kind in columns.items()
    }


def mapping(
    node: Node,
    checks: Mapping[str, Callable[[Node], Iterator[Finding]]],
    required: Iterable[str] = (),
) -> Iterator[Finding]:
    """Check a mapping by a table of its fields; null stands for "not known" where it is not required."""
    if not isinstance(node.value, dict):
        yield node, "", f"expected a mapping, got {called(node.value)}"
        return
    required = tuple(required)
    for key, place in repetitions(node):
        yield place, f".{key}", "given twice"
    for name in required:
        if name not in node.value:
            yield node, f".{name}", "missing"
    for key, value in node.value.items():
        if key not in checks:
            yield value, "", f"unknown field {shown(key)}{did_you_mean(key, checks)}"
        elif value.value is None:
            if key in required:
                yield value, f".{key}", "must not be null"
        else:
            for found, path, message in checks[key](value):
                yield found, f".{key}{path}", message


def _wrong_versions(node: Node) -> Iterator[Finding]:
    if not isinstance(node.value, list):
        yield node, "", f"expected a list of versions, got {called(node.value)}"
        return
    seen: set[str] = set()
    for index, item in enumerate(node.value):
        for found, path, message in mapping(item, _VERSION, REQUIRED_OF_VERSION):
            yield found, f"[{index}]{path}", message
        identity = item.value.get("id") if isinstance(item.value, dict) else None
        if identity is not None and isinstance(identity.value, str):
            if identity.value in seen:
                yield identity, f"[{index}].id", f"another version has the id {shown(identity.value)}"
            seen.add(identity.value)


_ROTATION_COLUMNS = {
    name.removeprefix("rotation_"): kind for name, kind in CREDENTIALS.items() if name.startswith("rotation_")
}
_ROTATION = _checks(_ROTATION_COLUMNS)
_VERSION = _checks(VERSIONS, "versions.")
_CREDENTIAL: dict[str, Callable[[Node], Iterator[Finding]]] = {
    **{name: check for name, check in _checks(CREDENTIALS).items() if not name.startswith("rotation_")},
    "rotation": lambda node: mapping(node, _ROTATION),
    "versions": _wrong_versions,
}


def check_credential(node: Node, path: str, problems: Problems) -> bool:
    """Note everything that is wrong with one credential; say whether it is sound."""
    before = problems.total
    note(mapping(node, _CREDENTIAL, REQUIRED), path, problems)
    note(_contradictions(node), path, problems)
    return problems.total == before


def _contradictions(node: Node) -> Iterator[Finding]:
    """A credential that was never used has no last use."""
    if not isinstance(node.value, dict):
        return
    never, used = node.value.get("never_used"), node.value.get("last_used_at")
    if never is not None and never.value is True and used is not None and used.value is not None:
        yield never, ".never_used", USED_AND_NEVER_USED


def note(findings: Iterable[Finding], path: str, problems: Problems) -> None:
    """Put findings below `path` into the problems of the file."""
    for node, below, message in findings:
        problems.add(message, line=node.line, column=node.column, field=(path + below).lstrip(".") or None)


def repetitions(node: Node) -> Iterator[tuple[str, Node]]:
    """Give the keys that a mapping has more than once, with the place of each repetition."""
    for key, line, column in node.repeated:
        yield key, Node(None, line, column)


def called(value: Any) -> str:
    """Name what a value is, as its document would."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value!s:.30}"
        case str():
            return f"the text {shown(value)}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def shown(text: str) -> str:
    """Quote a text of a document for an error: escaped, and cut if it is long."""
    return ascii(text) if len(text) <= 60 else f"{text[:57]!a}…"

"""What is wrong with a document of what audit logs told: every line looked at, once one of them is not right.

Whatever stood in a log may stand here, so texts are held to nothing but being text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from keyaudit.errors import Problem
from keyaudit.history import lines
from keyaudit.history.events import Told
from keyaudit.history.lines import Check, digest, list_of, mapping_of, schema
from keyaudit.history.logs.shape import KINDS, OF_VERSIONS, SCHEMA, SOURCES, File, Header, Line, Thing
from keyaudit.inventory.check import KINDS as FIELDS
from keyaudit.inventory.check import Finding, called, mapping, wrong_choice
from keyaudit.inventory.nodes import Node


def sound_header(header: Header) -> bool:
    """Say whether a first line that has the right form may stand in a document."""
    return header.schema == SCHEMA and all(each.kind in KINDS for each in header.files)


def sound(line: Line, header: Header) -> bool:
    """Say whether an entry that has the right form may stand in a document."""
    if line.file >= len(header.files) or header.files[line.file].problem is not None:
        return False
    return bool(line.things) and all(map(_possible, line.things))


def _possible(thing: Thing) -> bool:
    return (
        thing.source in SOURCES
        and bool(thing.ids or (thing.name is not None and not thing.exact))
        and (thing.version is not None or thing.told not in OF_VERSIONS)
    )


def found(content: bytes, written: bytes | None, file: str) -> tuple[list[Problem], int]:
    """Say everything that is wrong with a document, and how many problems that is: see `lines.found`."""
    try:
        files = msgspec.json.decode(content.partition(b"\n")[0], type=Header).files
    except (ValueError, RecursionError):
        files = None
    entry: dict[str, Check] = {
        "file": lambda node: _number(node, files),
        "reference": _text,
        "things": _things,
    }
    return lines.found(
        content,
        written,
        file,
        header=lines.Line(_HEADER, tuple(_HEADER)),
        other=lines.Line(entry, tuple(entry)),
    )


def _text(node: Node) -> Iterator[Finding]:
    if not isinstance(node.value, str):
        yield node, "", f"expected text, got {called(node.value)}"


def _number(node: Node, files: Sequence[File] | None) -> Iterator[Finding]:
    wrong = list(FIELDS["integer"](node))
    yield from wrong
    if wrong or files is None:
        return
    if node.value >= len(files):
        yield node, "", f"the first line names {len(files):,} files, counted from 0"
    elif files[node.value].problem is not None:
        yield node, "", "a file that has a problem tells nothing"


def _things(node: Node) -> Iterator[Finding]:
    yield from list_of(_thing)(node)
    if node.value == []:
        yield node, "", "an entry that tells nothing is only counted"


def _thing(node: Node) -> Iterator[Finding]:
    """Look at the fields of a thing, then at what they say together."""
    wrong = list(mapping(node, _THING, ("told", "source", "where", "at")))
    yield from wrong
    if wrong:
        return
    said = {name: each.value for name, each in node.value.items()}
    if said["told"] in OF_VERSIONS and said.get("version") is None:
        yield node, ".version", f"missing: {said['told']} is told of a version"
    if not said.get("ids") and (said.get("exact") or said.get("name") is None):
        yield node, ".ids", "missing: nothing says which credential it is"


_THING: dict[str, Check] = {
    "told": wrong_choice(Told),
    "source": wrong_choice(SOURCES),
    **dict.fromkeys(("where", "name", "version"), _text),
    "at": FIELDS["instant"],
    "ids": list_of(_text),
    **dict.fromkeys(("exact", "if_known", "if_newest"), FIELDS["boolean"]),
}
_FILE: dict[str, Check] = {
    "file": FIELDS["text"],
    "kind": wrong_choice(KINDS),
    "sha256": digest,
    "items": FIELDS["integer"],
    "problem": FIELDS["text"],
}
_HEADER: dict[str, Check] = {
    "schema": schema(SCHEMA),
    "silent": FIELDS["integer"],
    "files": list_of(mapping_of(_FILE, ("file", "kind"))),
}

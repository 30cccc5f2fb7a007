"""`rotations:` of keyaudit.yaml, as much of it as an audit must understand: entries that have names.

Only `keyaudit rotate` looks closer (`rotate.settings`): that takes code which can change credentials, and
nothing that audits loads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from keyaudit.errors import Problem

if TYPE_CHECKING:
    from keyaudit.strict_yaml import Node


def problems(node: Node, file: str) -> Iterator[Problem]:
    """Say what is wrong with the list itself: entries with names, each name once."""
    if not isinstance(node.content, list):
        yield Problem(file, node.line, node.column, "rotations", "expected a list of `- name: …`")
        return
    names: set[object] = set()
    for index, item in enumerate(node.content):
        if not isinstance(item.content, dict):
            said = "expected settings: name, store, issuer, probe, …"
            yield Problem(file, item.line, item.column, f"rotations[{index}]", said)
            continue
        place = item.at(("name",))
        name = item.value().get("name")
        if isinstance(name, str) and name in names:
            said = "another rotation has this name"
            yield Problem(file, place.line, place.column, f"rotations[{index}].name", said)
        names.add(name if isinstance(name, str) else None)

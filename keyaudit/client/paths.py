"""Attributes and calls that are written down first and carried out on the client of whichever key works.

`client.chat.completions.create` is the path chat, completions, create; `with_options(...)` and
`copy(...)` are part of a path too, because what they give is another client of the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DERIVING = frozenset({"with_options", "copy"})


@dataclass(frozen=True, slots=True)
class Step:
    """One attribute, and a call of it if `arguments` are given."""

    name: str
    arguments: tuple[tuple[Any, ...], Mapping[str, Any]] | None = None


def follow(start: Any, steps: tuple[Step, ...]) -> Any:
    """Walk a path on one client."""
    for step in steps:
        start = getattr(start, step.name)
        if step.arguments is not None:
            start = start(*step.arguments[0], **step.arguments[1])
    return start


def leads_on(value: Any, client: Any) -> bool:
    """Say whether an attribute is a method or a resource of the SDK, and no plain value such as a URL."""
    if callable(value):
        return True
    return type(value).__module__.partition(".")[0] == type(client).__module__.partition(".")[0]

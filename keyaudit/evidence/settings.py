"""The settings of a document as plain data and back: how it was printed is part of the recipe.

Text, numbers, true, false, null and lists of them stand for themselves. What is more is an object with
one key, `$NAME`, for each kind in `KINDS`; anything else was never a setting and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from keyaudit.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Kind:
    """A noun that settings may be made of: whether a value is one, and its two directions."""

    holds: Callable[[Any], bool]
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def to_data(value: Any) -> Any:
    """Write a setting as what JSON has; raises TypeError for a kind that nobody foresaw."""
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, list | tuple):
        return [to_data(each) for each in value]
    for name, kind in KINDS.items():
        if kind.holds(value):
            return {f"${name}": kind.write(value)}
    raise TypeError(f"a setting of the kind {type(value).__name__} has no place in a recipe")


def from_data(data: Any, file: str) -> Any:
    """Read what `to_data` wrote, lists as tuples; raises InputError, naming `file`, for anything else."""
    if data is None or isinstance(data, str | int | bool):
        return data
    if isinstance(data, list):
        return tuple(from_data(each, file) for each in data)
    try:
        ((name, content),) = data.items()
        return KINDS[name.removeprefix("$")].read(content)
    except (AttributeError, KeyError, TypeError, ValueError):
        problem = "a setting is of no kind that this keyaudit knows"
        raise InputError([Problem(file, None, None, "renderings", problem)]) from None


def _is(module: str, name: str) -> Callable[[Any], bool]:
    return lambda value: (type(value).__module__, type(value).__qualname__) == (module, name)


def _write_anchor(anchor: Any) -> Mapping[str, Any]:
    lines = [[section, name, line] for (section, name), line in sorted(anchor.lines.items())]
    return {"file": anchor.file, "lines": lines}


def _read_anchor(data: Any) -> Any:
    from keyaudit.formats.anchor import Anchor

    lines = {(str(section), str(name)): int(line) for section, name, line in data["lines"]}
    return Anchor(str(data["file"]), lines)


def _read_evidence(data: Any) -> Any:
    from keyaudit.formats.verification_steps import Evidence

    inputs = tuple((str(name), str(digest)) for name, digest in data["inputs"])
    return Evidence(**{**data, "inputs": inputs})


def _write_presentation(presentation: Any) -> Mapping[str, Any]:
    from keyaudit.formats.presentation import to_data as write

    return write(presentation)


def _read_presentation(data: Any) -> Any:
    from keyaudit.formats.presentation import from_data as read

    return read(data)


KINDS: dict[str, Kind] = {
    "anchor": Kind(_is("keyaudit.formats.anchor", "Anchor"), _write_anchor, _read_anchor),
    "evidence": Kind(_is("keyaudit.formats.verification_steps", "Evidence"), asdict, _read_evidence),
    "presentation": Kind(
        _is("keyaudit.formats.presentation", "Presentation"), _write_presentation, _read_presentation
    ),
}

"""The forms that fields of a report document take, each with its way in and its way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any

from keyaudit import model, times

_UNITS = {"d": times.DAY, "h": times.HOUR, "m": times.MINUTE, "s": times.SECOND, "us": 1}
_DURATION_FORM = re.compile("(-?)" + "".join(rf"(?:(\d{{1,18}}){unit})?" for unit in _UNITS), re.ASCII)


class Refused(Exception):
    """Something in a document has another shape; `path` grows on the way up, innermost first."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.path: list[str] = []


@dataclass(frozen=True, slots=True)
class Kind:
    """How a field looks in the document; no `write` means as it is.

    The key of an `optional` one stands there only where it holds something.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None = None
    optional: bool = False


def plain(kind: type, called: str) -> Kind:
    """Exactly this JSON type (true is no integer), as it is; `called` is its name in an error."""

    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise Refused(f"expected {called}")
        return value

    return Kind(read)


def maybe(kind: Kind) -> Kind:
    """That kind, or null."""
    read, write = kind.read, kind.write
    return Kind(
        lambda value: None if value is None else read(value),
        None if write is None else (lambda value: None if value is None else write(value)),
    )


def if_any(kind: Kind) -> Kind:
    """That kind, or no such key: documents without it are older, or had nothing to say."""
    return Kind(kind.read, kind.write, optional=True)


def count() -> Kind:
    """An integer that counts something: zero or more."""

    def read(value: Any) -> Any:
        if type(value) is not int or value < 0:
            raise Refused("expected a count")
        return value

    return Kind(read)


def word(*known: str) -> Kind:
    """One of these words."""

    def read(value: Any) -> Any:
        if type(value) is not str or value not in known:
            raise Refused(f"expected one of {', '.join(known)}")
        return value

    return Kind(read)


def choice(choices: type[StrEnum]) -> Kind:
    """One value of an enumeration."""
    known = {choice.value: choice for choice in choices}

    def read(value: Any) -> Any:
        if type(value) is not str or value not in known:
            raise Refused(f"expected one of {', '.join(known)}")
        return known[value]

    return Kind(read, str.__str__)


def parsed(parse: Callable[[str], int], print_: Callable[[int], str]) -> Kind:
    """An integer that the document prints as text."""

    def read(value: Any) -> int:
        if type(value) is not str:
            raise Refused("expected text")
        try:
            return parse(value)
        except (ValueError, OverflowError) as error:
            raise Refused(str(error)) from None

    return Kind(read, print_)


def _parse_duration(text: str) -> int:
    match = _DURATION_FORM.fullmatch(text)
    if match is None or not any(match.groups()[1:]):
        raise ValueError("not a duration such as 90d or 88d13h51m")
    size = sum(
        int(count or 0) * unit for count, unit in zip(match.groups()[1:], _UNITS.values(), strict=True)
    )
    return -size if match[1] else size


def many(kind: Kind) -> Kind:
    """A list of that kind."""
    read, write = kind.read, kind.write

    def read_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise Refused("expected a list")
        rows: list[Any] = []
        try:
            rows.extend(map(read, value))
        except Refused as refused:
            refused.path.append(f"[{len(rows)}]")
            raise
        return tuple(rows)

    return Kind(read_all, list if write is None else (lambda rows: [write(row) for row in rows]))


def counts(key: Kind) -> Kind:
    """An object that counts things by an enumeration."""
    read_key, read_count = key.read, COUNT.read

    def read(value: Any) -> dict[Any, int]:
        if not isinstance(value, Mapping):
            raise Refused("expected an object")
        return {read_key(name): read_count(count) for name, count in value.items()}

    return Kind(read, lambda counts: {str(name): count for name, count in counts.items()})


def shape(noun: Callable[..., Any], **kinds: Kind | tuple[str, Kind]) -> Kind:
    """An object whose keys are the keywords; a key that differs from its field names the field too."""
    members = [(key, *kind) if isinstance(kind, tuple) else (key, key, kind) for key, kind in kinds.items()]
    readers = [(key.rstrip("_"), field, kind.read) for key, field, kind in members]
    order = [key for key, _, _ in readers]
    written = [(key.rstrip("_"), kind.write) for key, _, kind in members if kind.write is not None]
    fields_of = attrgetter(*(field for _, field, _ in members))
    keys = set(order)
    optional = [key.rstrip("_") for key, _, kind in members if kind.optional]
    required = keys - set(optional)

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise Refused("expected an object")
        if value.keys() != keys and not (optional and required <= value.keys() <= keys):
            _refuse_keys(required, keys, value)
        fields = {}
        key = ""
        try:
            for key, field, read_member in readers:
                if key in value:
                    fields[field] = read_member(value[key])
        except Refused as refused:
            refused.path.append(f".{key}")
            raise
        return noun(**fields)

    def write(row: Any) -> dict[str, Any]:
        document = dict(zip(order, fields_of(row), strict=True))
        for key in optional:
            if document[key] is None:
                del document[key]
        for key, write_member in written:
            if key in document:
                document[key] = write_member(document[key])
        return document

    return Kind(read, write)


def _refuse_keys(required: set[str], keys: set[str], value: Mapping[str, Any]) -> None:
    missing = sorted(required - value.keys())
    if missing:
        raise Refused(f"key {missing[0]!r} is missing")
    raise Refused(f"unknown key {min(str(key) for key in value.keys() - keys)!r}")


TEXT = plain(str, "text")
INTEGER = plain(int, "an integer")
COUNT = count()
BOOLEAN = plain(bool, "true or false")
INSTANT = parsed(times.parse_instant, times.format_instant)
DURATION = parsed(_parse_duration, times.format_duration)
TEXTS = many(TEXT)
SEVERITY = choice(model.Severity)
VERDICT = choice(model.Verdict)
BASIS = choice(model.Basis)
TEXT_OR_NULL = maybe(TEXT)
INTEGER_OR_NULL = maybe(INTEGER)
COUNT_OR_NULL = maybe(COUNT)
INSTANT_OR_NULL = maybe(INSTANT)
DURATION_OR_NULL = maybe(DURATION)
SEVERITY_OR_NULL = maybe(SEVERITY)

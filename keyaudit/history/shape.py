"""The lines of a history document, for msgspec: made from the tables of `chronicle`."""

from __future__ import annotations

from typing import Any

import msgspec

from keyaudit.columns import CREDENTIALS
from keyaudit.history.chronicle import DESCRIBING, KEY, VERSION

SCHEMA = "keyaudit/history/1"

_TYPES: dict[str, Any] = {
    "text": str,
    "integer": int,
    "boolean": bool,
    "instant": str,
    "labels": dict[str, str],
}
SPELLED = {"class": "cls", "version": "id"}
"""Columns whose field is called something else: by what the document says, or because Python cannot."""


def _struct(name: str, fields: list[Any]) -> Any:
    return msgspec.defstruct(
        name,
        fields,
        rename={"cls": "class"},
        forbid_unknown_fields=True,
        omit_defaults=True,
        gc=False,
        module=__name__,
    )


def _optional(kinds: dict[str, str]) -> list[Any]:
    return [(SPELLED.get(name, name), _TYPES[kind] | None, None) for name, kind in kinds.items()]


_SAID = {name: kind for name, kind in VERSION.items() if name not in {"version", "state"}}
VERSION_SHAPE: Any = _struct("Version", [("id", str), ("state", str), *_optional(_SAID)])
CREDENTIAL = _struct(
    "Credential",
    [
        *((name, str) for name in (*KEY, "name")),
        *_optional({name: CREDENTIALS[name] for name in DESCRIBING if name != "name"}),
        ("listed_at", str | None, None),
        ("versions", list[VERSION_SHAPE], msgspec.field(default_factory=list)),
    ],
)
FILE: Any = _struct(
    "File",
    [
        ("file", str),
        ("kind", str),
        ("sha256", str | None, None),
        ("at", str | None, None),
        ("items", int, 0),
        ("problem", str | None, None),
    ],
)
_INSTANTS: tuple[Any, ...] = (list[str], msgspec.field(default_factory=list))
SCOPE: Any = _struct(
    "Scope",
    [
        ("source", str),
        ("scope", str),
        ("complete", *_INSTANTS),
        ("without_versions", *_INSTANTS),
        ("incomplete", *_INSTANTS),
    ],
)
HEADER = _struct("Header", [("schema", str), ("files", list[FILE]), ("scopes", list[SCOPE])])

"""A credential as a document spells it, for msgspec: made from the tables in `columns`.

Every field may be left out (UNSET: not carried) or null (not known). Times stay text here;
`instants` reads a whole column of them at once.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from keyaudit.columns import CREDENTIALS, REQUIRED, REQUIRED_OF_VERSION, VERSIONS
from keyaudit.inventory.check import LARGEST_INTEGER

_TYPES: dict[str, Any] = {
    "text": str,
    "integer": Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)],
    "boolean": bool,
    "instant": str,
    "labels": dict[str, str],
    "names": list[str],
}
_ROTATION_PREFIX = "rotation_"


def _fields(columns: dict[str, str], required: tuple[str, ...] = ()) -> list[Any]:
    """List fields for `defstruct`, the required ones first; `class` is a keyword, hence `cls`."""
    spelled = {"class": "cls"}
    needed: list[Any] = [(name, _TYPES[columns[name]]) for name in required]
    others: list[Any] = [
        (spelled.get(name, name), _TYPES[kind] | None | UnsetType, UNSET)
        for name, kind in columns.items()
        if name not in required
    ]
    return needed + others


def _struct(name: str, fields: list[Any]) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        name, fields, rename={"cls": "class"}, forbid_unknown_fields=True, gc=False, module=__name__
    )


_ROTATION = _struct(
    "Rotation",
    _fields(
        {
            name.removeprefix(_ROTATION_PREFIX): kind
            for name, kind in CREDENTIALS.items()
            if name.startswith(_ROTATION_PREFIX)
        }
    ),
)
VERSION = _struct("Version", _fields(VERSIONS, REQUIRED_OF_VERSION))
_plain = {name: kind for name, kind in CREDENTIALS.items() if not name.startswith(_ROTATION_PREFIX)}
_nested: list[Any] = [
    ("rotation", _ROTATION | None | UnsetType, UNSET),
    ("versions", list[VERSION] | None | UnsetType, UNSET),  # type: ignore[valid-type]
]
CREDENTIAL = _struct("Credential", _fields(_plain, REQUIRED) + _nested)

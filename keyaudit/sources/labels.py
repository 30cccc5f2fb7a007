"""What tags say about a credential, by a small table of well-known keys.

Every tag is kept as a label. These keys also fill a column; they compare without case, the
first that is present wins, and values are kept as written:

    column        tag keys
    environment   keyaudit:environment, environment, env
    tier          keyaudit:tier, tier              (a whole number)
    owner         keyaudit:owner, owner
    any other     keyaudit:COLUMN only: class, provider, lineage, reach, consumers, exposure, user_owned

`keyaudit_` and `keyaudit-` serve as well where a store takes no colon.

`team` stays a label: a team is not always an owner. A value that its column cannot hold
(`tier: gold`) leaves the column not known and stays visible among the labels.

Whoever may tag a credential could so exempt it from rules (`class: dynamic-secret`, `user_owned`, a
milder environment): `trust_labels` of a source says which columns labels may fill at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keyaudit.columns import CHOICES, CREDENTIALS, EXEMPT

if TYPE_CHECKING:
    from keyaudit.inventory.rows import Credential
    from keyaudit.model import Coverage

PREFIXES = ("keyaudit:", "keyaudit_", "keyaudit-")
"""Google's labels take no colon, and nothing but `_` and `-` beside small letters and digits."""
COLUMNS: dict[str, tuple[str, ...]] = {
    "environment": ("environment", "env"),
    "tier": ("tier",),
    "owner": ("owner",),
    "class": (),
    "provider": (),
    "lineage": (),
    "reach": (),
    "consumers": (),
    "exposure": (),
    "user_owned": (),
}
TAGGED = frozenset({"reach", "consumers", "exposure", "user_owned"})
"""Columns that nothing but a label fills."""

_FIELDS = {"class": "cls"}
_BOOLEANS = {"true": True, "false": False}


def read_labels(labels: Mapping[str, str]) -> dict[str, Any]:
    """Give what the labels fill, by field name of `inventory.rows.Credential`."""
    if not labels:
        return {}
    by_key = {key.lower(): value for key, value in labels.items()}
    found: dict[str, Any] = {}
    for column, keys in COLUMNS.items():
        for key in (*(prefix + column for prefix in PREFIXES), *keys):
            if (text := by_key.get(key)) is not None:
                value = _value(column, text.strip())
                if value is not None:
                    found[_FIELDS.get(column, column)] = value
                break
    return found


def distrust(rows: Iterable[Credential], *, trusted: bool | Sequence[str]) -> None:
    """Take out of the columns that are not `trusted` what labels say; the labels themselves stay.

    A value that the store gives and a label repeats is taken out too: nobody can tell them apart, and
    a fact that is not known exempts from nothing.
    """
    if trusted is True:
        return
    kept = {_FIELDS.get(column, column) for column in trusted or ()}
    for row in rows:
        for name, value in read_labels(row.labels or {}).items():
            if name not in kept and getattr(row, name) == value:
                setattr(row, name, None)


def say_exempt(coverage: Iterable[Coverage], rows: Iterable[Credential]) -> list[Coverage]:
    """Add to each scope's coverage how many of its credentials exempt themselves by their own labels."""
    dynamic: Counter[str] = Counter()
    owned: Counter[str] = Counter()
    for row in rows:
        said = read_labels(row.labels or {})
        dynamic[row.scope] += said.get("cls") == row.cls == "dynamic-secret"
        owned[row.scope] += bool(said.get("user_owned") and row.user_owned)
    return [_exempt(scope, dynamic[scope.scope], owned[scope.scope]) for scope in coverage]


def _exempt(scope: Coverage, dynamic: int, owned: int) -> Coverage:
    named = (("class dynamic-secret", dynamic), ("user_owned", owned))
    parts = [f"{name}: {count:,}" for name, count in named if count]
    if not parts:
        return scope
    said = f"{EXEMPT}: {', '.join(parts)}"
    return replace(scope, reason=f"{scope.reason}; {said}" if scope.reason else said)


def tagged(rows: Iterable[Credential]) -> frozenset[str]:
    """Name the columns that only a label of ours fills: collected where any credential has it."""
    missing = set(TAGGED)
    for row in rows:
        missing -= {name for name in missing if getattr(row, name) is not None}
        if not missing:
            break
    return TAGGED - missing


def _value(column: str, text: str) -> str | int | bool | None:
    kind = CREDENTIALS[column]
    if kind == "integer":
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
    if kind == "boolean":
        return _BOOLEANS.get(text.lower())
    if column in CHOICES and text not in CHOICES[column]:
        return None
    return text or None

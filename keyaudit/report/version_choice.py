"""Which version a finding is about, for the rules that are about one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_LATE = 1 << 62

Version = Mapping[str, Any]


def version_for(rule: str, row: Mapping[str, Any]) -> str | None:
    """Name the version that a rule's finding is about: the one that has been wrong for longest."""
    if rule == "rotation-undocumented":
        rotated: str | None = row["rotated_version"]
        return rotated
    choose = _CHOICES.get(rule)
    wrong = choose(row["versions"] or ()) if choose else ()
    first = min(wrong, key=lambda v: (v["superseded_at"] or v["created_at"] or _LATE, v["id"]), default=None)
    return first["id"] if first else None


def _pending(versions: Sequence[Version]) -> list[Version]:
    return [v for v in versions if v["state"] == "pending"]


def _active(versions: Sequence[Version]) -> list[Version]:
    old = [v for v in versions if v["state"] not in {"pending", "current"}]
    return [v for v in old if v["authenticates"]] or [v for v in old if v["authenticates"] is None]


def _served(versions: Sequence[Version]) -> list[Version]:
    return [v for v in versions if v["state"] == "superseded"]


def _used(versions: Sequence[Version]) -> list[Version]:
    old = [v for v in versions if v["state"] not in {"pending", "current"} and v["last_used_at"] is not None]
    return (
        [max(old, key=lambda v: v["last_used_at"] - (v["superseded_at"] or v["last_used_at"]))] if old else []
    )


_CHOICES: Mapping[str, Callable[[Sequence[Version]], Sequence[Version]]] = {
    "rotation-stalled": _pending,
    "old-key-active": _active,
    "old-version-enabled": _served,
    "old-key-in-use": _used,
    "retired-key-encrypts": _served,
}

"""Multi-region keys: one key in several regions, whose history and use belong together.

Every key of a family has the same id and the same material. What each is told for itself is when
it came to its region, whether it is enabled there, and when it was used there:

* The first material is at least as old as the oldest key of the family. The primary may be a
  younger one, since it can be moved; so as long as one of them was not seen, nothing is dated.
* A replica that works, of a primary that does not, is a copy of nothing in use: it is judged itself.
* The family was last used when any of its keys was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from keyaudit.inventory.rows import Credential, Version

_MARK = ":key/mrk-"


def join(rows: Sequence[Credential], expected: Collection[str]) -> list[Credential]:
    """Give the rows with each family's dates and use put together; `expected` has the ARNs of all."""
    families: dict[str, list[Credential]] = {}
    for row in rows:
        if _MARK in row.id:
            families.setdefault(_family(row.id), []).append(row)
    wanted: dict[str, set[str]] = {}
    for arn in expected:
        wanted.setdefault(_family(arn), set()).add(arn)
    joined: dict[str, Credential] = {}
    for family, keys in families.items():
        unseen = wanted.get(family, set()) - {row.id for row in keys}
        joined.update((row.id, row) for row in _joined(keys, whole=not unseen))
    return [joined.get(row.id, row) for row in rows]


def _family(arn: str) -> str:
    """Give what the ARNs of a family have in common: all but the region."""
    parts = arn.split(":")
    return ":".join([*parts[:3], *parts[4:]])


def _joined(keys: Sequence[Credential], *, whole: bool) -> Iterable[Credential]:
    made = min((key.created_at for key in keys if key.created_at is not None), default=None)
    made = made if whole else None
    primaries = {key.id: key for key in keys if key.replica_of is None}
    for key in keys:
        dated = replace(key, versions=_dated(key, made))
        if key.replica_of is None:
            yield _with_use(replace(dated, created_at=made), keys, whole=whole)
        elif key.replica_of in primaries and _works(key) and not _works(primaries[key.replica_of]):
            yield replace(dated, created_at=made, replica_of=None)
        else:
            yield dated


def _dated(key: Credential, made: int | None) -> list[Version] | None:
    """Date the first material, which `rows` dated by the key's own creation."""
    if key.versions is None:
        return None
    first = [each.created_at is not None and each.created_at == key.created_at for each in key.versions]
    return [
        replace(each, created_at=made) if is_first else each
        for each, is_first in zip(key.versions, first, strict=True)
    ]


def _works(key: Credential) -> bool:
    return key.versions is None or any(version.state == "current" for version in key.versions)


def _with_use(primary: Credential, keys: Sequence[Credential], *, whole: bool) -> Credential:
    """A use in any region is a use; none is known only if every region says so."""
    uses = [key.last_used_at for key in keys if key.last_used_at is not None]
    told = whole and all(key.never_used is not None for key in keys)
    never = False if uses else True if told else None
    return replace(primary, last_used_at=max(uses, default=None) if told else None, never_used=never)

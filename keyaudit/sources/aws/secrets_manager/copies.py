"""One secret, several regions: what its copies show of its use belongs to the primary.

Secrets Manager counts reads by region. A primary that nobody reads at home may be read
everywhere else, so its last use is the latest of all copies; and while no copy was seen, its
last use is not known at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from keyaudit.inventory.rows import Credential


def share_use(rows: Sequence[Credential], replicated: Collection[str]) -> list[Credential]:
    """Give the rows with the last use of each primary in `replicated` taken from all its copies."""
    by_primary: dict[str, list[Credential]] = {}
    for row in rows:
        if row.replica_of is not None:
            by_primary.setdefault(row.replica_of, []).append(row)
    return [_shared(row, by_primary) if row.id in replicated else row for row in rows]


def _shared(primary: Credential, by_primary: Mapping[str, Sequence[Credential]]) -> Credential:
    copies = by_primary.get(primary.id)
    if not copies:
        return msgspec.structs.replace(primary, last_used_at=None, never_used=None)
    uses = [row.last_used_at for row in (primary, *copies) if row.last_used_at is not None]
    return msgspec.structs.replace(
        primary, last_used_at=max(uses, default=None), never_used=False if uses else None
    )

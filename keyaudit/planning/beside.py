"""What an inventory says of rotations to come, and a report does not keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit.model import Inventory, Policy

REMINDER = "reminder"
"""How a source says that nobody rotates: the store only says when somebody should."""


def known(inventory: Inventory, policy: Policy) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Give of each credential its lineage, whose it is, and when its own store will rotate it.

    `next_at` is None unless rotation is on and something other than a person does it. Blanks are filled
    as the policy classifies.
    """
    import narwhals as nw

    from keyaudit.policy import classify

    columns = ("source", "scope", "id", "lineage", "user_owned", "replica_of")
    rotation = ("rotation_enabled", "rotation_next_at", "rotation_by")
    filled = classify.apply(nw.from_native(inventory.credentials), policy).to_native()
    return {
        (row["source"], row["scope"], row["id"]): {**row, "next_at": _next(row)}
        for row in filled.select(*columns, *rotation).collect().iter_rows(named=True)
    }


def _next(row: Mapping[str, Any]) -> int | None:
    by_itself = row["rotation_enabled"] is True and row["rotation_by"] != REMINDER
    return row["rotation_next_at"] if by_itself else None

"""All evidence of other times, put beside an inventory: earlier lists, audit logs and rotation records.

Whoever audits again from the same evidence does it by this function, and comes to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keyaudit.history.chronicle import Chronicle
from keyaudit.history.logs import AuditLogs
from keyaudit.model import Inventory
from keyaudit.rotation_record import RecordFile


@dataclass(frozen=True)
class Widened:
    """The inventory with its past, and what of the logs it left aside.

    `unknown` entries were about a credential that no list has, `ambiguous` ones may be about two, and
    `silent` ones do not say which version they are about.
    """

    inventory: Inventory
    unknown: int = 0
    ambiguous: int = 0
    silent: int = 0


def widen(
    inventory: Inventory,
    chronicle: Chronicle | None,
    logs: AuditLogs | None,
    records: Sequence[RecordFile] | None,
) -> Widened:
    """Give an inventory the past that was given beside it; None is what was not given.

    The same inventory where nothing was given. Names in logs are looked up in the earlier lists too.
    """
    from keyaudit.history import recall
    from keyaudit.history.logs import placed
    from keyaudit.history.recorded import recorded

    if chronicle is None and logs is None and not records:
        return Widened(inventory)
    known = inventory if chronicle is None else recall(inventory, chronicle)
    events = recorded(records or (), known)
    if logs is None:
        return Widened(recall(inventory, chronicle, events) if events or chronicle else inventory)
    found = placed(logs, known)
    recalled = recall(inventory, chronicle, (*events, *found.events), logs.files)
    return Widened(recalled, found.unknown, found.ambiguous, logs.silent)

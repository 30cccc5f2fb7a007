"""History: what is known of credentials from other times than the inventory's.

Earlier inventories, audit logs and rotation records come to one document, `keyaudit/history/1`, and an
inventory that recalls it knows versions and credentials that its stores have since forgotten. What
holds at the instant of the audit is judged by the inventory alone: history is evidence of a period.

snapshots, replay        which files count, in which order; one inventory after the other
chronicle                what they come to, in columns
document, shape          `keyaudit/history/1`: written and read; its lines; `document_problems`
lines                    how such documents are looked at, line by line: this one, and that of `logs`
logs                     exported audit logs
recorded, record_steps   what rotation records tell; `value_names` of which version
events, telling          one thing that a log or a record tells; all of them, put beside what lists said
agreeing                 one version, one date
recalling, widening      an inventory given its past; from all that there is, as a scan and a replay do it
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from keyaudit.history.chronicle import Chronicle
    from keyaudit.history.events import Event
    from keyaudit.model import HistoryFile, Inventory


def read(paths: Iterable[str | Path]) -> Chronicle:
    """Read earlier inventories in any format, folders of them, and condensed histories.

    In whatever order they are named: when each was collected counts. What is no evidence is not an
    error: its file says the problem (`Chronicle.files`), and the others are used.
    """
    from keyaudit.history import snapshots

    return snapshots.read(paths)


def write(chronicle: Chronicle) -> bytes:
    """Condense a history into one document, `keyaudit/history/1`: see `history.document`."""
    from keyaudit.history import document

    return document.write(chronicle)


def recall(
    inventory: Inventory,
    chronicle: Chronicle | None,
    events: Sequence[Event] = (),
    files: Sequence[HistoryFile] = (),
) -> Inventory:
    """Give the same inventory with its past: the columns `columns.RECALLED`, and `Inventory.history`.

    Credentials that it lists no longer follow those that it lists, without versions: no rule about the
    present applies to them. `events` come from audit logs and rotation records, `files` are what those
    were read from. Without a `chronicle` the inventory's own look is the only one.
    """
    from keyaudit.history import chronicle as chronicles
    from keyaudit.history import recalling

    return recalling.recall(inventory, chronicle or chronicles.empty(), events, files)

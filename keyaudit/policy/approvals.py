"""What rotation records say of promotions: which took place, and whether somebody else agreed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keyaudit.facts.promotions import Promotion
from keyaudit.policy import people
from keyaudit.rotation_record import Record, RecordFile


def promotions(files: Iterable[RecordFile]) -> tuple[Promotion, ...]:
    """Give the promotions of all files without a problem, each once, in the order of their instants.

    A file with any problem attests nothing: what was changed in one place may have been in another.
    A promotion has a result, or an intent that did not fail: a run that was killed between the two
    had written what it was about to do, and the inventory shows whether it was done. So has a value
    that was given up, which is told by its token: a store may list it as one that was replaced.
    """
    found: dict[tuple[Any, ...], Record] = {}
    for file in files:
        if file.problems:
            continue
        for record in file.records:
            if record.step != "promote" and not _gives_up(record):
                continue
            served = record.step == "promote"
            key = record.source, record.scope, record.id, record.token or (record.file, record.line), served
            held = found.get(key)
            if record.event == "failed" and held is not None and held.event == "intent":
                del found[key]
            elif record.event == "result" or (record.event == "intent" and held is None):
                found[key] = record if held is None or held.event == "intent" else held
    return tuple(sorted(map(_promotion, found.values()), key=lambda each: (each.at, each.identity)))


def _gives_up(record: Record) -> bool:
    """Say whether a record is of the end of a value that nobody was given."""
    return record.step == "void" or (record.step == "drop" and record.detail.get("place") == "pending")


def _promotion(record: Record) -> Promotion:
    place = record.detail.get("pending")
    held: Mapping[str, Any] = place if isinstance(place, dict) else {}
    names = (record.token, held.get("version"))
    key_id = held.get("key_id")
    return Promotion(
        source=record.source,
        scope=record.scope,
        id=record.id,
        at=record.at,
        # Some stores name a version by the token under which it was staged.
        versions=frozenset(name for name in names if isinstance(name, str)),
        key_id=key_id if isinstance(key_id, str) else None,
        requested_by=record.requested_by,
        approved_by=record.approved_by,
        self_approved=_self_approved(record),
        served=record.step == "promote",
        token=record.token,
        ticket=record.ticket,
    )


def _self_approved(record: Record) -> bool | None:
    """Say whether the requester approved; nobody named on either side leaves it open."""
    if people.blank(record.requested_by) or people.blank(record.approved_by):
        return None
    return people.same(record.requested_by, record.approved_by)

"""What rotation records say of the taking over of a version, for the entries of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keyaudit.columns import PROVIDERS
from keyaudit.facts.promotions import Identity, Promotion
from keyaudit.model import Recorded
from keyaudit.report.ledger_entries import Row


def records_of(promotions: Iterable[Promotion]) -> Callable[[Row, str], Recorded | None]:
    """Give who asked and who agreed, by credential and version.

    A record is of the version that it names, by its number, by the token of its rotation, or by the id
    under which a provider lists the key. The first of several counts: a value takes over once.
    """
    by_name: dict[tuple[Identity, str], Promotion] = {}
    by_key: dict[str, Promotion] = {}
    for each in sorted((one for one in promotions if one.served), key=lambda one: one.at):
        for name in each.versions:
            by_name.setdefault((each.identity, name), each)
        if each.key_id is not None:
            by_key.setdefault(each.key_id, each)

    def recorded(row: Row, version: str) -> Recorded | None:
        found = by_name.get(((row["source"], row["scope"], row["id"]), version))
        if found is None and row["source"] in PROVIDERS:
            found = by_key.get(version)
        if found is None:
            return None
        return Recorded(found.at, found.token, found.requested_by, found.approved_by, found.ticket)

    return recorded

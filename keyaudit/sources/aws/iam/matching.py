"""Which key of a user is in which slot of the credential report, where that can be told for sure.

The report has no key ids, and the order of its slots means nothing. A slot can only be a key's if it
was changed no earlier than the key was created, and shows the key's status; where exactly one way to
pair them is left, or all ways say the same of every key, the last uses are known without a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from keyaudit.sources.aws.iam.lists import Key, Use
from keyaudit.sources.aws.iam.report import Slot


def uses_from(slots: Sequence[Slot], keys: Sequence[Key], *, fresh: bool) -> list[Use] | None:
    """Give the last use of each key, None if the report does not tell them apart.

    In a report that is not `fresh` keys may have been switched on and off since, so status tells nothing.
    """
    if len(slots) != len(keys):
        return None

    def fits(slot: Slot, key: Key) -> bool:
        return slot.changed >= key.created and (not fresh or slot.active == key.active)

    ways = {
        tuple(slot.used for slot in way)
        for way in permutations(slots)
        if all(fits(slot, key) for slot, key in zip(way, keys, strict=True))
    }
    return [Use(used) for used in ways.pop()] if len(ways) == 1 else None

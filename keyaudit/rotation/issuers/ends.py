"""Which key a value is, by the ends of it that a provider shows: `sk-abc...def`, `sk-proj-****CANARY`."""

from __future__ import annotations

import re
from collections.abc import Mapping

_GAP = re.compile(r"\*+|\.{2,}|…+")
_FEWEST = 3
"""Characters of the end; the beginning is the same for most keys of a kind."""


def fits(shown: str | None, value: str) -> bool:
    """Say whether a value has the ends that are shown; two values may have the same."""
    ends = _GAP.split(shown or "")
    if len(ends) != 2 or len(ends[1]) < _FEWEST or sum(map(len, ends)) >= len(value):
        return False
    return value.startswith(ends[0]) and value.endswith(ends[1])


def only_fit(shown: Mapping[str, str | None], value: str) -> str | None:
    """Give the id of the one key whose ends a value has; None if there is none, or more than one."""
    found = [key_id for key_id, ends in shown.items() if fits(ends, value)]
    return found[0] if len(found) == 1 else None

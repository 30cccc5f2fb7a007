"""The last use that a report by the minute, the hour or the day shows, as OpenAI and Anthropic have them.

A bucket with a use in it says only that there was one by its end: its end is what is given, and
never a later instant than now.
"""

from __future__ import annotations

from collections.abc import Callable

from keyaudit.sources.pulling.json_lists import last_use
from keyaudit.times import DAY, MINUTE

_MINUTES = 1440
_DAYS = 31

Report = Callable[[str, int, int, str | None], bytes]
"""Asks for a page: width, start of the first bucket in microseconds, most buckets, the page's token."""


def last_seen(report: Report, key_id: str, since: int | None, now: int) -> int | None:
    """Give an instant by which a key was last used since `since`; None if no use is shown.

    The last day is asked for by the minute, what lies before it by the day. Raises RefusedError.
    """
    recent = (now // MINUTE - _MINUTES + 1) * MINUTE
    start = max((recent if since is None else since) // MINUTE * MINUTE, recent)
    found = last_use(lambda page: report("1m", start, _MINUTES, page)).get(key_id)
    if found is not None:
        return min(found + MINUTE, now)
    if since is None or since >= recent:
        return None
    found = last_use(lambda page: report("1d", since // DAY * DAY, _DAYS, page)).get(key_id)
    # Nothing was shown by the minute, so it was before the minutes began.
    return None if found is None else min(found + DAY, recent)

"""How long an overdue value stays, from the first report that calls it overdue to one with a newer value.

A value counts as newer only if it surely is: the earliest instant at which it can have been
created lies after the latest one of the value that was overdue. An edit or a longer period ends
no such time, it only ends the watch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keyaudit.trend.ages import newest, oldest
from keyaudit.trend.look import Look
from keyaudit.trend.saved import Key, Row
from keyaudit.trend.series import OVERDUE
from keyaudit.trend.tally import Of, Tally


@dataclass(frozen=True, slots=True)
class Wait:
    """An overdue value: since which report, whether longer than that, and how young it can be at most."""

    rule: str
    since: int
    longer: bool
    newest: int | None


class Waits:
    """The overdue values of all reports so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waits: dict[Key, Wait] = {}

    def follow(
        self,
        look: Look,
        tally: Tally,
        group: Callable[[Row], Of],
        new_to_us: Callable[[str, str, Key | None], bool],
    ) -> None:
        """Take in the next report; `new_to_us` says whether no earlier one could have shown a finding."""
        overdue = {
            finding.credential.key: (fingerprint, finding)
            for fingerprint, finding in look.failing.items()
            if finding.rule in OVERDUE and finding.credential is not None
        }
        self._end(look, tally, group)
        for key, (fingerprint, finding) in overdue.items():
            row, wait = look.rows.get(key), self._waits.get(key)
            latest = None if row is None else newest(row, look.as_of)
            if wait is None:
                self._waits[key] = Wait(
                    finding.rule, look.as_of, new_to_us(fingerprint, finding.rule, key), latest
                )
            else:
                self._waits[key] = Wait(finding.rule, wait.since, wait.longer, latest)

    def _end(self, look: Look, tally: Tally, group: Callable[[Row], Of]) -> None:
        open_still = {
            finding.credential.key
            for listed in (look.failing, look.undecided, look.waived)
            for finding in listed.values()
            if finding.rule in OVERDUE and finding.credential is not None
        }
        for key, wait in list(self._waits.items()):
            row = look.rows.get(key)
            if row is None:
                if key[:2] in look.complete:
                    del self._waits[key]
            elif _replaced(wait, row, look.as_of):
                tally.rotated[group(row)].append(look.as_of - wait.since)
                if wait.longer:
                    tally.count("rotated_later", group(row))
                del self._waits[key]
            elif key not in open_still and look.asks(wait.rule):
                del self._waits[key]


def _replaced(wait: Wait, row: Row, as_of: int) -> bool:
    earliest = oldest(row, as_of)
    return earliest is not None and wait.newest is not None and earliest > wait.newest

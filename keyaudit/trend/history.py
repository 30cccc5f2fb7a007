"""What became of every finding from report to report, and what each report could not see."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from operator import attrgetter

from keyaudit.model import EVERY_SCOPE
from keyaudit.trend.ages import bounds
from keyaudit.trend.look import NOTHING, UNSEEN, Judged, Look, Standing, look_at
from keyaudit.trend.overdue import Waits
from keyaudit.trend.saved import Key, Place, Row, Saved
from keyaudit.trend.series import OVERDUE, Group, Hole, Point
from keyaudit.trend.tally import NOBODY, Of, Tally


class History:
    """Reports taken in one after the other, oldest first."""

    def __init__(self, by: str) -> None:
        """Group credentials by one of `series.BY`."""
        self._group: Callable[[Row], Group] = attrgetter("cls" if by == "class" else by)
        self._standing: dict[str, Standing] = {}
        self._waits = Waits()
        self._before: Look | None = None
        self._seen: set[Key] = set()
        self._held: set[Place] = set()
        self._read: set[Place] = set()
        self._declared: set[Place] = set()

    def follow(self, saved: Saved) -> Point:
        """Take in the next report and give what it adds; raises `Refused` for an age that is none."""
        look, tally = look_at(saved), Tally()
        self._levels(look, tally)
        self._waits.follow(look, tally, self._group, self._new_to_us(look))
        self._judge(look, tally)
        total, groups = tally.figures()
        point = Point(
            as_of=look.as_of,
            reports=1,
            policy=saved.policy.name,
            policy_sha256=saved.policy.sha256,
            total=total,
            groups=groups,
            scopes=dict(Counter(scope.status for scope in saved.coverage)),
            holes=self._holes(look),
            declared=bool(saved.coverage),
            changes=self._changes(saved),
        )
        self._remember(look)
        return point

    def _levels(self, look: Look, tally: Tally) -> None:
        """Count credentials and ages; what is not in use has no age that matters."""
        exact: defaultdict[Group, list[int]] = defaultdict(list)
        bounded: defaultdict[Group, list[int]] = defaultdict(list)
        for row in look.saved.population:
            if row.age_min is not None and row.worst != "not-applicable":
                low, high = bounds(row)
                if low is not None:
                    (exact if low == high else bounded)[self._group(row)].append(low)
        tally.counts["credentials"].update(map(self._group, look.saved.population))
        for group, ages in exact.items():
            tally.counts["aged"][group] = len(ages)
            tally.counts["age_total"][group] = sum(ages)
        for group in {**exact, **bounded}:
            tally.worst_age[group] = max((*exact[group], *bounded[group]))

    def _new_to_us(self, look: Look) -> Callable[[str, str, Key | None], bool]:
        before = self._before

        def new(fingerprint: str, rule: str, key: Key | None) -> bool:
            """Say whether no earlier report could have shown this finding if it had been there."""
            if before is None or fingerprint in before.undecided:
                return True
            if not before.asks(rule, look.lacking.get(rule, NOTHING)):
                return True
            if key is None:
                return before.saved.policy.name != look.saved.policy.name
            return key not in self._seen and key[:2] not in self._read

        return new

    def _judge(self, look: Look, tally: Tally) -> None:
        """Say what became of every finding."""
        groups = dict(zip(look.rows, map(self._group, look.rows.values()), strict=True))
        judged, new_to_us = Judged(look.lacking, look.saved.policy.name), self._new_to_us(look)
        failing, overdue, counted = tally.counts["failing"], tally.counts["overdue"], set[Key]()
        for fingerprint, finding in look.failing.items():
            known = self._standing.get(fingerprint)
            key = known.key if known else finding.credential.key if finding.credential else None
            of: Of = NOBODY if key is None else groups.get(key)
            if known is None:
                new = new_to_us(fingerprint, finding.rule, key)
                tally.count("first_seen" if new else "opened", of)
                self._standing[fingerprint] = Standing(finding.rule, key, judged, of)
            else:
                known.judged, known.of = judged, of
            failing[of] += 1
            if finding.rule in OVERDUE and key is not None and key not in counted:
                counted.add(key)
                overdue[of] += 1
        for fingerprint in [known for known in self._standing if known not in look.failing]:
            self._left(look, tally, fingerprint, counted)

    def _left(self, look: Look, tally: Tally, fingerprint: str, counted: set[Key]) -> None:
        """Say what became of a finding that is not among the failures; `counted` are overdue already."""
        known = self._standing[fingerprint]
        fate = look.fate(fingerprint, known)
        if fate != UNSEEN:
            tally.count(fate, known.of)
            del self._standing[fingerprint]
            return
        tally.count("failing_unseen", known.of)
        if known.rule in OVERDUE and known.key is not None and known.key not in counted:
            counted.add(known.key)
            tally.count("overdue_unseen", known.of)

    def _holes(self, look: Look) -> tuple[Hole, ...]:
        """Name the scopes that were not seen to their end, or not at all although they were before."""
        status = {(scope.source, scope.scope): scope.status for scope in look.saved.coverage}
        holes: dict[Place, str] = {
            place: said
            for place, said in status.items()
            if said in {"partial", "failed"} or (said == "empty" and place in self._held)
        }
        holes |= dict.fromkeys(self._declared - status.keys(), "not-declared")
        return tuple(Hole(*place, said) for place, said in sorted(holes.items()))

    def _changes(self, saved: Saved) -> tuple[str, ...]:
        if self._before is None:
            return ()
        before = self._before.saved
        differ = {
            "policy": before.policy.sha256 != saved.policy.sha256,
            "frameworks": _texts(before) != _texts(saved),
            "keyaudit": before.tool.version != saved.tool.version,
        }
        return tuple(what for what, changed in differ.items() if changed)

    def _remember(self, look: Look) -> None:
        self._before = look
        fresh = look.rows.keys() - self._seen
        self._seen |= fresh
        self._held |= {key[:2] for key in fresh}
        self._read |= look.complete
        places = {(scope.source, scope.scope) for scope in look.saved.coverage}
        self._declared |= {place for place in places if place[1] != EVERY_SCOPE}


def _texts(saved: Saved) -> set[tuple[str, str]]:
    return {(framework.id, framework.sha256) for framework in saved.frameworks}

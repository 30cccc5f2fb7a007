"""What rotation records attest: which version was promoted, when, who asked and who agreed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Identity = tuple[str, str, str]
"""Source, scope and id of a credential."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """One promotion that a sound record attests. `at` in microseconds, UTC.

    `versions` are the names under which a store may list the value, `key_id` is what its provider
    calls it. `self_approved` is None where the record does not say both who asked and who agreed.
    Where not `served`, the record says that the value was given up before anybody was given it.
    """

    source: str
    scope: str
    id: str
    at: int
    versions: frozenset[str]
    key_id: str | None
    requested_by: str | None
    approved_by: str | None
    self_approved: bool | None
    served: bool = True
    token: str | None = None
    ticket: str | None = None

    @property
    def identity(self) -> Identity:
        """Source, scope and id of the credential."""
        return self.source, self.scope, self.id


@dataclass(frozen=True, slots=True)
class Period:
    """What a period audit is made for: `first` and `last` instant, both inside it.

    `promotions` are those of all records that were given, also from before and after the period;
    None where no records were given. `changes` are the last instants of what one policy governed, in order,
    each of them before the last one of the period. `governed_now` says whether the policy that governs the
    last part is today's.
    """

    first: int
    last: int
    promotions: tuple[Promotion, ...] | None = None
    changes: tuple[int, ...] = ()
    governed_now: bool = True

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """The stretches of the period that one policy governed each, as their first and last instants."""
        starts = (self.first, *(change + 1 for change in self.changes))
        return tuple(zip(starts, (*self.changes, self.last), strict=True))

    def is_now(self, part: int) -> bool:
        """Say whether today's policy governed a part, by its number."""
        return self.governed_now and part == len(self.changes)


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A version that was or may have been in use.

    `inside` says whether it surely or perhaps took over in the period; `at` is when, in microseconds,
    None where nothing dates it. `at_provider` says that the version is a key as its provider lists it.
    """

    row: int
    version: str
    at: int | None
    inside: bool
    at_provider: bool = False


def distances(
    listed: Mapping[Identity, Sequence[TakenOver]], promotions: Iterable[Promotion]
) -> dict[tuple[int, str], int]:
    """Give how far each version's taking over lies from a record of it, by row and version.

    A record that names a version stands for that one, whenever it was written: 0. One that names
    none of the credential's versions stands for the single taking over inside the period that is
    nearest to it, the earlier of two; one of a value that was given up stands for no other one. A key
    that its provider lists is named by its id, under whatever credential it was stored. Versions that no
    record stands for are absent.
    """
    promotions = tuple(promotions)
    keys = {promotion.key_id for promotion in promotions}
    every = (each for versions in listed.values() for each in versions)
    found = {(each.row, each.version): 0 for each in every if each.at_provider and each.version in keys}
    nameless = defaultdict[Identity, list[Promotion]](list)
    for promotion in promotions:
        versions = listed.get(promotion.identity, ())
        named = [each for each in versions if each.version in promotion.versions]
        found.update({(each.row, each.version): 0 for each in named})
        if not named and promotion.served:
            nameless[promotion.identity].append(promotion)
    for identity, promoted in nameless.items():
        for promotion in promoted:
            open_ = [
                (abs(each.at - promotion.at), each.at, each.version, each.row)
                for each in listed.get(identity, ())
                if each.inside and each.at is not None and found.get((each.row, each.version)) != 0
            ]
            if open_:
                distance, _, version, row = min(open_)
                found[row, version] = min(distance, found.get((row, version), distance))
    return found


def approvals(period: Period) -> dict[str, list[object]]:
    """Give, as columns, each credential with promotions inside the period and its gravest approval.

    Approved by the requester is graver than not known, and that graver than approved by somebody
    else; of equals the earliest counts.
    """
    grave = {True: 0, None: 1, False: 2}
    served = [each for each in period.promotions or () if each.served]
    inside = [each for each in served if period.first <= each.at <= period.last]
    gravest: dict[Identity, Promotion] = {}
    count = defaultdict[Identity, int](int)
    for each in sorted(inside, key=lambda each: (grave[each.self_approved], each.at)):
        gravest.setdefault(each.identity, each)
        count[each.identity] += 1
    chosen = list(gravest.values())
    return {
        "source": [each.source for each in chosen],
        "scope": [each.scope for each in chosen],
        "id": [each.id for each in chosen],
        "promotions_in_period": [count[each.identity] for each in chosen],
        "self_approved": [each.self_approved for each in chosen],
        "promoted_at": [each.at for each in chosen],
        "requested_by": [each.requested_by for each in chosen],
        "approved_by": [each.approved_by for each in chosen],
    }

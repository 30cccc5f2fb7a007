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

    @property
    def names(self) -> frozenset[str]:
        """All that a list of the credential may call the value."""
        return self.versions if self.key_id is None else self.versions | {self.key_id}


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


@dataclass(frozen=True, slots=True)
class Match:
    """The record that stands for a version's taking over, and how far from it that lies, in microseconds."""

    distance: int
    promotion: Promotion


def matches(
    listed: Mapping[Identity, Sequence[TakenOver]], promotions: Iterable[Promotion]
) -> dict[tuple[int, str], Match]:
    """Give the record of each version's taking over, by row and version.

    A record that names a version stands for that one, whenever it was written: 0. One that names
    none of the credential's versions stands for the single taking over inside the period that is
    nearest to it, the earlier of two; one of a value that was given up stands for no other one. A key
    that its provider lists is named by its id, under whatever credential it was stored. Of several
    that name one version the first promotion counts: a value takes over once. Versions that no record
    stands for are absent.
    """
    # One of a value that was given up gives way to one that says that it was served.
    promotions = sorted(promotions, key=lambda each: (not each.served, each.at))
    of_key: dict[str | None, Promotion] = {}
    for promotion in promotions:
        of_key.setdefault(promotion.key_id, promotion)
    every = (each for versions in listed.values() for each in versions)
    found = {
        (each.row, each.version): Match(0, of_key[each.version])
        for each in every
        if each.at_provider and each.version in of_key
    }
    nameless = defaultdict[Identity, list[Promotion]](list)
    for promotion in promotions:
        named = [each for each in listed.get(promotion.identity, ()) if each.version in promotion.names]
        for each in named:
            found.setdefault((each.row, each.version), Match(0, promotion))
        if not named and promotion.served:
            nameless[promotion.identity].append(promotion)
    for identity, promoted in nameless.items():
        _nearest(listed.get(identity, ()), promoted, found)
    return found


def _nearest(
    versions: Sequence[TakenOver], promoted: Iterable[Promotion], found: dict[tuple[int, str], Match]
) -> None:
    """Lend each record of no name to the nearest taking over that no record names."""
    named = {key for key, match in found.items() if match.distance == 0}
    for promotion in promoted:
        near = [
            (abs(each.at - promotion.at), each.at, each.version, each.row)
            for each in versions
            if each.inside and each.at is not None and (each.row, each.version) not in named
        ]
        if near:
            distance, _, version, row = min(near)
            held = found.get((row, version))
            if held is None or distance < held.distance:
                found[row, version] = Match(distance, promotion)


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

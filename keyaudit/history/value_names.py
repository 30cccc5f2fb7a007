"""Which version of a credential a rotation record means: one value has several names, and is one value.

A record names a value by the version that its store had for it, by the token of the rotation that made it,
and by the key that it is at its provider. Whoever lists the credential may call it by any of the three, or
by a fourth: what Vault staged has another number once it is served. That one is told by a later line
about the same key or, failing that, by when it was made. Only a value that no list has is new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from keyaudit.history.record_steps import Identity, Place, Step, text
from keyaudit.times import MINUTE

if TYPE_CHECKING:
    import polars as pl

    from keyaudit.model import Inventory

_AS_GOOD_AS_AT_ONCE = 10 * MINUTE
"""How far a version's date may lie from the promotion that wrote it: clocks differ, and calls take time."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A version that some list has: when it was made and superseded, where that is said."""

    created_at: int | None
    superseded_at: int | None


Lists = Mapping[Identity, Mapping[str, Listed]]
"""The versions of each credential, of the inventory and of all that it recalls."""


@dataclass(frozen=True, slots=True)
class Named:
    """The version that a value is.

    Where it is not its `own`, a list has the value as another one than the record's: one that was written
    when it was promoted, or taken back. When the value itself was made or replaced is not that one's.
    """

    version: str
    own: bool


@dataclass
class _Known:
    """What the records of one credential tell of names: by version and by key."""

    listed: Mapping[str, Listed]
    key_of: dict[str, str] = field(default_factory=dict)
    token_of: dict[str, str] = field(default_factory=dict)
    served: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    replaces: dict[str | None, str] = field(default_factory=dict)
    near: dict[str, str] = field(default_factory=dict)

    def learn(self, step: Step) -> None:
        old = text(step.record.detail.get("old_key_id"))
        if step.record.step == "provision" and old is not None:
            self.replaces[step.record.token] = old
        for name in ("current", "previous", "pending"):
            place = step.place(name)
            if name == "current" and place.key is None and step.record.step == "promote":
                place = replace(place, key=self.replaces.get(step.record.token))
            if place.version is None:
                continue
            if place.key is not None:
                self.key_of.setdefault(place.version, place.key)
            # A value that is served has the store's name for good; one that waits may have another.
            if name != "pending" and place.version not in self.served[self._value(place)]:
                self.served[self._value(place)].append(place.version)
            for called in (place.version, place.key):
                if place.token is not None and called is not None:
                    self.token_of.setdefault(called, place.token)

    def _value(self, place: Place) -> str:
        return place.key or self.key_of.get(place.version or "") or place.version or ""

    def names(self, place: Place) -> list[str]:
        """Give all names that a record has for a value, the store's own first."""
        value = self._value(place)
        token = place.token or self.token_of.get(place.version or "") or self.token_of.get(value)
        return [name for name in (place.version, token, value) if name]

    def find(self, place: Place) -> Named | None:
        own = next((name for name in self.names(place) if name in self.listed), None)
        if own is not None:
            return Named(own, own=True)
        if place.version is None:
            return None
        value = self._value(place)
        served = self.served.get(value, [])
        other = next((name for name in served if name in self.listed), None)
        if other is not None:
            return Named(other, own=False)
        if place.version in self.near:
            return Named(self.near[place.version], own=False)
        return Named(served[0] if served else place.version, own=True)

    def place_by_time(self, promoted: Iterable[Step]) -> None:
        """Take a promoted value that is listed by none of its names for the one that was made just then."""
        places = [step.place("pending") for step in promoted]
        found = [self.find(place) for place in places]
        taken = {each.version for each in found if each is not None}
        taken |= {version for names in self.served.values() for version in names}
        for step, place, named in zip(promoted, places, found, strict=True):
            if place.version is None or named is None or named.version in self.listed:
                continue
            if place.version in self.served.get(self._value(place), ()):
                continue
            near = [
                (abs(each.created_at - step.record.at), version)
                for version, each in self.listed.items()
                if each.created_at is not None and version not in taken
            ]
            distance, version = min(near, default=(_AS_GOOD_AS_AT_ONCE + 1, ""))
            if distance <= _AS_GOOD_AS_AT_ONCE:
                self.near[place.version] = version
                taken.add(version)


class Names:
    """The names of all values that records are about."""

    def __init__(self, steps: Iterable[Step], listed: Lists) -> None:
        """Learn from all steps, in the order of time, what names go together."""
        self._known: dict[Identity, _Known] = {}
        promoted = defaultdict[Identity, list[Step]](list)
        for step in steps:
            own = self._known.setdefault(step.identity, _Known(listed.get(step.identity, {})))
            own.learn(step)
            if step.record.step == "promote":
                promoted[step.identity].append(step)
        for identity, own in self._known.items():
            own.place_by_time(promoted[identity])

    def find(self, identity: Identity, place: Place) -> Named | None:
        """Give the version that a value of a credential is; None where the record does not name one."""
        return self._known[identity].find(place)


def versions_of(frame: pl.LazyFrame) -> pl.Expr:
    """Give the column of all versions that are known: those that the inventory recalls, where it does."""
    import polars as pl

    return pl.col("past" if "past" in frame.collect_schema().names() else "versions")


def listed_versions(inventory: Inventory, identities: Iterable[Identity]) -> Lists:
    """Find the versions that the inventory, or what it recalls, lists of some credentials."""
    import polars as pl

    frame = inventory.credentials
    versions = versions_of(frame).alias("_versions")
    key = ("source", "scope", "id")
    about = pl.LazyFrame(sorted(set(identities)), schema=dict.fromkeys(key, pl.String), orient="row")
    names = ("id", "created_at", "superseded_at")
    one = frame.join(about, on=key, how="semi").select(*key, versions).explode("_versions")
    fields = [pl.col("_versions").struct.field(name).alias(f"_{name}") for name in names]
    rows = one.select(*key, *fields).filter(pl.col("_id").is_not_null()).collect()
    found = defaultdict[Identity, dict[str, Listed]](dict)
    for source, scope, id_, version, created, superseded in rows.iter_rows():
        found[source, scope, id_][version] = Listed(created, superseded)
    return found


def in_use_since(listed: Mapping[str, Listed], version: str) -> int | None:
    """Say by when a listed version was in use: made, and all older ones superseded; None is not known."""
    made = listed[version].created_at if version in listed else None
    if made is None or any(each.created_at is None for each in listed.values()):
        return None
    older = [
        each.superseded_at
        for each in listed.values()
        if each.created_at is not None and each.created_at < made
    ]
    ended = [each for each in older if each is not None]
    return max([made, *ended]) if len(ended) == len(older) else None

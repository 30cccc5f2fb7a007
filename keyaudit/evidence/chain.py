"""Which bundle follows which: each names the digest of the manifest before it, and counts.

A chain shows that nothing between two bundles was left out or put in later. It cannot show what came
after the last: who is given an older bundle again needs the newer one to know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keyaudit import times
from keyaudit.evidence.checking import Manifest
from keyaudit.evidence.verification import Check, Statement, fits, left_open, wrong

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Link:
    """What a bundle says of its place: its number from 1, when it was made and for which instant."""

    manifest_sha256: str
    sequence: int
    created_at: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Place:
    """A bundle's own link, and the one that it says it follows; None for the first."""

    link: Link
    previous: Link | None


def place(said: Manifest) -> Place | None:
    """Read a bundle's place in its chain, None where its manifest does not say it as it must."""
    own = _link({**said.predicate, "manifest_sha256": said.sha256})
    before = said.predicate.get("previous")
    previous = _link(before) if isinstance(before, Mapping) else None
    if own is None or (before is not None and previous is None):
        return None
    return Place(own, previous)


def check_place(said: Manifest, before: Manifest | None) -> Iterator[Statement]:
    """Compare what a bundle says it follows with the one that is given as the one before it."""
    own = place(said)
    if own is None:
        yield wrong(Check.CHAIN, "the manifest does not say where in its chain the bundle stands")
        return
    yield from _alone(own)
    if before is not None:
        other = place(before)
        if other is None:
            yield wrong(Check.CHAIN, "the bundle before it does not say where in its chain it stands")
            return
        yield from _follows(own, other)
    elif own.previous is None:
        if own.link.sequence == 1:
            yield fits(Check.CHAIN, "it says that it is the first of its chain")
    else:
        text = f"the bundle before it, {_named(own.previous)}, was not given: --previous names it"
        yield left_open(Check.CHAIN, text)


def _alone(own: Place) -> Iterator[Statement]:
    """Say what is wrong with a place by itself."""
    expected = 1 if own.previous is None else own.previous.sequence + 1
    if own.link.sequence != expected:
        yield wrong(
            Check.CHAIN,
            f"a gap: it is number {own.link.sequence:,} and says that it follows number {expected - 1:,}",
        )
    if own.previous is not None:
        yield from _backwards(own.link, own.previous)


def _follows(own: Place, other: Place) -> Iterator[Statement]:
    said, given = own.previous, other.link
    if own.link == given:
        yield wrong(Check.CHAIN, "it is the same bundle as the one before it, given a second time")
    elif said == given:
        yield fits(Check.CHAIN, f"it follows {_named(given)}, whose manifest was given")
    elif own.link.sequence <= given.sequence:
        both = _fork(own, other)
        yield wrong(
            Check.CHAIN,
            both
            or f"an older bundle, replayed: it is number {own.link.sequence:,}, "
            f"the one before it is number {given.sequence:,}",
        )
    elif own.link.sequence > given.sequence + 1:
        missing = f"{given.sequence + 1:,}"
        if own.link.sequence > given.sequence + 2:
            missing = f"{missing} to {own.link.sequence - 1:,}"
        yield wrong(Check.CHAIN, f"a predecessor is missing: number {missing} of the chain was not given")
    elif said is None or said.manifest_sha256 != given.manifest_sha256:
        follows = "none" if said is None else _named(said)
        yield wrong(
            Check.CHAIN, f"it does not follow the bundle before it, {_named(given)}: it names {follows}"
        )
    else:
        yield wrong(Check.CHAIN, "it says of the bundle before it what that one does not say of itself")
    if given not in (own.link, said):
        yield from _backwards(own.link, given)


def _fork(own: Place, other: Place) -> str | None:
    """Say of two bundles that stand in one place that they do."""
    if own.link.sequence != other.link.sequence or own.previous != other.previous:
        return None
    if own.previous is None:
        return "both say that they are the first of a chain: the one does not follow the other"
    return "both follow the same bundle: the chain was forked"


def _backwards(own: Link, before: Link) -> Iterator[Statement]:
    for what, mine, theirs in (
        ("was made", own.created_at, before.created_at),
        ("judges as of", own.as_of, before.as_of),
    ):
        if times.parse_instant(mine) < times.parse_instant(theirs):
            text = f"time goes backwards: it {what} {mine}, the bundle before it {theirs}"
            yield wrong(Check.CHAIN, text)


def _named(link: Link) -> str:
    return f"number {link.sequence:,} ({link.manifest_sha256[:12]}, as of {link.as_of})"


def _link(said: Mapping[str, Any]) -> Link | None:
    digest, sequence = said.get("manifest_sha256"), said.get("sequence")
    created, as_of = said.get("created_at"), said.get("as_of")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        return None
    if not isinstance(sequence, int) or isinstance(sequence, bool) or not 0 < sequence < 1 << 31:
        return None
    if not isinstance(created, str) or not isinstance(as_of, str):
        return None
    try:
        times.parse_instant(created)
        times.parse_instant(as_of)
    except ValueError:
        return None
    return Link(digest, sequence, created, as_of)

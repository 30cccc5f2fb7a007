"""Draw a sample of a report's population, and draw it again to see whether it is the one.

Nothing but the seed and the population decides: `model.sampled.METHOD` says how, step by step, and this
shell does the same to a report without strata:

    jq -ac '.population[] | [.source, .scope, .id]' report.json | LC_ALL=C sort | sha256sum
    jq -ac --arg seed SEED --arg population DIGEST \\
        '.population[] | [$seed, $population, .source, .scope, .id]' report.json |
      while IFS= read -r line; do
        printf '%s  %s\\n' "$(printf '%s' "$line" | sha256sum | cut -c1-64)" "$line"
      done | LC_ALL=C sort | head -n SIZE

Identities are JSON, so that no two of them are the same line, whatever characters an id holds. The
population is part of every key: credentials that are added or left out after the seed was known turn
the whole draw. Whoever chooses the seed after seeing the population, or the population after seeing the
seed, can try until the sample suits: the one has to be fixed before the other is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from heapq import nsmallest

from keyaudit.errors import UsageError
from keyaudit.model import Drawn, PopulationRow, Sample, Stratum
from keyaudit.model.sampled import STRATA

_FIELDS = {"environment": "environment", "class": "cls", "owner": "owner"}

_Values = tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class _Candidate:
    """A credential as it is ordered: by its key, and two of one identity by what else they show."""

    key: str
    stratum: _Values
    source: str
    scope: str
    id: str
    name: str


def line(*texts: str) -> bytes:
    """Write texts as one line that no other texts give: a JSON array of ASCII without spaces."""
    return json.dumps(texts, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def population_sha256(population: Iterable[PopulationRow]) -> str:
    """Digest the identities of a population, in hex; their order does not matter."""
    return _digest(line(row.source, row.scope, row.id) for row in population)


def _digest(identities: Iterable[bytes]) -> str:
    digest = sha256()
    for identity in sorted(identities):
        digest.update(identity + b"\n")
    return digest.hexdigest()


def draw(population: Iterable[PopulationRow], size: int, seed: str, strata: Sequence[str] = ()) -> Sample:
    """Draw `size` credentials of a report's population, all of them if it has no more than that.

    `strata` are some of `STRATA`. Raises UsageError for a size below 1, a seed that is blank or holds what
    cannot be printed, and for a stratum that there is not.
    """
    refuse(size, seed, strata)
    listed = [
        (row.source, row.scope, row.id, row.name, tuple(getattr(row, _FIELDS[one]) or "" for one in strata))
        for row in population
    ]
    digest = _digest(line(*row[:3]) for row in listed)
    groups: dict[_Values, list[_Candidate]] = {}
    for source, scope, identity, name, values in listed:
        key = sha256(line(seed, digest, source, scope, identity)).hexdigest()
        groups.setdefault(values, []).append(_Candidate(key, values, source, scope, identity, name))
    shares = allocate({values: len(groups[values]) for values in sorted(groups)}, size)
    lowest = {values: nsmallest(2 * share, groups[values]) for values, share in shares.items()}
    drawn = [one for values, share in shares.items() for one in lowest[values][:share]]
    reserves = [one for values, share in shares.items() for one in lowest[values][share:]]
    return Sample(
        size=size,
        seed=seed,
        strata=tuple(strata),
        population=len(listed),
        population_sha256=digest,
        parts=tuple(Stratum(values, len(groups[values]), share) for values, share in shares.items()),
        drawn=tuple(_numbered(drawn, 1)),
        reserves=tuple(_numbered(reserves, len(drawn) + 1)),
    )


def refuse(size: int, seed: str, strata: Sequence[str]) -> None:
    """Raise the UsageError of `draw`, before there is a population."""
    if size < 1:
        raise UsageError(f"a sample of {size} is none", hint="draw one credential or more")
    if not seed.strip() or not seed.isprintable():
        raise UsageError(
            "the seed is not a line of text", hint="the auditor gives it, such as 2026-H1/7f3a9c"
        )
    if unknown := set(strata) - set(STRATA):
        raise UsageError(f"{min(unknown)!r} is no stratum", hint=f"there are {', '.join(STRATA)}")
    if len(set(strata)) < len(strata):
        raise UsageError("a stratum is named twice", hint="name each once")


def _numbered(candidates: Iterable[_Candidate], first: int) -> Iterator[Drawn]:
    for order, one in enumerate(sorted(candidates), start=first):
        yield Drawn(order, one.stratum, one.source, one.scope, one.id, one.name, one.key)


def allocate(sizes: Mapping[_Values, int], wanted: int) -> dict[_Values, int]:
    """Share a sample among strata, in their order: in proportion to their sizes, by largest remainder.

    A stratum whose share is less than one gives one, and the others share what is left, where `wanted`
    has room for one of each. Equal remainders go to the larger stratum, then to the one that comes
    first by its values.
    """
    wanted = min(wanted, sum(sizes.values()))
    single: set[_Values] = set()
    others = dict(sizes)
    while wanted >= len(sizes):
        left, total = wanted - len(single), sum(others.values())
        small = {values for values, size in others.items() if size * left < total}
        if not small:
            break
        single |= small
        others = {values: size for values, size in others.items() if values not in small}
    shares = _by_largest_remainder(others, wanted - len(single))
    return {values: 1 if values in single else shares[values] for values in sizes}


def _by_largest_remainder(sizes: Mapping[_Values, int], wanted: int) -> dict[_Values, int]:
    """Share in whole numbers; exact, for sizes are integers."""
    total = sum(sizes.values())
    shares = {values: size * wanted // total for values, size in sizes.items()}
    nearest = sorted(sizes, key=lambda values: (-(sizes[values] * wanted % total), -sizes[values], values))
    for values in nearest[: wanted - sum(shares.values())]:
        shares[values] += 1
    return shares


def differences(sample: Sample, population: Sequence[PopulationRow]) -> tuple[str, ...]:
    """Draw a sample again from the population, and say what is not the same; nothing if it is the one.

    Raises UsageError where nothing can be drawn by what the sample says of itself.
    """
    again = draw(population, sample.size, sample.seed, sample.strata)
    return tuple(_differences(sample, again))


def _differences(said: Sample, again: Sample) -> Iterator[str]:
    for name in ("population", "population_sha256"):
        one, other = getattr(said, name), getattr(again, name)
        if one != other:
            yield f"{name}: the sample says {one}, the report gives {other}"
    yield from _parts(said.parts, again.parts)
    yield from _listed("drawn", said.drawn, again.drawn)
    yield from _listed("reserves", said.reserves, again.reserves)


def _parts(said: Sequence[Stratum], again: Sequence[Stratum]) -> Iterator[str]:
    theirs, ours = {part.values: part for part in said}, {part.values: part for part in again}
    for values in sorted(theirs.keys() | ours.keys()):
        one, other = theirs.get(values), ours.get(values)
        if one != other:
            yield f"stratum {stratum(values)}: the sample says {_part(one)}, the report gives {_part(other)}"
    if len(theirs) < len(said):
        yield "strata: one stands in the sample twice"


def stratum(values: Sequence[str]) -> str:
    """Name a stratum by its values; the only one of a sample without strata is `all`."""
    return " / ".join(value or "not known" for value in values) or "all"


def _part(part: Stratum | None) -> str:
    return "there is none" if part is None else f"{part.drawn:,} of {part.population:,}"


def _listed(name: str, said: Sequence[Drawn], again: Sequence[Drawn]) -> Iterator[str]:
    for one, other in zip(said, again, strict=False):
        if one != other:
            both = f"the sample has {_one(one)}, the draw gives {_one(other)}"
            yield f"{name} {other.order}: {both}{_why(one, other)}"
    if len(said) != len(again):
        yield f"{name}: the sample has {len(said):,}, the draw gives {len(again):,}"


def _one(drawn: Drawn) -> str:
    return f"{drawn.source} {drawn.scope} {drawn.id}"


def _why(one: Drawn, other: Drawn) -> str:
    """Say what differs of two entries about the same credential."""
    if _one(one) != _one(other):
        return ""
    fields = ("order", "stratum", "name", "key")
    return f": another {', '.join(field for field in fields if getattr(one, field) != getattr(other, field))}"

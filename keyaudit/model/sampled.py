"""A sample that an auditor picked, so that anybody can pick it again."""

from __future__ import annotations

from dataclasses import dataclass

STRATA = ("environment", "class", "owner")
"""What a population can be divided by, one or several of them."""
METHOD = (
    "The population is every credential of the report, those that are listed no longer among them.",
    "The identity of a credential is the line [source,scope,id] as JSON in ASCII, without spaces.",
    "The digest of the population is the SHA-256 of all identities, sorted, each ended by a newline.",
    "The key of a credential is the SHA-256 of the line [seed,digest,source,scope,id], written likewise.",
    "Each stratum gives the credentials that have its lowest keys; what is drawn is numbered by its key.",
    "Strata share the sample by what they hold: in proportion, the largest remainders first.",
    "A stratum whose share is less than one gives one, where the sample has room for one of each.",
)
"""How a sample is drawn, step by step, so that `jq`, `sort` and `sha256sum` can do it again."""
REPLACEMENT = (
    "Only a credential that cannot be tested at all is replaced: by the next reserve of its stratum, with "
    "the reason recorded. One that fails its test is an exception, and is never replaced."
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One credential of a sample. `order` counts from 1 in the order in which they were drawn.

    Reserves are drawn after the sample and count on from it. `stratum` has its values of the `strata`,
    "" for what is not known. `key` is the SHA-256, in hex, by which it was ordered: see `METHOD`.
    """

    order: int
    stratum: tuple[str, ...]
    source: str
    scope: str
    id: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of the population: its values of the `strata`, how many it has and how many were drawn.

    A value that is not known is "".
    """

    values: tuple[str, ...]
    population: int
    drawn: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A reproducible sample of the population.

    `size` is how many were asked for: a population that has fewer is drawn whole. `strata` names what
    it was divided by: environment, class, owner. `population_sha256` is the digest of the population
    that it was drawn from, `reserves` replace what cannot be tested, in their order and from the same
    stratum; each stratum has as many of them as were drawn, if it holds so many. `parts` are in the
    order of their values.
    """

    size: int
    seed: str
    strata: tuple[str, ...]
    population: int
    population_sha256: str
    parts: tuple[Stratum, ...]
    drawn: tuple[Drawn, ...]
    reserves: tuple[Drawn, ...]

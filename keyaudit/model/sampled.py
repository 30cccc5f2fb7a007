"""A sample that an auditor picked, so that anybody can pick it again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drawn:
    """One credential of a sample. `order` counts from 1 in the order in which they were drawn.

    `key` is the SHA-256, in hex, by which it was ordered: see `evidence.sampling`.
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
    """A part of the population: its values of the `strata`, how many it has and how many were drawn."""

    values: tuple[str, ...]
    population: int
    drawn: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A reproducible sample of the population.

    `strata` names what it was divided by: environment, class, owner. `population_sha256` is the digest
    of the population that it was drawn from, `reserves` replace what cannot be tested, in their order
    and from the same stratum.
    """

    size: int
    seed: str
    strata: tuple[str, ...]
    population: int
    population_sha256: str
    parts: tuple[Stratum, ...]
    drawn: tuple[Drawn, ...]
    reserves: tuple[Drawn, ...]

"""A sample as a person reads it: how it was drawn, what was drawn, and by what to replace it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from keyaudit.cli.tables import WIDTH, table

if TYPE_CHECKING:
    from keyaudit.model import Drawn, Sample


def lines(sample: Sample) -> Iterator[str]:
    """Print the drawn order, the strata, the reserves and the rules that they go by."""
    from keyaudit.formats.visible import visible
    from keyaudit.model.sampled import METHOD, REPLACEMENT

    asked = "" if sample.size <= sample.population else f": fewer than the {sample.size:,} asked for, so all"
    yield f"{len(sample.drawn):,} of {sample.population:,} credentials{asked}"
    yield f"seed               {visible(sample.seed)}"
    yield f"population sha256  {sample.population_sha256}"
    if sample.strata:
        yield ""
        yield from table(
            [
                {
                    **dict(zip(sample.strata, (value or None for value in part.values), strict=True)),
                    "population": f"{part.population:,}",
                    "drawn": f"{part.drawn:,}",
                }
                for part in sample.parts
            ]
        )
    yield from _listed("Drawn, in this order", sample, sample.drawn)
    yield from _listed("Reserves", sample, sample.reserves)
    yield ""
    yield from textwrap.wrap(REPLACEMENT, WIDTH)
    yield ""
    yield "How it is drawn"
    for number, step in enumerate(METHOD, start=1):
        yield f"{number}. {step}"


def _listed(title: str, sample: Sample, drawn: Sequence[Drawn]) -> Iterator[str]:
    if not drawn:
        return
    yield ""
    yield title
    yield from table(
        [
            {
                "order": str(one.order),
                **dict(zip(sample.strata, (value or None for value in one.stratum), strict=True)),
                "name": one.name,
                "source": one.source,
                "scope": one.scope,
                "id": one.id,
            }
            for one in drawn
        ]
    )

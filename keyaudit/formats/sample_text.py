"""The words of a sample: what was drawn of what, and how to draw it again."""

from __future__ import annotations

from keyaudit.formats.wording import plural
from keyaudit.model import Sample


def drawn(sample: Sample) -> str:
    """Say how much was drawn: `25 of 1,204 credentials, seed q3`."""
    of = plural(sample.population, "credential")
    by = f", by {' and '.join(sample.strata)}" if sample.strata else ""
    fewer = f" ({sample.size:,} were asked for)" if len(sample.drawn) < sample.size else ""
    return f"{len(sample.drawn):,} of {of}{fewer}{by}, seed {sample.seed}"


def stratum(sample: Sample, values: tuple[str, ...]) -> str:
    """Say which part of the population this is: `environment production, class not known`."""
    named = zip(sample.strata, values, strict=False)
    return ", ".join(f"{name} {value or 'not known'}" for name, value in named) or "all"

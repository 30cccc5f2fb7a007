"""What a sample is drawn by: the options that `scan` has for it, and the strata that `sample draw` shares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.grouping import grouped
from keyaudit.errors import UsageError, did_you_mean
from keyaudit.model.sampled import STRATA

if TYPE_CHECKING:
    from keyaudit.model import Report

SEED = (
    "Text by which the sample is drawn. The auditor gives it, once the population is fixed: whoever knows "
    "both can try until the sample suits."
)
stratify: options.Decorator = click.option(
    "--stratify",
    metavar="NAME[,NAME]",
    callback=lambda _context, _option, text: strata_of(text),
    help=f"Share the sample in proportion among these: {', '.join(STRATA)}.  [default: one simple draw]",
)


@dataclass(frozen=True, slots=True)
class Sampling:
    """The sample that a scan is asked for, as the options say it; refused where they do not fit."""

    sample: int | None
    seed: str | None
    stratify: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a sample without a seed, and what is of no use without a sample; raises UsageError."""
        if self.sample is None and (self.seed is not None or self.stratify):
            given = "--stratify" if self.seed is None else "--seed"
            raise UsageError(f"{given} is for a sample", hint="say how many are drawn: --sample N")
        if self.sample is not None and self.seed is None:
            hint = (
                "the auditor gives one: --seed TEXT; one of your own choice makes it your sample, not theirs"
            )
            raise UsageError("a sample is drawn by a seed", hint=hint)
        if self.sample is not None:
            from keyaudit.evidence.sampling import refuse

            refuse(self.sample, self.seed or "", self.stratify)

    def kept(self) -> tuple[int, str, tuple[str, ...]] | None:
        """Give what a bundle keeps of it: size, seed and strata."""
        return None if self.sample is None or self.seed is None else (self.sample, self.seed, self.stratify)

    def drawn(self, report: Report) -> Report:
        """Give the same report with the sample of its population, if one was asked for."""
        if self.sample is None or self.seed is None:
            return report
        from keyaudit.evidence.sampling import draw

        return replace(report, sample=draw(report.population, self.sample, self.seed, self.stratify))


sampling: options.Decorator = grouped(
    "sampling",
    Sampling,
    click.option(
        "--sample",
        metavar="N",
        type=click.IntRange(min=1),
        help="Draw N credentials for an auditor to test, the same for everybody who has the report and the "
        "seed. `keyaudit sample verify` draws them again.",
    ),
    click.option("--seed", metavar="TEXT", help=SEED),
    stratify,
)


def strata_of(text: str | None) -> tuple[str, ...]:
    """Read `--stratify`; raises click.BadParameter."""
    names = () if text is None else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in STRATA:
            meant = did_you_mean(name, STRATA) or f"; there are {', '.join(STRATA)}"
            raise click.BadParameter(f"{name!r} is no stratum{meant}", param_hint="--stratify")
    return names

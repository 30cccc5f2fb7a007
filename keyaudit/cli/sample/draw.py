"""keyaudit sample draw: a sample of the credentials of a saved report."""

from __future__ import annotations

from dataclasses import replace

import click

from keyaudit.cli import options, sampling
from keyaudit.cli.looks import Look, look

EPILOG = """\b
Examples:
  keyaudit sample draw report.json --size 25 --seed 2026-H1/7f3a9c
      Print what to test, in its order, and the reserves.
  keyaudit sample draw report.json --size 25 --seed 2026-H1/7f3a9c --stratify environment,class \\
      --format json --format sample --output sampled/
      The report again with the sample in it, and a table to fill in.

\b
A seed that is chosen after the population was seen, or a population that is changed after the
seed was, can be tried until the sample suits; nothing in a sample shows that. So fix one before
the other is known: the audited side hands over the report, then the auditor says the seed, whose
SHA-256 (printf %s SEED | sha256sum) they may have handed over before. Without strata, a larger
sample by the same seed begins with the smaller one.

\b
Exit codes: 0 drawn, 2 usage or input error."""


@click.command("draw", epilog=EPILOG, short_help="Draw a sample of a saved report's credentials.")
@click.argument("file", metavar="REPORT.JSON")
@click.option("--size", metavar="N", type=click.IntRange(min=1), required=True, help="How many to draw.")
@click.option("--seed", metavar="TEXT", required=True, help=sampling.SEED)
@sampling.stratify
@look
@options.config
def command(
    file: str, size: int, seed: str, stratify: tuple[str, ...], look: Look, config: str | None
) -> int:
    """Draw credentials for an auditor to test, from a report that `scan --format json` saved.

    All of its population can be drawn, whatever became of it. Without --format and --output the
    sample is printed; any format of a report shows the report with the sample in it. A report
    that has a sample already gets this one instead. - reads stdin.
    """
    from keyaudit.cli.configuration import read
    from keyaudit.cli.outputs import print_text, tell
    from keyaudit.cli.report_differences import read_report
    from keyaudit.cli.sample.listing import lines
    from keyaudit.evidence.sampling import draw, refuse

    refuse(size, seed, stratify)
    listed = not look.formats and look.output in {None, "-"}
    wanted = look if look.formats else replace(look, formats=("json",))
    settings = read(config)
    destination = None if listed else wanted.destination(settings, settings.policy)
    report = read_report(file)
    if report.sample is not None and (report.sample.seed, report.sample.strata) != (seed, stratify):
        tell("the report has a sample that was drawn by another seed or other strata; this one replaces it")
    report = replace(report, sample=draw(report.population, size, seed, stratify))
    if destination is None:
        assert report.sample is not None
        print_text("\n".join(lines(report.sample)))
    else:
        destination.deliver(report)
    return 0

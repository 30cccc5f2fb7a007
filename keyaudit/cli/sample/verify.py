"""keyaudit sample verify: draw the sample of a saved report again, and compare."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  keyaudit sample verify report.json
  keyaudit sample verify report.json --seed 2026-H1/7f3a9c
      The auditor's own seed: a sample that was drawn by another is not theirs.

\b
Exit codes: 0 it is what its seed and the population give, 1 it is not, 2 usage or input error, or
the report has no sample."""


@click.command("verify", epilog=EPILOG, short_help="Draw a report's sample again, and compare.")
@click.argument("file", metavar="REPORT.JSON")
@click.option("--seed", metavar="TEXT", help="The seed that the auditor gave, to compare the sample's with.")
def command(file: str, seed: str | None) -> int:
    """Draw the sample of a report again, from the population that is in the report, and compare.

    Its order, its strata and its reserves have to be the same; what differs is printed. Whether the
    population is whole is another question: the coverage on page one of the report answers it.
    - reads stdin.
    """
    from keyaudit.cli.outputs import print_text
    from keyaudit.cli.report_differences import read_report
    from keyaudit.errors import UsageError
    from keyaudit.evidence.sampling import differences
    from keyaudit.formats.visible import visible
    from keyaudit.formats.wording import plural

    report = read_report(file)
    sample = report.sample
    if sample is None:
        hint = "`keyaudit sample draw` draws one, or `keyaudit scan --sample N --seed TEXT`"
        raise UsageError(f"{file}: the report has no sample", hint=hint)
    found = [*differences(sample, report.population)]
    if seed is not None and seed != sample.seed:
        found.insert(0, f"seed: the sample was drawn by {sample.seed!r}, not by {seed!r}")
    if found:
        print_text("\n".join(visible(one) for one in found))
        return 1
    drawn, reserves = len(sample.drawn), plural(len(sample.reserves), "reserve")
    print_text(
        f"the same: {drawn:,} of {plural(sample.population, 'credential')} and {reserves}, "
        f"by the seed {visible(sample.seed)}"
    )
    return 0

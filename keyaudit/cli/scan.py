"""keyaudit scan: list, judge, report, gate."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keyaudit.cli import options
from keyaudit.cli.bundling import Bundling, bundling
from keyaudit.cli.judging import Judging, judging
from keyaudit.cli.looks import Look, look
from keyaudit.cli.periods import OverTime, over_time
from keyaudit.cli.sampling import Sampling, sampling

EPILOG = """\b
Examples:
  keyaudit scan
      What keyaudit.yaml describes: its documents and sources, policy, frameworks and gate.
  keyaudit scan --inventory inventory.yaml --framework soc2 --framework pci-dss
      One document, for two frameworks.
  keyaudit scan --source production --format html --format pdf --output audit/
      List a source of keyaudit.yaml live; leave audit/report.html and audit/report.pdf.
  keyaudit scan --inventory inventory.csv --fail-on medium --format markdown >> "$GITHUB_STEP_SUMMARY"
      A gate and a job summary.
  keyaudit scan --baseline main/report.json
      A ratchet: 1 only for failures that the earlier report does not have, or rates milder.
  keyaudit scan --period 2026-01-01/2026-06-30 --rotation-records records/ --framework soc2
      What happened in half a year beside how things stand, with what rotations left as evidence.
  keyaudit scan --sample 25 --seed 2026-H1/7f3a9c --stratify environment --format json --output audit/
      Also draw 25 credentials for an auditor to test, by the seed that the auditor gave.
  keyaudit scan --bundle 2026-07-01.zip --previous 2026-06-01.zip --sign-key audit.pem
      Everything of an audit, signed and chained to the last one, for `keyaudit verify`.
  keyaudit scan --inventory inventory.parquet --as-of 2026-05-01T00:00:00Z --format json --output -
      The same bytes on any machine, on any day.

\b
Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or input error, 3 incomplete,
4 internal error. 4 > 2 > 1 > 3 > 0. With 2 and 4 no audit was made."""


@click.command("scan", epilog=EPILOG, short_help="List, judge, report, gate.")
@options.inventory
@click.option(
    "--source",
    "sources",
    metavar="NAME",
    multiple=True,
    help="List this source of keyaudit.yaml live. Repeat for several.  "
    "[default: all of them, without --inventory]",
)
@judging
@options.as_of
@over_time
@sampling
@look
@bundling
@options.log_format
@options.config
def command(
    inventories: Sequence[str],
    sources: Sequence[str],
    judging: Judging,
    as_of: str | None,
    over: OverTime,
    sampling: Sampling,
    look: Look,
    bundling: Bundling,
    config: str | None,
) -> int:
    """List credentials, judge each by every rule, report, and gate on the findings.

    Reads metadata only, never a secret value. What could not be seen is never a pass: it is on
    page one, and the exit code is 3 where nothing worse was found.
    """
    from keyaudit.cli.configuration import read
    from keyaudit.cli.gathering import gather
    from keyaudit.cli.lineage import linked

    fixed = None if as_of is None else options.instant_of(as_of)
    settings = read(config)
    given = over.given(fixed, settings)
    destination = look.destination(settings, judging.policy or settings.policy)
    judge = judging.read(settings, given.period)
    destination.shaped_for([framework.id for framework in judge.frameworks])
    bundler = bundling.prepared(settings.bundle, inventories, judging.baseline)
    gathered = gather(settings, inventories, sources)
    inventory = given.recalled(linked(settings.lineage, gathered.inventory))
    # Now is when everything was listed: a listing may take an hour, and tells of that hour too.
    at = options.instant_of(None) if fixed is None else fixed
    report = sampling.drawn(judge.report(inventory, at, given))
    destination.deliver(report)
    if bundler is not None:
        of = {"as_of": at, "lineage": settings.lineage, "sample": sampling.kept()}
        kept = {**gathered.kept(), **judge.kept(), **given.kept(), **of}
        bundler.write(report, renderings=destination.kept(report), **kept)
    return report.summary.exit_code

"""keyaudit scan: list, judge, report, gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.looks import Look, look
from keyaudit.cli.periods import OverTime, over_time
from keyaudit.cli.sampling import Sampling, sampling

if TYPE_CHECKING:
    from keyaudit.model import Severity

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
@options.policy
@options.framework
@options.as_of
@over_time
@click.option(
    "--fail-on",
    type=click.Choice(options.SEVERITIES),
    help="The mildest severity that makes the exit code 1.  [default: keyaudit.yaml's, else high]",
)
@click.option(
    "--engine",
    type=click.Choice(options.ENGINES),
    default="polars",
    show_default=True,
    help="Where the rules run; duckdb is for inventories larger than memory.",
)
@click.option(
    "--baseline",
    metavar="REPORT.JSON",
    help="Hold the gate against this earlier report: only failures that are new or rated worse close it.",
)
@sampling
@look
@options.log_format
@options.config
def command(
    inventories: Sequence[str],
    sources: Sequence[str],
    policy: str | None,
    frameworks: Sequence[str],
    as_of: str | None,
    over: OverTime,
    fail_on: str | None,
    engine: str,
    baseline: str | None,
    sampling: Sampling,
    look: Look,
    config: str | None,
) -> int:
    """List credentials, judge each by every rule, report, and gate on the findings.

    Reads metadata only, never a secret value. What could not be seen is never a pass: it is on
    page one, and the exit code is 3 where nothing worse was found.
    """
    from keyaudit.cli.configuration import read
    from keyaudit.cli.gathering import gather, governing
    from keyaudit.cli.lineage import linked
    from keyaudit.cli.report_differences import gate_against, read_report

    fixed = None if as_of is None else options.instant_of(as_of)
    settings = read(config)
    given = over.given(fixed, settings)
    destination = look.destination(settings, policy or settings.policy)
    held = None if baseline is None else read_report(baseline)
    rules, chosen = governing(policy or settings.policy, frameworks or settings.frameworks)
    gathered = gather(settings, inventories, sources)
    inventory = given.recalled(linked(settings.lineage, gathered.inventory))
    gate = _severity(fail_on or settings.fail_on)
    from keyaudit.audit import audit

    # Now is when everything was listed: a listing may take an hour, and tells of that hour too.
    at = options.instant_of(None) if fixed is None else fixed
    report = audit(
        inventory, rules, chosen, at, given.period, records=given.records, engine=engine, fail_on=gate
    )
    report = sampling.drawn(gate_against(held, report))
    destination.deliver(report)
    return report.summary.exit_code


def _severity(gate: str) -> Severity | None:
    from keyaudit.model import Severity

    return None if gate == "none" else Severity(gate)

"""Options that several commands share, said once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from keyaudit.cli.clock import now
from keyaudit.cli.outputs import LOG_FORMATS, log_as
from keyaudit.formats import FORMATS

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

ENGINES = ("polars", "duckdb")
SEVERITIES = ("critical", "high", "medium", "low", "none")
GROUPS = ("owner", "environment")
SHAPES = ("general", "soc2", "pci-dss", "hipaa", "iso27001")
"""As `keyaudit.formats.shapes.SHAPES`, which is too much to import for `--help`; a test compares them."""

inventory: Decorator = click.option(
    "--inventory",
    "inventories",
    metavar="FILE",
    multiple=True,
    help="An inventory document: YAML, JSON, NDJSON, CSV or Parquet. Repeat to merge several.",
)
policy: Decorator = click.option(
    "--policy",
    metavar="FILE",
    help="The policy to judge by.  [default: keyaudit.yaml's, else the shipped one]",
)
framework: Decorator = click.option(
    "--framework",
    "frameworks",
    metavar="ID",
    multiple=True,
    help="A framework to report on, such as soc2, or a file of your own. Repeat for several. "
    "`keyaudit frameworks` lists them.  [default: keyaudit.yaml's, else none: your policy alone]",
)
as_of: Decorator = click.option(
    "--as-of",
    metavar="TIME",
    help="Judge as of this instant, such as 2026-05-01T00:00:00Z.  [default: now]",
)
period: Decorator = click.option(
    "--period",
    metavar="FROM/TO",
    help="Audit what happened in these days beside how things stand: whole UTC days, or instants with an "
    "offset, both ends inside, such as 2026-01-01/2026-06-30.",
)
rotation_records: Decorator = click.option(
    "--rotation-records",
    metavar="FILE|DIR",
    multiple=True,
    help="Records that `keyaudit rotate` wrote, as evidence for --period; of a folder all *.ndjson. "
    "Repeat for several.  [default: keyaudit.yaml's `records`]",
)
history: Decorator = click.option(
    "--history",
    "histories",
    metavar="FILE|DIR",
    multiple=True,
    help="An earlier inventory, a folder of them, or a history that `keyaudit inventory history` condensed: "
    "what stores have forgotten since, as evidence for --period. Repeat for several.  "
    "[default: keyaudit.yaml's `history`]",
)
audit_logs: Decorator = click.option(
    "--audit-log",
    "audit_logs",
    metavar="FILE|DIR",
    multiple=True,
    help="What AWS CloudTrail, Google Cloud audit logs or the audit device of a Vault tell of the time of "
    "--period, exported as JSON; gzip too, and of a folder all in it. Or the audit-log-entries.ndjson of a "
    "bundle, which has what logs told and not the logs. Repeat for several.  "
    "[default: keyaudit.yaml's `audit_logs`]",
)
config: Decorator = click.option(
    "--config",
    metavar="FILE",
    help="Where the sources, the policy and the gate of this repository are described.  "
    "[default: keyaudit.yaml, if there]",
)
report_format: Decorator = click.option(
    "--format",
    "formats",
    type=click.Choice(tuple(FORMATS)),
    metavar="NAME",
    multiple=True,
    help=f"How the report looks: {', '.join(FORMATS)}. Repeat for several, with --output DIR.  "
    "[default: terminal]",
)
output: Decorator = click.option(
    "--output",
    metavar="DIR|-",
    help="Write a file for each --format into DIR, most as report.EXT; - is stdout.  [default: -]",
)
anchor: Decorator = click.option(
    "--anchor",
    metavar="FILE",
    help="Where sarif, gitlab and github show findings: a file, as seen from the root of the repository.  "
    "[default: the policy, else keyaudit.yaml]",
)
group_by: Decorator = click.option(
    "--group-by",
    type=click.Choice(GROUPS),
    help="How the terminal report groups findings.  [default: owner]",
)
entity: Decorator = click.option(
    "--entity",
    metavar="TEXT",
    help="Who is audited, as reports for people name it.  [default: keyaudit.yaml's, else the policy's name]",
)
security_hub: Decorator = click.option(
    "--security-hub",
    metavar="ACCOUNT/REGION",
    callback=lambda _context, _option, place: _a_place(place),
    help="Where asff sends findings that are of no AWS account or region.  "
    "[default: keyaudit.yaml's, else the only one that was listed]",
)
shape: Decorator = click.option(
    "--shape",
    type=click.Choice(SHAPES),
    help="For whom html and pdf are laid out: order, titles and words.  "
    "[default: keyaudit.yaml's, else general]",
)
templates: Decorator = click.option(
    "--templates",
    metavar="DIR",
    help="Templates of your own in place of keyaudit's, for html and pdf; filled in a sandbox.  "
    "[default: keyaudit.yaml's]",
)
responses: Decorator = click.option(
    "--responses",
    metavar="FILE",
    help="Management's responses (YAML), which html and pdf print beside the findings.  "
    "[default: keyaudit.yaml's]",
)

log_format: Decorator = click.option(
    "--log-format",
    type=click.Choice(LOG_FORMATS),
    default="text",
    show_default=True,
    expose_value=False,
    is_eager=True,
    callback=lambda _context, _option, form: log_as(form),
    help="How messages and progress are written on stderr: for people, or one JSON object a line.",
)
source: Decorator = click.option(
    "--source",
    "sources",
    metavar="NAME",
    multiple=True,
    help="A source of keyaudit.yaml. Repeat for several.",
)

difference_format: Decorator = click.option(
    "--format",
    "formats",
    type=click.Choice(("terminal", "json", "markdown")),
    multiple=True,
    help="How the difference looks. Repeat for several, with --output DIR.  [default: terminal]",
)
difference_output: Decorator = click.option(
    "--output",
    metavar="DIR|-",
    help="Write a file for each --format into DIR, as diff.EXT; - is stdout.  [default: -]",
)

A_PLACE = "an AWS account and region, such as 111122223333/eu-west-1"
FIRST, END = 0, 253_370_764_800_000_000
"""Microseconds: the beginnings of 1970 and 9999, between which an audit can be made."""


def instant_of(text: str | None) -> int:
    """Read `--as-of`, or look at the clock. Raises click.BadParameter."""
    from keyaudit import times

    if text is None:
        return now()
    try:
        instant = times.parse_instant(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--as-of") from None
    if not FIRST <= instant < END:
        raise click.BadParameter(f"{text} does not lie in the years 1970 to 9998", param_hint="--as-of")
    return instant


def _a_place(text: str | None) -> str | None:
    """Check `--security-hub`; raises click.BadParameter."""
    if text is not None and not is_place(text):
        raise click.BadParameter(f"{text!r} is not {A_PLACE}")
    return text


def is_place(text: object) -> bool:
    """Say whether this is an AWS account and region, such as `111122223333/eu-west-1`."""
    from keyaudit.formats.aws_places import read

    return isinstance(text, str) and read(text) is not None


def beside(file: Path, name: str) -> str:
    """Resolve a path that a file mentions, relative to that file."""
    return name if Path(name).is_absolute() else str(file.parent / name)

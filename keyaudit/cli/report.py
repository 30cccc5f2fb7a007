"""keyaudit report: render a saved report again."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keyaudit.cli import options

EPILOG = """\b
Examples:
  keyaudit scan --inventory inventory.yaml --format json --output audit/
  keyaudit report audit/report.json --format pdf --output audit/
  keyaudit report audit/report.json --group-by environment
  keyaudit report - < audit/report.json"""


@click.command("report", epilog=EPILOG, short_help="Render a saved report again.")
@click.argument("file", metavar="REPORT.JSON")
@options.report_format
@options.output
@options.anchor
@options.group_by
@options.entity
@options.security_hub
@options.config
def command(
    file: str,
    formats: Sequence[str],
    output: str | None,
    anchor: str | None,
    group_by: str | None,
    entity: str | None,
    security_hub: str | None,
    config: str | None,
) -> int:
    """Render a report that `scan --format json` saved, in any format, without auditing again.

    REPORT.JSON is refused if its digest or its counts do not fit, which finds accidents; it is not
    signed. - reads stdin. The exit code is the one of the audit that it reports.
    """
    from keyaudit.cli.anchoring import Repository
    from keyaudit.cli.configuration import read
    from keyaudit.cli.rendering import Destination, Naming
    from keyaudit.cli.report_differences import read_report

    settings = read(config)
    named = Naming(entity or settings.entity, settings.marking, security_hub or settings.security_hub)
    repository = Repository(anchor, settings.policy, settings.file)
    destination = Destination(formats, output, group_by or settings.group_by, named, repository)
    report = read_report(file)
    destination.deliver(report)
    return report.summary.exit_code

"""keyaudit report: render a saved report again."""

from __future__ import annotations

import click

from keyaudit.cli import options
from keyaudit.cli.looks import Look, look

EPILOG = """\b
Examples:
  keyaudit scan --inventory inventory.yaml --format json --output audit/
  keyaudit report audit/report.json --format pdf --output audit/
  keyaudit report audit/report.json --shape soc2 --format pdf --output audit/
  keyaudit report audit/report.json --group-by environment
  keyaudit report - < audit/report.json"""


@click.command("report", epilog=EPILOG, short_help="Render a saved report again.")
@click.argument("file", metavar="REPORT.JSON")
@look
@options.config
def command(file: str, look: Look, config: str | None) -> int:
    """Render a report that `scan --format json` saved, in any format, without auditing again.

    REPORT.JSON is refused if its digest or its counts do not fit, which finds accidents; it is not
    signed. - reads stdin. The exit code is the one of the audit that it reports.
    """
    from keyaudit.cli.configuration import read
    from keyaudit.cli.report_differences import read_report

    settings = read(config)
    destination = look.destination(settings, settings.policy)
    report = read_report(file)
    destination.shaped_for([framework.id for framework in report.frameworks])
    destination.deliver(report)
    return report.summary.exit_code

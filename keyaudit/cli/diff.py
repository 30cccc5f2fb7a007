"""keyaudit diff: what is not the same in two saved reports, and why."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keyaudit.cli import options

EPILOG = """\b
Examples:
  keyaudit scan --format json --output today/
  keyaudit diff yesterday/report.json today/report.json
      What appeared, what was fixed, what changed, and which input decided.
  keyaudit diff main/report.json branch/report.json --fail-on medium --format markdown
      For a pull request: 1 only for what is new or worse.
  keyaudit diff old.json new.json --format json --output audit/
      The document keyaudit/diff/1, as audit/diff.json.

\b
Exit codes: 0 nothing new at or above --fail-on, 1 new or worse failures, 2 usage or input error,
3 nothing new was found, but not everything could be seen. 1 > 3.

\b
Causes: clock (a limit was passed between the two), policy, framework, waiver, inventory (the
credential's facts), coverage (was not, or is not, seen), rule (another version of keyaudit), and
not-known, where the two reports do not carry what decided."""


@click.command("diff", epilog=EPILOG, short_help="Say what two saved reports do not share, and why.")
@click.argument("old", metavar="OLD.JSON")
@click.argument("new", metavar="NEW.JSON")
@click.option(
    "--fail-on",
    type=click.Choice(options.SEVERITIES),
    help="The mildest severity of a new failure that makes the exit code 1.  [default: the gate of NEW]",
)
@options.difference_format
@options.difference_output
def command(old: str, new: str, fail_on: str | None, formats: Sequence[str], output: str | None) -> int:
    """Compare two reports that `scan --format json` saved, finding by finding.

    Says what appeared, what changed verdict or severity, what was fixed and what is only no longer
    found or not seen, each with what decided. What the reports cannot tell is said to be not known.
    - reads one of them from stdin.
    """
    from keyaudit.cli.report_differences import Destination, read_report
    from keyaudit.errors import UsageError
    from keyaudit.model import Severity
    from keyaudit.report_difference.comparison import compare

    if old == new:
        raise UsageError(f"OLD and NEW are both {old}", hint="give two reports")
    destination = Destination(formats, output)
    one, other = read_report(old), read_report(new)
    gate = other.summary.fail_on if fail_on is None else None if fail_on == "none" else Severity(fail_on)
    found = compare(one, other, fail_on=gate)
    destination.deliver(found, (old, new))
    return found.exit_code

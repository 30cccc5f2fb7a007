"""keyaudit trend: how things went over many saved reports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from keyaudit.errors import UsageError

FORMATS = ("terminal", "html", "csv", "json")
BY = ("environment", "owner", "class", "source")
INTERVALS = ("day", "week", "month")
WIDEST = 200
MOST_NAMED = 5

EPILOG = """\b
Examples:
  keyaudit scan --format json --output audits/2026-05-01    what a trend is made of, once a day
  keyaudit trend audits/
  keyaudit trend audits/ --by owner --from 2026-01-01 --to 2026-06-30
  keyaudit trend audits/ --interval week --format html --format csv --output trend/
  keyaudit trend may.json june.json --format json | jq '.slots[].point.total.overdue'

\b
Exit codes: 0 whatever the trend says, 2 usage error or a file that is no whole report."""


@click.command("trend", epilog=EPILOG, short_help="Say how things went over many saved reports.")
@click.argument("paths", metavar="DIR|FILE...", nargs=-1, required=True)
@click.option(
    "--by",
    type=click.Choice(BY),
    default="environment",
    show_default=True,
    help="What credentials are grouped by.",
)
@click.option("--from", "start", metavar="TIME", help="Show no report before this day or instant.")
@click.option("--to", "end", metavar="TIME", help="Show no report after this day or instant.")
@click.option(
    "--interval",
    type=click.Choice(INTERVALS),
    help="One point a day, week or month of UTC: its last report gives the levels, all of them the changes."
    "  [default: how often there mostly is a report]",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Also check the digest and every field of each report, as `keyaudit report` does: much slower.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    help="How the trend looks. Repeat for several, with --output DIR.  [default: terminal]",
)
@click.option(
    "--output",
    metavar="DIR|-",
    help="Write a file for each --format into DIR, as trend.EXT; - is stdout.  [default: -]",
)
def command(
    paths: Sequence[str],
    by: str,
    start: str | None,
    end: str | None,
    interval: str | None,
    formats: Sequence[str],
    output: str | None,
    *,
    verify: bool,
) -> int:
    """Say what was overdue, mended and opened over saved reports, and what each could not see.

    DIR is searched at every depth for .json files that scan --format json wrote, whatever their
    names; other JSON is left out. A report that could not look into a scope mends nothing:
    what was open there stays open, apart from the rest. Reports before --from are read as well,
    because they say what was open by then.
    """
    from keyaudit.trend import find, follow

    wanted = tuple(dict.fromkeys(formats)) or FORMATS[:1]
    folder = _folder(wanted, output)
    first, after = _instant(start, "--from"), _instant(end, "--to", whole_day=True)
    reports = find(paths, verify=verify)
    if not reports.files:
        raise UsageError(
            f"no report in {', '.join(paths)}", hint="keyaudit scan --format json --output DIR writes one"
        )
    _tell_others(reports.others)
    trend = follow(reports, by=by, start=first, end=after, interval=interval)
    _deliver(trend, wanted, folder)
    return 0


def _folder(wanted: Sequence[str], output: str | None) -> Path | None:
    """Give the folder to write to, or None for stdout; raises UsageError."""
    from keyaudit.cli.outputs import prepare_folder

    if output not in {None, "-"}:
        folder = Path(str(output))
        prepare_folder(folder)
        return folder
    if len(wanted) > 1:
        raise UsageError("stdout holds one document", hint="--output DIR writes one file a --format")
    return None


def _instant(text: str | None, option: str, *, whole_day: bool = False) -> int | None:
    """Read a day or an instant; `whole_day` gives what comes right after it. Raises click.BadParameter."""
    from keyaudit import times

    if text is None:
        return None
    day = re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII)
    try:
        instant = times.parse_instant(f"{text}T00:00:00Z" if day else text)
    except ValueError as error:
        raise click.BadParameter(f"{error}, or a day such as 2026-05-01", param_hint=option) from None
    return instant + (times.DAY if day else 1) if whole_day else instant


def _tell_others(others: Sequence[Path]) -> None:
    from keyaudit.cli.outputs import tell

    if others:
        named = ", ".join(map(str, others[:MOST_NAMED]))
        more = f" and {len(others) - MOST_NAMED:,} more" if len(others) > MOST_NAMED else ""
        tell(f"no reports, so left out: {named}{more}", "left-out", paths=[str(path) for path in others])


def _deliver(trend: Any, wanted: Sequence[str], folder: Path | None) -> None:
    """Render every format, then write: one that cannot be rendered leaves nothing half done."""
    from keyaudit.cli.outputs import print_document, write_files
    from keyaudit.cli.rendering import screen
    from keyaudit.trend import FORMATS as FILES
    from keyaudit.trend import render

    options: Mapping[str, Any] = {"terminal": screen(folder, widest=WIDEST)}
    contents = {name: render(name, trend, **options.get(name, {})) for name in wanted}
    if folder is None:
        print_document(contents[wanted[0]])
    else:
        write_files(folder, {FILES[name][0]: contents[name] for name in wanted})

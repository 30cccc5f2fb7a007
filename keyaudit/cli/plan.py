"""keyaudit plan: what falls due, staggered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli import options
from keyaudit.cli.grouping import grouped
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.model import Report
    from keyaudit.planning import Plan

FORMATS = ("terminal", "json", "csv", "ics")
"""As `keyaudit.planning.FORMATS`, which is too much to import for `--help`; a test compares them."""
WIDEST = 160

EPILOG = """\b
Examples:
  keyaudit plan
      What falls due in the next 90 days of what keyaudit.yaml describes, and when best to rotate it.
  keyaudit plan --inventory inventory.yaml --within 30d --per-day 3
      A month, and never more than three rotations a day.
  keyaudit plan --ahead 14d --format ics --format csv --output plan/
      Leave plan/plan.ics for a calendar and plan/plan.csv for a spreadsheet.
  keyaudit plan --report audit/report.json
      Of a saved report, without auditing again; then nothing says what is staging for what.

\b
Exit codes: 0 everything has its day, 1 something is overdue or does not fit before it falls due, 2 usage,
policy or input error, 3 something could not be planned or seen, and nothing worse."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan is to keep to, as the options say it."""

    within: str
    ahead: str | None
    per_day: int | None

    def terms(self) -> dict[str, Any]:
        """Read it as fields of `planning.Terms`; raises click.BadParameter."""
        ahead = None if self.ahead is None else _duration(self.ahead, "--ahead")
        return {"within": _duration(self.within, "--within"), "ahead": ahead, "per_day": self.per_day}


@dataclass(frozen=True, slots=True)
class Named:
    """What is planned: a saved report, or what is judged first."""

    report: str | None
    inventories: Sequence[str]
    sources: Sequence[str]
    policy: str | None
    frameworks: Sequence[str]
    as_of: str | None

    def alone(self) -> None:
        """Refuse what a saved report leaves nothing to say about; raises UsageError."""
        given = {
            "--inventory": self.inventories,
            "--source": self.sources,
            "--policy": self.policy,
            "--framework": self.frameworks,
            "--as-of": self.as_of,
        }
        for option, value in given.items():
            if self.report is not None and value:
                raise UsageError(
                    f"{option} has no meaning beside --report",
                    hint="a saved report was judged already, by its policy and as of its instant",
                )


@dataclass(frozen=True, slots=True)
class Judged:
    """A report, and what the inventory adds and KA501 keeps apart: None of a saved report."""

    report: Report
    known: Mapping[tuple[str, str, str], Mapping[str, Any]] | None = None
    apart: int | None = None


named: options.Decorator = grouped(
    "named",
    Named,
    options.inventory,
    click.option(
        "--source",
        "sources",
        metavar="NAME",
        multiple=True,
        help="List this source of keyaudit.yaml live. Repeat for several.  "
        "[default: all of them, without --inventory]",
    ),
    options.policy,
    options.framework,
    options.as_of,
    click.option(
        "--report",
        metavar="REPORT.JSON",
        help="Plan from a report that scan --format json saved, instead of auditing; - is stdin.",
    ),
)
asked: options.Decorator = grouped(
    "asked",
    Asked,
    click.option(
        "--within",
        default="90d",
        show_default=True,
        metavar="DURATION",
        help="How far ahead to look: what falls due later is only counted.",
    ),
    click.option(
        "--ahead",
        metavar="DURATION",
        help="How long before its due date to rotate.  "
        "[default: 7d, or a quarter of the rotation period if that is shorter]",
    ),
    click.option(
        "--per-day",
        type=click.IntRange(min=1),
        help="The most rotations of a day; what is overdue counts too.  [default: no limit]",
    ),
)


@click.command("plan", epilog=EPILOG, short_help="Say what falls due, staggered.")
@named
@asked
@click.option(
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    help="How the plan looks. Repeat for several, with --output DIR.  [default: terminal]",
)
@click.option(
    "--output",
    metavar="DIR|-",
    help="Write a file for each --format into DIR, as plan.EXT; - is stdout.  [default: -]",
)
@options.log_format
@options.config
def command(
    named: Named, asked: Asked, formats: Sequence[str], output: str | None, config: str | None
) -> int:
    """Give every credential that falls due a day: before its due date, staging before production.

    What is overdue is today, first. Copies of one credential are one rotation. What a store rotates by
    itself in time is marked so, and what nobody can date is listed, never dropped. Days are those of
    UTC. Nothing is changed: each rotation stands with the command that does it.
    """
    from keyaudit import planning
    from keyaudit.cli import rotation_names
    from keyaudit.cli.configuration import read
    from keyaudit.planning import wording

    named.alone()
    wanted, terms = tuple(dict.fromkeys(formats)) or FORMATS[:1], asked.terms()
    folder = _folder(wanted, output)
    settings = read(config)
    judged = _judged(named, settings)
    report = judged.report
    names = rotation_names.of_credentials(settings, report.population)
    commands = rotation_names.commands(names.values(), config)
    candidates = planning.candidates(report, judged.known, names, commands)
    plan = planning.schedule(candidates, planning.Terms(report.as_of, apart=judged.apart, **terms))
    _deliver(plan, report, wanted, folder)
    _say(plan, named)
    return plan.exit_code(whole=wording.whole(report))


def _judged(named: Named, settings: Configuration) -> Judged:
    """Read the saved report, or list and audit as `scan` does."""
    if named.report is not None:
        from keyaudit.cli.report_differences import read_report

        return Judged(read_report(named.report))
    from keyaudit.audit import audit
    from keyaudit.cli.gathering import gather, governing
    from keyaudit.cli.lineage import linked
    from keyaudit.planning import known
    from keyaudit.rules import rotated_together

    fixed = None if named.as_of is None else options.instant_of(named.as_of)
    policy, frameworks = governing(named.policy or settings.policy, named.frameworks or settings.frameworks)
    gathered = gather(settings, named.inventories, named.sources)
    inventory = linked(settings.lineage, gathered.inventory)
    at = options.instant_of(None) if fixed is None else fixed
    report = audit(inventory, policy, frameworks, at)
    apart = policy.settings[rotated_together.RULE.name].params["apart"]
    return Judged(report, known(inventory, policy), apart)


def _duration(text: str, option: str) -> int:
    from keyaudit.times import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}", param_hint=option) from None


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


def _deliver(plan: Plan, report: Report, wanted: Sequence[str], folder: Path | None) -> None:
    """Render every format, then write: one that cannot be rendered leaves nothing half done."""
    from keyaudit.cli.outputs import print_document, write_files
    from keyaudit.cli.rendering import screen
    from keyaudit.planning import FORMATS as FILES
    from keyaudit.planning import render

    layout: Mapping[str, Any] = {"terminal": screen(folder, widest=WIDEST)}
    contents = {name: render(name, plan, report, **layout.get(name, {})) for name in wanted}
    if folder is None:
        print_document(contents[wanted[0]])
    else:
        write_files(folder, {FILES[name][0]: contents[name] for name in wanted})


def _say(plan: Plan, named: Named) -> None:
    """Say on stderr what the formats for machines have no place for."""
    from keyaudit.cli.outputs import tell
    from keyaudit.planning import wording

    if named.report is not None:
        tell(wording.NO_ORDER, "no-staging-order")
    if plan.unplanned:
        count = len(plan.unplanned)
        said = f"{count:,} of the credentials cannot be planned: their age or their schedule is not known"
        tell(said, "unplanned", count=count)

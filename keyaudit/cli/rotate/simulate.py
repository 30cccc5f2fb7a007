"""keyaudit rotate simulate: a year of rotations under a policy, before anybody lives with it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keyaudit.cli import options
from keyaudit.rotation.simulation.faults import FAULTS

EPILOG = """\b
Examples:
  keyaudit rotate simulate --credentials 1000
      A year of an invented fleet under the policy of keyaudit.yaml, or the shipped one.
  keyaudit rotate simulate --policy policy.yaml --policy draft.yaml --inventory inventory.yaml
      The next year of your own credentials under two policies, side by side.
  keyaudit rotate simulate --faults many --seed 7 --format json
      A bad year, for a program.

\b
Exit codes: 0 it was played, whatever came of it; 2 usage, policy or input error."""

LONGEST = 3660


@click.command("simulate", epilog=EPILOG, short_help="Play a year of rotations under a policy.")
@click.option(
    "--policy",
    "policies",
    metavar="FILE",
    multiple=True,
    help="The policy to play. Twice for two, side by side.  [default: keyaudit.yaml's, else the shipped one]",
)
@options.framework
@click.option(
    "--credentials",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    help="How many credentials to invent, in production, staging and development.",
)
@click.option(
    "--inventory",
    "inventories",
    metavar="FILE",
    multiple=True,
    help="Play the credentials of this inventory document instead, as old as they are. Repeat for several.",
)
@click.option(
    "--days", type=click.IntRange(1, LONGEST), default=365, show_default=True, help="How long to play."
)
@click.option(
    "--faults",
    type=click.Choice(tuple(FAULTS)),
    default="some",
    show_default=True,
    help="How much goes wrong.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed plays the same year.")
@click.option(
    "--window", metavar="TIME", default="1h", show_default=True, help="How long an old key must be silent."
)
@click.option(
    "--lead",
    metavar="TIME",
    default="1d",
    show_default=True,
    help="How long before it is due a rotation begins.",
)
@options.as_of
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "json"]),
    default="terminal",
    show_default=True,
    help="Tables to read, or JSON for a program.",
)
@options.config
def command(
    policies: Sequence[str],
    frameworks: Sequence[str],
    credentials: int,
    inventories: Sequence[str],
    days: int,
    faults: str,
    seed: int,
    window: str,
    lead: str,
    as_of: str | None,
    form: str,
    config: str | None,
) -> int:
    """Play rotations through the real machine, against a store and a provider in memory.

    Time is virtual, nothing is sent, and no credential is changed. Applications hold what they
    fetched last and use it without a pause. Says how long they were refused, how long two keys
    worked beside each other, and which rotations came too late.
    """
    from keyaudit.cli.configuration import read
    from keyaudit.cli.outputs import print_text
    from keyaudit.cli.rotate.simulated_fleet import Chosen, chosen
    from keyaudit.cli.rotate.simulation import Played, as_json, in_words, under
    from keyaudit.rotation.simulation.playing import Setting

    settings = read(config)
    files: Sequence[str | None] = policies or (settings.policy,)
    if len(files) > 2:
        raise click.UsageError("--policy: two can be compared, not more")
    setting = Setting(
        options.instant_of(as_of),
        days,
        seed,
        FAULTS[faults],
        _duration(window, "--window"),
        _duration(lead, "--lead"),
    )
    wanted = Chosen(inventories, credentials, frameworks or settings.frameworks, settings.lineage)
    played: list[Played] = [under(chosen(wanted, file, setting), setting) for file in files]
    render = as_json if form == "json" else in_words
    print_text(render(played, setting, faults))
    return 0


def _duration(text: str, option: str) -> int:
    from keyaudit.times import MINUTE, parse_duration

    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
    if duration < MINUTE:
        raise click.BadParameter("at least a minute: 1m", param_hint=option)
    return duration

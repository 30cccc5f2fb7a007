"""keyaudit rotate list: the rotations of keyaudit.yaml, every setting checked."""

from __future__ import annotations

import click

from keyaudit.cli import options
from keyaudit.cli.tables import format_option, print_rows

EPILOG = """\b
Examples:
  keyaudit rotate list
  keyaudit rotate list --format json"""


@click.command("list", epilog=EPILOG, short_help="List the rotations of keyaudit.yaml, checked.")
@format_option
@options.config
def command(form: str, config: str | None) -> None:
    """List the rotations of keyaudit.yaml in their order, after checking every setting of each."""
    from keyaudit.cli.rotate.settings import read
    from keyaudit.times import format_duration

    rows = []
    for name, settings in read(config).by_name.items():
        silence = "none" if settings.silence == "none" else settings.silence["kind"]
        grace = None if settings.grace_period is None else format_duration(settings.grace_period)
        rows.append(
            {
                "name": name,
                "environment": settings.environment,
                "after": settings.after,
                "window": format_duration(settings.window),
                "grace_period": grace or "the policy's",
                "parties": f"{settings.issuer['kind']} key in {settings.store['kind']}, probe "
                f"{settings.probe['kind']}, silence {silence}",
            }
        )
    print_rows(rows, form)

"""keyaudit policy check: check a policy and print every problem."""

from __future__ import annotations

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_text

EPILOG = """\b
Examples:
  keyaudit policy check                 the policy of keyaudit.yaml, else the shipped one
  keyaudit policy check policy.yaml     as a pre-commit hook, say"""


@click.command("check", epilog=EPILOG, short_help="Check a policy and print every problem.")
@click.argument("file", metavar="[FILE]", required=False)
@options.config
def command(file: str | None, config: str | None) -> None:
    """Check a policy; every problem is one line, file:line:column: field: message.

    Exit code 0 when an audit would accept it, 2 when it would refuse it. A waiver that is malformed
    or has ended is no problem of the file: it waives nothing, and the audit reports it.
    """
    from keyaudit.cli.configuration import read
    from keyaudit.cli.gathering import governing
    from keyaudit.policy.frameworks import available

    settings = read(config)
    policy, _ = governing(file or settings.policy, [*available(), *_own(settings.frameworks)])
    counted = (
        f"{len(policy.classify)} classifications",
        f"{len(policy.risk)} risk factors",
        f"{len(policy.schedules)} schedules",
        f"{len(policy.waivers)} waivers",
    )
    print_text(f"valid: {policy.name}, {', '.join(counted)}\nsha256 {policy.sha256}")


def _own(frameworks: tuple[str, ...]) -> list[str]:
    from keyaudit.policy.frameworks import available

    return [name for name in frameworks if name not in available()]

"""keyaudit rotate policy: the least that providers must grant to whoever runs rotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_text, tell
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.rotation.grants import Grant

EPILOG = """\b
Examples:
  keyaudit rotate policy openai-prod                        everything that this one needs
  keyaudit rotate policy --provider aws > rotate.json       what AWS must grant for all of them
  keyaudit rotate policy --provider vault | vault policy write rotate -

\b
Nobody is asked anything. Whoever audits needs less, and must be denied all of this:
keyaudit sources policy."""


@click.command("policy", epilog=EPILOG, short_help="Print the least that providers must grant for rotations.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--provider",
    metavar="PROVIDER",
    help="Only what this one must grant, as its own tools take it: aws, gcp, vault, openai, openrouter or"
    " anthropic.",
)
@click.option(
    "--kms-key", metavar="ARN", help="The customer's key of AWS KMS that encrypts the secrets, if one does."
)
@options.config
def command(names: Sequence[str], provider: str | None, kms_key: str | None, config: str | None) -> None:
    """Print the least that each provider must grant to whoever runs the rotations NAME, or all of them.

    It is made of what each party of a rotation declares to ask, on just the secrets, users and paths that
    keyaudit.yaml names. Where a provider grants nothing but a whole key, it says which one, and what it is
    used for.
    """
    from keyaudit.cli.rotate.settings import read
    from keyaudit.rotation.grants import PROVIDERS, grants

    if provider is not None and provider not in PROVIDERS:
        raise UsageError(f"no provider is called {provider!r}", hint=f"there are {', '.join(PROVIDERS)}")
    rotations = read(config)
    chosen = [rotations.named(name) for name in names] or list(rotations.by_name.values())
    found = grants(chosen, kms_key=kms_key)
    if provider is not None:
        print_text(_of(provider, found).text.rstrip())
    elif found:
        print_text("\n\n".join(_headed(found)))
    else:
        tell("nothing has to be granted by a provider: programs, files and people do it all")


def _of(provider: str, found: Sequence[Grant]) -> Grant:
    for grant in found:
        if grant.provider == provider:
            return grant
    needed = ", ".join(grant.provider for grant in found) or "no provider"
    raise UsageError(f"these rotations need nothing of {provider}", hint=f"they need {needed}")


def _headed(found: Sequence[Grant]) -> list[str]:
    """Give each text, under a heading where there are several."""
    if len(found) == 1:
        return [found[0].text.rstrip()]
    return [f"=== {grant.provider}: {grant.what}\n\n{grant.text.rstrip()}" for grant in found]

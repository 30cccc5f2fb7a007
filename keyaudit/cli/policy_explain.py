"""keyaudit policy explain: say what a policy asks of one credential, and why."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_text

EPILOG = """\b
Examples:
  keyaudit policy explain prod/openai --inventory inventory.yaml
  keyaudit policy explain prod/openai --policy draft.yaml --framework pci-dss
      What a draft would ask; the inventory is the one of keyaudit.yaml."""


@click.command("explain", epilog=EPILOG, short_help="Say what a policy asks of one credential, and why.")
@click.argument("credential", metavar="CREDENTIAL")
@options.inventory
@options.policy
@options.framework
@options.as_of
@options.config
def command(
    credential: str,
    inventories: Sequence[str],
    policy: str | None,
    frameworks: Sequence[str],
    as_of: str | None,
    config: str | None,
) -> None:
    """Say which classification, schedule, framework clause and waiver matched CREDENTIAL, an id or a name.

    In the order in which they count, each with its tests, so that one sees why the others did not.
    """
    from keyaudit import inventory
    from keyaudit.cli.configuration import read
    from keyaudit.cli.credential import find, in_words
    from keyaudit.cli.gathering import documents, governing
    from keyaudit.cli.lineage import linked
    from keyaudit.policy.explain import explain

    instant = options.instant_of(as_of)
    settings = read(config)
    rules, chosen = governing(policy or settings.policy, frameworks or settings.frameworks)
    row = find(linked(settings.lineage, inventory.read(documents(inventories, config))), credential)
    print_text("\n".join(in_words(explain(rules, chosen, row, instant))))

"""keyaudit policy schema: print the JSON Schema for editors."""

from __future__ import annotations

import json

import click

from keyaudit.cli.outputs import print_text

EPILOG = """\b
Examples:
  keyaudit policy schema > .policy.schema.json
      and in policy.yaml, for editors that read it:
      # yaml-language-server: $schema=.policy.schema.json"""


@click.command("schema", epilog=EPILOG, short_help="Print the JSON Schema for editors.")
def command() -> None:
    """Print the JSON Schema of a policy file, with the settings that each rule takes."""
    from keyaudit.policy.frameworks import available, load
    from keyaudit.policy.schema import schema
    from keyaudit.rules import CATALOGUE

    controls = {pack.id: [control.id for control in pack.controls] for pack in load(available(), CATALOGUE)}
    print_text(json.dumps(schema(CATALOGUE, controls), indent=2, ensure_ascii=False))

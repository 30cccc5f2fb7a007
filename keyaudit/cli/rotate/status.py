"""keyaudit rotate status: what the store and the provider show, what comes next, and when."""

from __future__ import annotations

import json
from typing import Any

import click

from keyaudit.cli.outputs import print_text
from keyaudit.cli.rotate.options import Given, where

EPILOG = """\b
Examples:
  keyaudit rotate status openai-prod
  keyaudit rotate status openai-prod --format json | jq .next

\b
Permissions to read are enough. A value is read only where nothing else tells which key it is, and then
the answer says so."""


@click.command("status", epilog=EPILOG, short_help="Say where a rotation is, what comes next, and when.")
@where
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines to read, or JSON for a program.",
)
@click.option("--old-key-id", metavar="KEY", help="Which of the provider's keys is in use, if nothing says.")
def command(name: str, form: str, old_key_id: str | None, **given: Any) -> None:
    """Say what the store and the provider show of NAME: keys, places, decisions, next step, record."""
    from keyaudit.cli.rotate.going import Opening, order_of
    from keyaudit.cli.rotate.standing import in_words, standing

    opening = Opening(name, Given(**given, old_key_id=old_key_id))
    found = standing(opening, order_of(opening))
    if form == "json":
        print_text(json.dumps(found, indent=2))
    else:
        print_text("\n".join(in_words(found)))

"""keyaudit rules: list the rules."""

from __future__ import annotations

import click

from keyaudit.cli.tables import format_option, print_rows

EPILOG = """\b
Examples:
  keyaudit rules
  keyaudit rules --format json
  keyaudit explain KA101          what one of them means and how to mend it"""


@click.command("rules", epilog=EPILOG, short_help="List the rules.")
@format_option
def command(form: str) -> None:
    """List every rule: id, name, default severity, on what it stands, what a policy may set."""
    from keyaudit.rules import RULES, documentation

    rows = [
        {
            "id": rule.id,
            "name": rule.name,
            "severity": rule.severity,
            "basis": rule.basis,
            "settings": list(rule.params),
            "fails_when": documentation(rule).title,
        }
        for rule in RULES
    ]
    print_rows(rows, form)

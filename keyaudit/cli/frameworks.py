"""keyaudit frameworks: list the frameworks, or the controls of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keyaudit.cli.tables import format_option, print_rows

if TYPE_CHECKING:
    from keyaudit.model import Number

EPILOG = """\b
Examples:
  keyaudit frameworks                  all of them
  keyaudit frameworks pci-dss          the controls of one, and the rules that bear on each
  keyaudit explain pci-dss 8.6.3       one control in full"""

ELSEWHERE = {
    "manual": "keyaudit compares nothing with it: an auditor does",
    "policy_review": "compared with the policy's last review, not with credentials",
}
"""What a number limits that is no fact of a credential, and who looks at it."""


@click.command("frameworks", epilog=EPILOG, short_help="List the frameworks, or the controls of one.")
@click.argument("framework", metavar="[ID|FILE]", required=False)
@format_option
def command(framework: str | None, form: str) -> None:
    """List the frameworks that reports can be made for, or the controls of one of them.

    A number is shown only where the framework's own text states one, with its kind: required,
    alternative, guidance or organisation-defined. `own_numbers` counts the controls whose text sets
    one, `compared` those of them that credentials are compared with. Everywhere else your policy's
    number counts.
    """
    from keyaudit.policy import frameworks
    from keyaudit.rules import RULES

    names = {rule.name for rule in RULES}
    if framework:
        (chosen,) = frameworks.load([framework], names)
        rows = [
            {
                "id": control.id,
                "evidence": control.evidence,
                "modality": control.modality,
                "numbers": [number_in_words(number) for number in control.numbers],
                "rules": list(control.rules),
                "title": control.title,
            }
            for control in chosen.controls
        ]
        print_rows(rows if form == "json" else [{**row, "rules": len(row["rules"])} for row in rows], form)
        return
    listed = frameworks.load(frameworks.available(), names)
    print_rows(
        [
            {
                "id": known.id,
                "version": known.version,
                "controls": len(known.controls),
                "own_numbers": sum(
                    any(number.binds for number in control.numbers) for control in known.controls
                ),
                "compared": sum(any(map(compared, control.numbers)) for control in known.controls),
                "name": known.name,
            }
            for known in listed
        ],
        form,
    )


def compared(number: Number) -> bool:
    """Say whether credentials are compared with this number: not where people, or the policy, are."""
    return number.binds and number.fact not in ELSEWHERE


def number_in_words(number: Number) -> str:
    """Say a control's own number: how long, and of which kind."""
    from keyaudit.times import describe_duration

    value = "set by you" if number.value is None else describe_duration(number.value)
    return f"{value} ({number.kind})"

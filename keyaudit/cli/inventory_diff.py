"""keyaudit inventory diff: reconcile two inventories, or one with a list from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_document, print_text
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.inventory.sides import Side

BY = ("id", "name", "lineage")
FORMATS = ("text", "json", "csv")

EPILOG = """\b
Examples:
  keyaudit inventory diff yesterday.json today.json
      What came, what went, what changed: owner, environment, rotation, versions.
  keyaudit inventory diff today.json cmdb.csv --by name --column "CI Name"
      Any CSV file with a heading row: are all in the CMDB, and is all of the CMDB here?
  terraform state list | grep secret > state.txt; keyaudit inventory diff today.json state.txt --by name
      A file .txt has one identifier a line.

\b
Exit codes: 0 equal, 1 they differ, 2 usage or input error, 3 no difference was found, but one of them
was not seen completely, or has credentials without anything to compare by."""


@click.command("diff", epilog=EPILOG, short_help="Say what two inventories do not share.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--by",
    type=click.Choice(BY),
    default="id",
    show_default=True,
    help="What makes two rows the same credential: id with its source and scope, name, or lineage.",
)
@click.option("--column", metavar="NAME", help="Take B for a list: this column of a CSV file.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="A summary to read, or every difference for a program.",
)
@options.config
def command(first: str, second: str, by: str, column: str | None, form: str, config: str | None) -> int:
    """Say what is in A and not in B, what is in B and not in A, and what is in both but differs.

    A and B are inventory documents, or lists of identifiers (a file .txt). A credential that is
    missing where the other one could not look is not seen, which is no difference.
    """
    from keyaudit.cli import differences
    from keyaudit.cli.configuration import read
    from keyaudit.inventory.difference import compare

    if first == second:
        raise UsageError(f"A and B are both {first}", hint="give two files")
    settings = read(config)
    found = compare(_side(first, by, None, settings), _side(second, by, column, settings), by)
    if form == "json":
        print_text(differences.as_json(found, first, second))
    elif form == "csv":
        print_document(differences.as_csv(found))
    else:
        print_text("\n".join(differences.as_text(found, first, second)))
    return found.exit_code


def _side(path: str, by: str, column: str | None, settings: Configuration) -> Side:
    from keyaudit import inventory
    from keyaudit.cli.lineage import linked
    from keyaudit.inventory import sides

    if column is not None or path.lower().endswith(sides.LIST_SUFFIX):
        return sides.of_list(sides.read_list(path, column), by)
    listed = inventory.read([path])
    return sides.of_inventory(linked(settings.lineage, listed) if by == "lineage" else listed)

"""The inventory document, `keyaudit/inventory/1`: read, checked, merged and written.

JSON, YAML, NDJSON, CSV and Parquet carry the same columns (`columns`). A document with any row
that cannot be read is refused whole.

reading, opening         files, one reader a format: `json_documents` `yaml_documents` `parquet_documents`
                         `csv_documents`, with `parquet_rows` `csv_rows` `csv_versions` and `cells`
document, header         one document as columns; what it says of itself
shape, decode, tabulate  rows of JSON into columns; `instants` into times
check, nodes, problems   what may stand where, value by value; `soundness` for whole columns
assemble, merging        documents into one inventory, and several inventories; `collected`, `coverage`
live, rows               … from what a source listed
linking, recorded        which credentials are one; `holding` keys that no store holds
writing, plain_rows      all formats; `csv_writing`
difference, sides        two inventories reconciled
counting                 what one holds
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from keyaudit.inventory.counting import InventoryCounts
    from keyaudit.inventory.linking import LineageRule, Linked
    from keyaudit.inventory.rows import Credential
    from keyaudit.model import Coverage, CredentialRef, Inventory


def read(paths: Sequence[str | Path], *, format: str | None = None) -> Inventory:  # noqa: A002 - its name
    """Read one or several documents as one inventory.

    The suffix says the format (.json .yaml .yml .ndjson .jsonl .csv .parquet) unless `format`
    does; "-" is standard input. Raises InventoryError with every problem of every document,
    UsageError for a file that cannot be read or whose format is not known.
    """
    from keyaudit.inventory import reading

    return reading.read(paths, format=format)


def merge(inventories: Sequence[Inventory], names: Sequence[str] = ()) -> Inventory:
    """Make one inventory of several, such as documents and live sources; `names` says what each is called.

    Raises InventoryError for a credential that stands in two of them: to keep either would lose
    what the other says.
    """
    from keyaudit.inventory import merging

    return merging.merge(inventories, names)


def link(inventory: Inventory, rules: Sequence[LineageRule] = ()) -> Linked:
    """Fill the column `lineage`: what it holds counts first, then rules, then recorded key ids.

    Two lineages that meet at one key are not linked but said in `Linked.contradictions`. The digest
    of the inventory then depends on the rules as well.
    """
    from keyaudit.inventory import linking

    return linking.link(inventory, rules)


def orphans(inventory: Inventory) -> Sequence[CredentialRef] | None:
    """List the keys that a provider honours and no store of a linked inventory is known to hold.

    None: that cannot be asked, because keys of providers were listed and no store was.
    """
    from keyaudit.inventory import holding

    return holding.orphans(inventory)


def summary(inventory: Inventory) -> InventoryCounts:
    """Count what an inventory holds: by source, class, environment, and what was collected."""
    from keyaudit.inventory import counting

    return counting.summarise(inventory)


def from_rows(
    rows: Sequence[Credential],
    coverage: Sequence[Coverage],
    collected_at: int | None,
    columns: Iterable[str],
) -> Inventory:
    """Turn what a live source answered into an inventory. See `live.from_rows`."""
    from keyaudit.inventory import live

    return live.from_rows(rows, coverage, collected_at, columns)


def write(inventory: Inventory, format: str) -> bytes:  # noqa: A002 - its name
    """Write an inventory as json, yaml, ndjson, csv or parquet.

    Reading it back gives the same columns, null and not collected kept apart. Raises UsageError
    for another format.
    """
    from keyaudit.inventory import writing

    return writing.write(inventory, format)

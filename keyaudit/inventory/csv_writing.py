"""CSV: one row a version where versions were collected, otherwise one a credential."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from keyaudit.columns import VERSIONS
from keyaudit.inventory.cells import COLUMNS, LABEL, SPELLED, VERSION, disarm, write_names
from keyaudit.inventory.header import Header, write_header

MOST_LABEL_COLUMNS = 40
QUOTE = '"'

_special = re.compile(r'[,"\r\n]').search


def write_csv(header: Header, carried: frozenset[str], rows: Iterable[dict[str, Any]]) -> bytes:
    """Write rows as `plain_rows` gives them. The header is a comment, which spreadsheets keep as a cell."""
    credentials = list(rows)
    labels = sorted({name for row in credentials for name in row.get("labels") or ()})
    if len(labels) > MOST_LABEL_COLUMNS:
        labels = []
    columns = [spelled for name, spelled in SPELLED.items() if name in carried and name != "labels"]
    columns += [f"{LABEL}{name}" for name in labels]
    if "labels" in carried and (not labels or any(row.get("labels") == {} for row in credentials)):
        columns.append("labels")
    columns += [f"{VERSION}{name}" for name in VERSIONS if f"{VERSION}{name}" in carried]
    if any(row.get("versions") == [] for row in credentials):
        columns.append("versions")
    records = [["# " + msgspec.json.encode(write_header(header)).decode()], columns]
    for row in credentials:
        records += ([cells.get(column, "") for column in columns] for cells in _cells(row, labels))
    return "".join(map(_record, records)).encode()


def _record(cells: Iterable[str]) -> str:
    """Quote what must be quoted, a lone carriage return as well, which the csv module forgets."""
    quoted = (f'"{cell.replace(QUOTE, QUOTE * 2)}"' if _special(cell) else cell for cell in cells)
    return ",".join(quoted) + "\n"


def _cells(row: dict[str, Any], labels: list[str]) -> Iterator[dict[str, str]]:
    """Give the cells of one credential by column: once for each version, or once."""
    own: dict[str, str] = {}
    for name, value in row.items():
        if name == "rotation":
            own |= {f"rotation.{field}": _cell(f"rotation.{field}", inner) for field, inner in value.items()}
        elif name == "labels" and value is not None:
            own |= {f"{LABEL}{label}": disarm(text) for label, text in value.items()}
            own["labels"] = "" if value and labels else disarm(msgspec.json.encode(value).decode())
        elif name not in {"labels", "versions"}:
            own[name] = _cell(name, value)
    versions = row.get("versions")
    for version in versions or ():
        cells = {f"{VERSION}{name}": _cell(f"{VERSION}{name}", value) for name, value in version.items()}
        yield {**own, **cells}
    if not versions:
        yield {**own, "versions": "[]"} if versions == [] else own


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    match COLUMNS[column]:
        case "boolean":
            return "true" if value else "false"
        case "integer":
            return str(value)
        case "names":
            return disarm(write_names(value))
        case _:
            return disarm(value)

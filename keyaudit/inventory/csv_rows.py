"""CSV cells into typed columns, a batch at a time, and what is wrong with them if that fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from keyaudit.inventory import nodes, soundness
from keyaudit.inventory.cells import COLUMNS, LABEL, VERSION, read_names, rearm
from keyaudit.inventory.check import check_credential
from keyaudit.inventory.nodes import Node
from keyaudit.inventory.problems import Problems
from keyaudit.inventory.tabulate import Unreadable, encode_labels, series

Row = tuple[int, list[str]]
"""The line that a record begins on, and its cells."""

_BOOLEANS = {"true": True, "TRUE": True, "True": True, "false": False, "FALSE": False, "False": False}
_INTEGER = r"^[0-9]{1,16}$"
_LABELS: msgspec.json.Decoder[dict[str, str]] = msgspec.json.Decoder(dict[str, str])
_CREDENTIALS = soundness.of_credentials()
_VERSIONS = soundness.of_versions()


def flat_frame(columns: Sequence[str], rows: Sequence[Row], problems: Problems) -> pl.DataFrame | None:
    """Turn records into a frame; None, with the problems noted, if any cell cannot be read.

    Its columns are the flat ones of credentials, `versions.NAME` for those of a version, and
    `none`: whether the row says that the credential has no versions.
    """
    try:
        frame = _typed(columns, [cells for _, cells in rows])
        if not _sound(frame):
            raise Unreadable("a value that no document may hold")
    except Unreadable as error:
        before = problems.total
        for line, cells in rows:
            _diagnose(columns, line, cells, problems)
        if problems.total == before:
            problems.add(str(error), line=rows[0][0])
        return None
    return frame


def _typed(columns: Sequence[str], records: Sequence[list[str]]) -> pl.DataFrame:
    texts = {name: [rearm(cells[index]) for cells in records] for index, name in enumerate(columns)}
    typed = [
        _column(name, values).alias(name.replace("rotation.", "rotation_"))
        for name, values in texts.items()
        if name in COLUMNS
    ]
    labels = {name: values for name, values in texts.items() if name == "labels" or name.startswith(LABEL)}
    if labels:
        typed.append(_labels(labels, len(records)))
    marks = pl.Series("none", texts.get("versions", [None] * len(records)), dtype=pl.String)
    if not (marks == "[]").all():
        raise Unreadable("versions")
    return pl.DataFrame([*typed, marks.is_not_null()])


def _column(name: str, texts: list[str | None]) -> pl.Series:
    kind = COLUMNS[name]
    match kind:
        case "boolean":
            if any(text is not None and text not in _BOOLEANS for text in texts):
                raise Unreadable(name)
            return series(name, kind, [text and _BOOLEANS[text] for text in texts])
        case "integer":
            column = pl.Series(name, texts, dtype=pl.String)
            if not column.str.contains(_INTEGER).all():
                raise Unreadable(name)
            return column.cast(pl.Int64)
        case "names":
            lists = [None if text is None else read_names(text) for text in texts]
            if any(text is not None and names is None for text, names in zip(texts, lists, strict=True)):
                raise Unreadable(name)
            return series(name, kind, lists)
        case _:
            return series(name, kind, texts)


def _labels(columns: dict[str, list[str | None]], height: int) -> pl.Series:
    encoded: list[str | None] = []
    for index in range(height):
        labels = {
            name.removeprefix(LABEL): text
            for name, values in columns.items()
            if name != "labels" and (text := values[index]) is not None
        }
        whole = columns["labels"][index] if "labels" in columns else None
        if whole is not None:
            labels = {**_whole_labels(whole, labels), **labels}
        encoded.append(encode_labels(labels) if labels or whole is not None else None)
    return series("labels", "labels", encoded)


def _whole_labels(text: str, others: dict[str, str]) -> dict[str, str]:
    """Read a cell that holds all labels as JSON; none of them may have a column as well."""
    try:
        labels = _LABELS.decode(text)
        node = nodes.parse_json(text)
    except (msgspec.DecodeError, RecursionError, nodes.Malformed) as error:
        raise Unreadable(str(error)) from None
    if node.repeated or labels.keys() & others.keys():
        raise Unreadable("a label given twice")
    return labels


def _sound(frame: pl.DataFrame) -> bool:
    if not soundness.holds(frame, _CREDENTIALS):
        return False
    if "labels" in frame.columns and not soundness.labels_sound(frame["labels"]):
        return False
    of_version = [name for name in frame.columns if name.startswith(VERSION)]
    if not of_version:
        return True
    filled = pl.any_horizontal(pl.col(name).is_not_null() for name in of_version)
    if frame.select((filled & pl.col("none")).any()).item():
        return False
    bare = [pl.col(name).alias(name.removeprefix(VERSION)) for name in of_version]
    versions = frame.filter(filled).select(bare)
    return soundness.holds(versions, _VERSIONS)


def _diagnose(columns: Sequence[str], line: int, cells: list[str], problems: Problems) -> None:
    """Look at one record as the credential it stands for."""
    noted = Problems(problems.file)
    check_credential(_node(columns, line, cells), "", noted)
    for problem in noted.shown:
        field = problem.field and problem.field.replace("versions[0]", "versions")
        problems.add(problem.message, line=line, field=field)


def _node(columns: Sequence[str], line: int, cells: list[str]) -> Node:
    members: dict[str, Any] = {}
    rotation: dict[str, Node] = {}
    version: dict[str, Node] = {}
    labels: dict[str, Node] = {}
    repeated: tuple[tuple[str, int | None, int | None], ...] = ()
    for name, cell in zip(columns, cells, strict=True):
        node = Node(_value(COLUMNS.get(name, "text"), rearm(cell), line), line, None)
        if name == "labels" and node.value is not None:
            whole = _json(node)
            if not isinstance(whole.value, dict):
                members["labels"] = whole
                continue
            repeated += whole.repeated + tuple(
                (key, line, None) for key in whole.value.keys() & labels.keys()
            )
            labels |= whole.value
        elif name.startswith(LABEL):
            if node.value is not None:
                repeated += (
                    ((name.removeprefix(LABEL), line, None),) if name.removeprefix(LABEL) in labels else ()
                )
                labels[name.removeprefix(LABEL)] = node
        elif name.startswith("rotation."):
            rotation[name.removeprefix("rotation.")] = node
        elif name.startswith(VERSION):
            version[name.removeprefix(VERSION)] = node
        elif name != "labels":
            members[name] = node
    members.setdefault("labels", Node(labels, line, None, repeated))
    members["rotation"] = Node(rotation, line, None)
    members["versions"] = _versions(members.get("versions"), version, line)
    return Node(members, line, None)


def _versions(mark: Node | None, version: dict[str, Node], line: int) -> Node:
    filled = any(node.value is not None for node in version.values())
    if mark is not None and mark.value is not None and (filled or mark.value != "[]"):
        return Node("only [] (no versions) or nothing may stand here", line, None)
    return Node([Node(version, line, None)], line, None) if filled else Node(None, line, None)


def _value(kind: str, text: str | None, line: int) -> Any:
    if text is None:
        return None
    match kind:
        case "boolean":
            return _BOOLEANS.get(text, text)
        case "integer":
            return int(text) if text.isascii() and text.isdecimal() and len(text) < 30 else text
        case "names":
            names = read_names(text)
            return text if names is None else [Node(name, line, None) for name in names]
        case _:
            return text


def _json(node: Node) -> Node:
    try:
        return nodes.flat(nodes.parse_json(node.value), node.line)
    except nodes.Malformed:
        return node

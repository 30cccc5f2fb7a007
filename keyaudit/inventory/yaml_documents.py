"""YAML documents: what people write by hand, so every value is looked at with its place."""

from __future__ import annotations

import hashlib

import msgspec
import polars as pl

from keyaudit import strict_yaml
from keyaudit.errors import InputError
from keyaudit.inventory.check import called, check_credential
from keyaudit.inventory.document import Document
from keyaudit.inventory.header import read_header
from keyaudit.inventory.nodes import Node
from keyaudit.inventory.opening import text_of
from keyaudit.inventory.problems import Problems
from keyaudit.inventory.shape import CREDENTIAL
from keyaudit.inventory.tabulate import BATCH, Carried, tabulate

LARGEST = 64 << 20


def read_yaml(data: bytes, problems: Problems) -> Document | None:
    """Read a YAML document; None, with the problems noted, if anything in it is wrong."""
    root = _load(data, problems)
    if root is None:
        return None
    header = read_header(root, problems, body=("credentials",))
    listed = root.value.get("credentials") if isinstance(root.value, dict) else None
    if listed is None:
        return None
    if not isinstance(listed.value, list):
        message = f"expected a list of credentials, got {called(listed.value)}"
        problems.add(message, line=listed.line, column=listed.column, field="credentials")
        return None
    rows = listed.value
    for index, row in enumerate(rows):
        check_credential(row, f"credentials[{index}]", problems)
    if problems.total:
        return None
    carried = Carried()
    frames = [tabulate((), carried)]
    for first in range(0, len(rows), BATCH):
        batch = [msgspec.convert(_plain(row), CREDENTIAL) for row in rows[first : first + BATCH]]
        frames.append(tabulate(batch, carried))
    lines = [row.line for row in rows]
    digest = hashlib.sha256(data).hexdigest()
    frame = pl.concat(frames, rechunk=False).lazy()
    return Document(problems.file, header, frame, carried.collected(), lines.__getitem__, lambda: digest)


def _load(data: bytes, problems: Problems) -> Node | None:
    try:
        text = text_of(data)
    except ValueError as error:
        problems.add(str(error))
        return None
    if len(text) > LARGEST:
        problems.add(f"YAML of more than {LARGEST >> 20} MiB is not read: write it as NDJSON or Parquet")
        return None
    try:
        return _node(strict_yaml.load(text, problems.file))
    except InputError as error:
        for problem in error.problems:
            problems.add(problem.message, line=problem.line, column=problem.column, field=problem.field)
        problems.total += error.total - len(error.problems)
        return None


def _node(node: strict_yaml.Node) -> Node:
    value = node.content
    if isinstance(value, dict):
        value = {key: _node(entry.node) for key, entry in value.items()}
    elif isinstance(value, list):
        value = [_node(item) for item in value]
    return Node(value, node.line, node.column)


def _plain(node: Node) -> object:
    if isinstance(node.value, dict):
        return {key: _plain(value) for key, value in node.value.items()}
    return [_plain(item) for item in node.value] if isinstance(node.value, list) else node.value

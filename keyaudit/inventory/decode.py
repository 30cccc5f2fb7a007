"""Batches of JSON credentials into columns, and what is wrong with them if that fails.

msgspec checks types and unknown fields, polars times and texts. msgspec keeps the last of
repeated keys, so keys are counted: as many as `":` stand in the text must have arrived. A text
may hold `":` too, or space before a colon; such batches are looked at slowly before they pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import polars as pl

from keyaudit.inventory import nodes, soundness
from keyaudit.inventory.check import check_credential
from keyaudit.inventory.problems import Problems
from keyaudit.inventory.shape import CREDENTIAL
from keyaudit.inventory.tabulate import Carried, Unreadable, tabulate

_ROW: msgspec.json.Decoder[Any] = msgspec.json.Decoder(CREDENTIAL)
_CREDENTIALS = soundness.of_credentials()

PlaceOf = Callable[[int], tuple[int, int]]
"""The line and column at which the text of a batch's row begins, by its index in the batch."""


def decode(
    texts: Sequence[bytes | msgspec.Raw], first: int, place_of: PlaceOf, carried: Carried, problems: Problems
) -> pl.DataFrame | None:
    """Turn the JSON of some credentials into columns; None, with the problems noted, if that cannot be.

    `first` is the number of the batch's first row in its document.
    """
    before = carried.fields
    try:
        rows = [_ROW.decode(text) for text in texts]
        frame = tabulate(rows, carried)
        if not sound(frame):
            raise Unreadable("a value that no document may hold")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Unreadable) as error:
        if diagnose(texts, first, place_of, problems):
            problems.add(str(error), line=place_of(0)[0], field=f"credentials[{first}]")
        return None
    if not _keys_add_up(texts, carried.fields - before) and not diagnose(texts, first, place_of, problems):
        return None
    return frame


def sound(frame: pl.DataFrame) -> bool:
    """Say whether the values of rows that became columns are ones that a document may hold."""
    return soundness.holds(frame, _CREDENTIALS) and soundness.labels_sound(frame["labels"])


def _keys_add_up(texts: Sequence[bytes | msgspec.Raw], fields: int) -> bool:
    text = b"\n".join(texts)
    spaced = any(space in text for space in (b" :", b"\t:", b"\n:", b"\r:"))
    return not spaced and text.count(b'":') == fields


def diagnose(texts: Sequence[bytes | msgspec.Raw], first: int, place_of: PlaceOf, problems: Problems) -> bool:
    """Look at every credential of a batch with its places; say whether all are sound."""
    before = problems.total
    for index, text in enumerate(texts):
        field, (line, column) = f"credentials[{first + index}]", place_of(index)
        try:
            node = nodes.parse_json(bytes(text).decode(), line, column)
        except nodes.Malformed as error:
            problems.add(str(error), line=error.line, column=error.column, field=field)
        except UnicodeDecodeError as error:
            problems.add(f"not UTF-8: byte {error.object[error.start]:#04x}", line=line, field=field)
        else:
            check_credential(node, field, problems)
    return problems.total == before

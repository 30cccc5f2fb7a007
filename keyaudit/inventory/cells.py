"""CSV cells: text that a spreadsheet will not execute, and what its columns are called.

A cell that begins with ' or a line break, or with = + - @ after whatever spaces of any kind or
characters that cannot be seen, gets a ' in front, and reading takes exactly one ' off. An empty
cell is null, so an empty text is written as a lone '. Lists are separated by semicolons, or
written as JSON where that would not be the same again.
"""

from __future__ import annotations

import re

import msgspec

from keyaudit.columns import CREDENTIALS, VERSIONS

_armed = re.compile(
    "[\t\r\n']"
    r"|[\s\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]*[=+@＝＋－＠﹢﹣﹦﹫−-]"
).match
LABEL = "labels."
VERSION = "versions."
_NAMES: msgspec.json.Decoder[list[str]] = msgspec.json.Decoder(list[str])

SPELLED = {name: name.replace("rotation_", "rotation.") for name in CREDENTIALS}
"""How a column of credentials is called in a CSV file."""

COLUMNS = {
    **{spelled: CREDENTIALS[name] for name, spelled in SPELLED.items() if name != "labels"},
    **{f"{VERSION}{name}": kind for name, kind in VERSIONS.items()},
}
"""The kind of each column by its name in a CSV file, but for `labels`, `labels.NAME` and `versions`."""


def disarm(text: str) -> str:
    """Write a text so that a spreadsheet shows it and `rearm` gives it back."""
    return f"'{text}" if not text or _armed(text) else text


def rearm(cell: str) -> str | None:
    """Read a cell; an empty one is null."""
    return cell.removeprefix("'") if cell else None


def write_names(names: list[str]) -> str:
    """Write a list of texts in one cell."""
    joined = ";".join(names)
    return joined if names and read_names(joined) == names else msgspec.json.encode(names).decode()


def read_names(text: str) -> list[str] | None:
    """Read a list of texts; None if the text begins like JSON and is not a list of texts."""
    if not text.startswith("["):
        return text.split(";")
    try:
        return _NAMES.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None

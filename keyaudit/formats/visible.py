r"""Names, labels and owners come from stores, so a stranger may have written them.

Characters that move the cursor, reorder the line, or cannot be seen are replaced by their
escape (`\x1b`, `\u202e`). The ranges are fixed here rather than asked of `unicodedata`, so that
the same report has the same bytes on every Python.
"""

from __future__ import annotations

import re

UNSEEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: ANSI sequences begin here
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # invisible or joiners
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # zero width, line ends, bidirectional controls
    "\ud800-\udfff\ue000-\uf8ff"  # surrogates and private use
    "\ufe00-\ufe0f\ufdd0-\ufdef\ufff0-\ufffb\ufffe\uffff"  # variation selectors, non-characters
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff"  # tags, private planes
    "]"
)
"""One character that must not stand as it is."""

_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}

LONGEST = 300
"""Characters of one name that a page for people shows; the JSON document has all of them."""


def visible(text: str, *, longest: int = LONGEST) -> str:
    """Give text in which everything can be seen, on one line, cut in the middle when over-long."""
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]}…({len(text) - 2 * half:,} more characters)…{text[-half:]}"
    return UNSEEN.sub(_escape, text)


def bounded(text: str, most: int, *, nothing: str = "(nothing)") -> str:
    """Give visible text as strict schemas want theirs: no outer spaces, never empty, not over-long.

    What has more than `most` characters loses its end, which `…` stands for.
    """
    shown = UNSEEN.sub(_escape, text[: most + 1]).strip()
    if len(shown) > most or len(text) > most:
        shown = shown[: most - 1].rstrip() + "…"
    return shown or nothing


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

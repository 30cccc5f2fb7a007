"""Who is who in a policy: names as a reader sees them, and what only looks like a name or a reason.

Two names are one person if nothing visible tells them apart: width, case, spaces, characters that
print nothing and letters of another script that look the same do not count.
"""

from __future__ import annotations

import unicodedata

# Characters that print nothing although Unicode counts them as letters, marks or symbols.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIATIONS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
# Letters that are drawn alike (Unicode Technical Standard 39, confusables), by the Latin one: capitals
# before their case is dropped, since a Cyrillic or Greek capital may look like a Latin one of another name.
_ALIKE = str.maketrans(
    "АВЕЅЗКМНОРСТУХІЈԌԚԜаеорсухіјѕԁһӏԛԝгѵΑΒΕΖΗΙΚΜΝΟΡΤΥΧονιϲϳıɡɑ",
    "ABES3KMHOPCTYXIJGQWaeopcyxijsdhlqwrvABEZHIKMNOPTYXovicjiga",
)
# What people write where a form wants something and they have nothing to say.
_PLACEHOLDERS = frozenset(
    {
        *("n/a", "n.a", "n a", "na", "none", "nil", "null", "nothing", "not applicable", "not available"),
        *("nobody", "no one", "noone", "unknown", "anonymous"),
        *("tbd", "tba", "tbc", "todo", "to do", "fixme", "xxx"),
        *("to be decided", "to be defined", "to be determined", "to be done"),
    }
)


def plain(text: str | None) -> str:
    """Give a text without what does not show: NFKC, nothing invisible, single spaces, no case."""
    spaced = "".join(" " if char.isspace() else char for char in unicodedata.normalize("NFKC", text or ""))
    shown = "".join(char for char in spaced if not _invisible(char))
    return " ".join(unicodedata.normalize("NFKC", shown.casefold()).split())


def blank(text: str | None) -> bool:
    """Say whether a text says nothing: no letter or digit that shows, or a word that stands for nothing."""
    said = plain(text)
    if not any(char.isalnum() for char in said):
        return True
    return said.strip("()[]<>{}.,;:!?-_*#\"' ") in _PLACEHOLDERS


def same(one: str | None, other: str | None) -> bool:
    """Say whether two names are one person's; a blank one is nobody's."""
    if blank(one):
        return False
    return plain(one) == plain(other) or _drawn(one) == _drawn(other)


def _drawn(text: str | None) -> str:
    return plain(unicodedata.normalize("NFKC", text or "").translate(_ALIKE))


def _invisible(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Cc", "Cf"}
        or char in _INVISIBLE
        or any(ord(char) in variation for variation in _VARIATIONS)
    )

"""The little Markdown that rules are documented in, as safe HTML.

Paragraphs, bullets, `code` and **bold**, nothing else: everything that looks like another
construct, or like HTML, comes out as the characters it is made of.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from keyaudit.formats.visible import visible

_BULLET = re.compile(r"^\s*[*-]\s+")
_SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")


def html(text: str) -> Markup:
    """Give paragraphs and lists of a rule's documentation."""
    blocks: list[Markup] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        first = next((number for number, line in enumerate(lines) if _BULLET.match(line)), len(lines))
        if lines[:first]:
            blocks.append(Markup("<p>{}</p>").format(_inline(" ".join(lines[:first]))))
        if lines[first:]:
            items = (Markup("<li>{}</li>").format(_inline(item)) for item in _items(lines[first:]))
            blocks.append(Markup("<ul>{}</ul>").format(Markup().join(items)))
    return Markup("\n").join(blocks)


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if _BULLET.match(line):
            items.append(_BULLET.sub("", line))
        else:
            items[-1] += f" {line.strip()}"
    return items


def _inline(text: str) -> Markup:
    parts, end = [], 0
    for span in _SPAN.finditer(text):
        code, bold = span.groups()
        parts.append(_shown(text[end : span.start()]))
        parts.append(
            Markup("<code>{}</code>").format(_shown(code))
            if code
            else Markup("<b>{}</b>").format(_shown(bold))
        )
        end = span.end()
    return Markup().join([*parts, _shown(text[end:])])


def _shown(text: str) -> Markup:
    return escape(visible(text, longest=4000))

"""A picture of the entity on the first page: checked by its content, small, and unable to do anything.

PNG and JPEG are known by their own headers, not by a file's name. An SVG is a program as much as a
picture, so it is not cleaned but refused unless every element and attribute in it is one that only
draws: no script, no style sheet, no animation, no link, no entity, nothing from elsewhere.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from xml.parsers import expat

from keyaudit.errors import UsageError

LARGEST = 512 * 1024
"""Bytes of the file."""
MOST_PIXELS = 4_000_000
"""Width times height; what is larger needs memory and shows no more."""
MOST_ELEMENTS = 5_000

SVG = "http://www.w3.org/2000/svg"
ELEMENTS = frozenset({
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "title", "desc", "defs",
    "linearGradient", "radialGradient", "stop", "clipPath", "mask",
})  # fmt: skip
ATTRIBUTES = frozenset({
    "id", "version", "viewBox", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx",
    "ry", "fx", "fy", "d", "points", "transform", "fill", "fill-opacity", "fill-rule", "stroke",
    "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-opacity",
    "stroke-dasharray", "stroke-dashoffset", "opacity", "clip-path", "clip-rule", "mask", "offset",
    "stop-color", "stop-opacity", "gradientUnits", "gradientTransform", "spreadMethod", "clipPathUnits",
    "maskUnits", "maskContentUnits", "preserveAspectRatio", "role", "aria-label",
    "http://www.w3.org/XML/1998/namespace space",
})  # fmt: skip
_OWN_REFERENCE = re.compile(r"url\(#[A-Za-z_][\w.-]*\)", re.ASCII)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that was looked through. `mime` is what its content is."""

    mime: str
    content: bytes

    @property
    def address(self) -> str:
        """The picture as a `data:` address."""
        return f"data:{self.mime};base64,{base64.b64encode(self.content).decode()}"


def read(content: bytes, file: str) -> Logo:
    """Look a picture through; raises UsageError for what is none, too large, or could do more than draw."""
    if len(content) > LARGEST:
        raise _refused(file, f"has {len(content):,} bytes; {LARGEST:,} are allowed")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        size = _png_size(content)
    elif content.startswith(b"\xff\xd8\xff"):
        size = _jpeg_size(content)
    else:
        _look_through(content, file)
        return Logo("image/svg+xml", content)
    if size is None or not all(size):
        raise _refused(file, "is a broken picture")
    if size[0] * size[1] > MOST_PIXELS:
        raise _refused(file, f"is {size[0]:,} by {size[1]:,} pixels; {MOST_PIXELS:,} in all are allowed")
    return Logo("image/png" if content[0] == 0x89 else "image/jpeg", content)


def _refused(file: str, why: str) -> UsageError:
    return UsageError(f"{file}: {why}", hint="a logo is a PNG, a JPEG, or an SVG that only draws")


def _png_size(content: bytes) -> tuple[int, int] | None:
    whole = content[12:16] == b"IHDR" and len(content) >= 33 and b"IEND" in content[-12:]
    return (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) if whole else None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Go from marker to marker up to the one that begins the frame."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        if content[at + 1] in _FRAMES:
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return None


def _look_through(content: bytes, file: str) -> None:
    parser = expat.ParserCreate("utf-8", " ")
    seen: list[str] = []

    def element(name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if space != SVG or local not in ELEMENTS or (not seen and local != "svg"):
            raise _refused(file, f"has an element {local[:40]!a} that a logo needs not")
        seen.append(local)
        if len(seen) > MOST_ELEMENTS:
            raise _refused(file, f"has more than {MOST_ELEMENTS:,} elements")
        for attribute, value in attributes.items():
            if attribute not in ATTRIBUTES:
                raise _refused(file, f"has an attribute {attribute[-40:]!a} that a logo needs not")
            if "url" in value.lower() and not _OWN_REFERENCE.fullmatch(value.strip()):
                raise _refused(file, f"refers to something outside itself in {attribute!a}")

    def forbidden(*_: object) -> None:
        raise _refused(file, "has a document type, an entity or a processing instruction")

    parser.StartElementHandler = element
    parser.StartDoctypeDeclHandler = forbidden
    parser.EntityDeclHandler = forbidden
    parser.ProcessingInstructionHandler = forbidden
    try:
        parser.Parse(content, True)
    except expat.ExpatError:
        raise _refused(file, "is no PNG, no JPEG and no SVG") from None

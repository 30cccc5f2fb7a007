"""Templates of a user's own, in place of ours: data until the sandbox fills them.

A folder of them mirrors `keyaudit/formats/templates`: `pdf_cover.html.j2` there replaces the PDF's
cover, `html/controls.html` the controls of the page, `pdf.css` the style of the paper. What begins with
`own_` (`own_header.html.j2`, `html/own_note.html`) replaces nothing and may be included by the others.
A template that replaces one of ours can still include it, as `keyaudit/pdf_cover.html.j2`. The frames
`pdf.html.j2` and `html/page.html` and the scripts are not replaced: the content security policy, the
order of chapters and the data of the page are theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath

from keyaudit.errors import UsageError, did_you_mean

TEMPLATES = Path(__file__).parent / "templates"
FRAMES = ("pdf.html.j2", "html/page.html")
LARGEST = 256 * 1024
"""Bytes of one template."""
MOST = 100
ENDINGS = (".html.j2", ".html", ".css")


@dataclass(frozen=True, slots=True)
class OwnTemplates:
    """Texts by name, as in the folder; `folder` is how messages call it."""

    texts: Mapping[str, str] = field(default_factory=dict)
    folder: str = "templates"


@cache
def replaceable() -> tuple[str, ...]:
    """List the names of our templates that a user's may stand in for."""
    found = (file.relative_to(TEMPLATES).as_posix() for file in TEMPLATES.rglob("*") if file.is_file())
    return tuple(sorted(name for name in found if name.endswith(ENDINGS) and name not in FRAMES))


def read(contents: Mapping[str, bytes], folder: str = "templates") -> OwnTemplates:
    """Take templates from their files, by name; raises UsageError for a name that replaces nothing."""
    if len(contents) > MOST:
        raise UsageError(f"{folder}: {len(contents):,} files; {MOST} templates are allowed")
    return OwnTemplates(
        {name: _text(name, content, folder) for name, content in sorted(contents.items())}, folder
    )


def _text(name: str, content: bytes, folder: str) -> str:
    own = PurePosixPath(name).name.startswith("own_") and name.endswith(ENDINGS)
    if name not in replaceable() and not own:
        near = did_you_mean(name, replaceable())
        raise UsageError(
            f"{folder}/{name}: replaces no template of keyaudit{near}",
            hint="name it own_… to include it from another",
        )
    if len(content) > LARGEST:
        raise UsageError(f"{folder}/{name}: {len(content):,} bytes; {LARGEST:,} are allowed")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{folder}/{name}: not UTF-8 text") from None
    if name.endswith(".css") and "<" in text:
        raise UsageError(f"{folder}/{name}: a style sheet with a < could end its own element")
    return text

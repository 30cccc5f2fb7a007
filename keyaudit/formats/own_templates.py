"""Templates of a user's own, in place of ours: data until the sandbox fills them.

A folder of them mirrors `keyaudit/formats/templates`: `pdf_cover.html.j2` there replaces the PDF's
cover, `html/controls.html` the controls of the page, `pdf.css` the style of the paper. What begins with
`own_` (`own_header.html.j2`, `html/own_note.html`) replaces nothing and may be included by the others.
A template that replaces one of ours can still include it, as `keyaudit/pdf_cover.html.j2`. The frames
`pdf.html.j2` and `html/page.html` and the scripts are not replaced: the content security policy, the
order of chapters and the data of the page are theirs.
"""

from __future__ import annotations

import re
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

_LEADING_AWAY = re.compile(r"<\s*(meta|base)\b", re.IGNORECASE)
"""Elements that lead a reader elsewhere: no content security policy of the page holds them back."""

CONTEXT = {
    "report": "the report, as `keyaudit.model.Report` has it; with a shape only its framework's controls",
    "entity": "who was audited, None where nobody said",
    "marking": "how confidential it is, None where nobody said",
    "headline": "what the gate made of it, in a sentence",
    "collected": "when the inventory was collected, None where that is not known",
    "gaps": "what was not tested: a list of `what` and `why`",
    "shape": "`id`, `kind`, `disclaimer`, `preamble`, `limits`, `words`, `prescribes` of the shape",
    "word": "word(result): how the shape calls the result of a control",
    "control_lines": "control_lines(control): pairs of heading and text; none in the general shape",
    "identification": "pairs of heading and text about the audit as a whole",
    "left_out": "names of frameworks that were asked for and are not shown",
    "responses": "pairs of a management response and the number of findings that it answers",
    "responses_to": "responses_to(finding): the responses to it",
    "distribution": "to whom the report is restricted",
    "prepared_by": "`name`, `role`, `date`, or None; so is `reviewed_by`",
    "reviewed_by": "see prepared_by",
    "items": "numbered evidence: `reference`, `item`, `says`; only where the shape cites it",
    "retention": "how long the framework has the document kept, or None",
    "bundle": "the bundle in which the report lies, or None; `steps` check it by hand",
    "steps": "see bundle",
    "rotations": "the ledger of a period in words, or None",
    "sampled": "the sample in words, or None",
}
"""What every template is handed. Other names that ours use may change with any version."""
ON_PAPER = {
    "document_id": "SHA-256 of the report document",
    "chapters": "the chapters: `number`, `name`, `title`",
    "ref": "ref(name): a link to a chapter by its number; mention(name): the same as text",
    "mention": "see ref",
    "groups": "findings by rule: `id`, `name`, `counts`, `full`, `rows` of `number` and `finding`, `hidden`",
    "attachments": "files in the PDF: `name`, `about`, `sha256`",
    "instant": "instant(microseconds), date(…), duration(…): a time in words",
    "date": "see instant",
    "duration": "see instant",
    "due": "due(finding): when it fell due, or None",
    "subject": "subject(finding): what it is about",
    "plural": "plural(3, 'key')",
}
"""What templates of the PDF are handed beside that."""
ON_SCREEN = {
    "document": "SHA-256 of the report document",
    "sections": "the sections: `number`, `name`, `title`",
}
"""What templates of the page are handed beside that; its filters are `instant`, `day`, `duration`, `n`, …"""


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
    if found := _LEADING_AWAY.search(text):
        hint = "a report fetches nothing and leads nowhere by itself"
        raise UsageError(f"{folder}/{name}: <{found[1].lower()}> is not for templates", hint=hint)
    return text

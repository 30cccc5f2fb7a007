"""What only whoever makes a report can say of it: its shape, and the names on it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from keyaudit.formats import logo as logos
from keyaudit.formats import own_templates
from keyaudit.formats.logo import Logo
from keyaudit.formats.own_templates import OwnTemplates
from keyaudit.formats.responses import Response, Responses


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who puts their name to a report. `date` is a day as it was written."""

    name: str
    role: str | None = None
    date: str | None = None

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.role, self.date) if part)


@dataclass(frozen=True, slots=True)
class Presentation:
    """How the formats for people (html, pdf) present a report; nothing in it changes a verdict.

    `shape` is one of `keyaudit.formats.shapes.SHAPES`. `distribution` names those to whom the report is
    restricted; empty says nothing about it.
    """

    shape: str = "general"
    logo: Logo | None = None
    distribution: tuple[str, ...] = ()
    prepared_by: Person | None = None
    reviewed_by: Person | None = None
    responses: Responses = field(default_factory=Responses)
    templates: OwnTemplates = field(default_factory=OwnTemplates)


PLAIN = Presentation()


def to_data(presentation: Presentation) -> dict[str, Any]:
    """Write a presentation as plain data, pictures and templates included: so that it can be had again."""
    logo = presentation.logo
    return {
        "shape": presentation.shape,
        "logo": None if logo is None else base64.b64encode(logo.content).decode(),
        "distribution": list(presentation.distribution),
        "prepared_by": None if presentation.prepared_by is None else asdict(presentation.prepared_by),
        "reviewed_by": None if presentation.reviewed_by is None else asdict(presentation.reviewed_by),
        "responses": [asdict(answer) for answer in presentation.responses.answers],
        "templates": dict(presentation.templates.texts),
    }


def from_data(data: Mapping[str, Any]) -> Presentation:
    """Read what `to_data` wrote. It may come from a stranger: pictures and templates are looked through.

    Raises UsageError for one of them that is refused; KeyError, TypeError or ValueError for other data.
    """
    content, texts = data["logo"], data["templates"]
    return Presentation(
        shape=str(data["shape"]),
        logo=None if content is None else logos.read(base64.b64decode(content, validate=True), "the logo"),
        distribution=tuple(map(str, data["distribution"])),
        prepared_by=None if data["prepared_by"] is None else Person(**data["prepared_by"]),
        reviewed_by=None if data["reviewed_by"] is None else Person(**data["reviewed_by"]),
        responses=Responses(tuple(_response(answer) for answer in data["responses"])),
        templates=own_templates.read({str(name): text.encode() for name, text in texts.items()}),
    )


def _response(data: Mapping[str, Any]) -> Response:
    match = tuple((str(name), str(glob)) for name, glob in data["match"])
    return Response(**{**data, "match": match})

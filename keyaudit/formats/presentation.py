"""What only whoever makes a report can say of it: its shape, its names, the bundle in which it lies."""

from __future__ import annotations

from dataclasses import dataclass, field

from keyaudit.formats.logo import Logo
from keyaudit.formats.own_templates import OwnTemplates
from keyaudit.formats.responses import Responses
from keyaudit.formats.verification_steps import Evidence


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
    restricted; empty says nothing about it. `evidence` is the bundle in which the report lies.
    """

    shape: str = "general"
    logo: Logo | None = None
    distribution: tuple[str, ...] = ()
    prepared_by: Person | None = None
    reviewed_by: Person | None = None
    responses: Responses = field(default_factory=Responses)
    templates: OwnTemplates = field(default_factory=OwnTemplates)
    evidence: Evidence | None = None


PLAIN = Presentation()

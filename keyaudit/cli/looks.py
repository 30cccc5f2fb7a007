"""How a report is to look and where it goes: the options that `scan` and `report` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyaudit.cli import options
from keyaudit.cli.grouping import grouped

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.cli.rendering import Destination


OVERRULING = ("entity", "security_hub", "shape", "templates", "responses")
"""Options that say anew what `report:` of keyaudit.yaml says."""


@dataclass(frozen=True, slots=True)
class Look:
    """Formats and their settings, as the options say them."""

    formats: Sequence[str]
    output: str | None
    anchor: str | None
    group_by: str | None
    entity: str | None
    security_hub: str | None
    shape: str | None
    templates: str | None
    responses: str | None

    def destination(self, settings: Configuration, policy: str | None) -> Destination:
        """Say where the report goes, with what keyaudit.yaml says where no option does.

        `policy` is the file that governs the audit, None for the shipped one. Raises UsageError,
        PolicyError for responses that cannot be read.
        """
        from keyaudit.cli.anchoring import Repository
        from keyaudit.cli.presenting import presentation
        from keyaudit.cli.rendering import Destination, Naming

        own = {name: getattr(self, name) for name in OVERRULING}
        said = {**settings.report, **{name: value for name, value in own.items() if value is not None}}
        presented = presentation(said)
        named = Naming(said.get("entity"), said.get("marking"), said.get("security_hub"), presented)
        repository = Repository(self.anchor, policy, settings.file)
        return Destination(self.formats, self.output, self.group_by or settings.group_by, named, repository)


look: options.Decorator = grouped(
    "look",
    Look,
    options.report_format,
    options.output,
    options.anchor,
    options.group_by,
    options.entity,
    options.security_hub,
    options.shape,
    options.templates,
    options.responses,
)

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


@dataclass(frozen=True, slots=True)
class Look:
    """Formats and their settings, as the options say them."""

    formats: Sequence[str]
    output: str | None
    anchor: str | None
    group_by: str | None
    entity: str | None
    security_hub: str | None

    def destination(self, settings: Configuration, policy: str | None) -> Destination:
        """Say where the report goes, with what keyaudit.yaml says where no option does; raises UsageError.

        `policy` is the file that governs the audit, None for the shipped one.
        """
        from keyaudit.cli.anchoring import Repository
        from keyaudit.cli.rendering import Destination, Naming

        hub = self.security_hub or settings.security_hub
        named = Naming(self.entity or settings.entity, settings.marking, hub)
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
)

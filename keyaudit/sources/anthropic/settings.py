"""What keyaudit.yaml may say about an anthropic source, besides what all sources share.

    sources:
      - name: anthropic
        kind: anthropic
        key_variable: ANTHROPIC_ADMIN_KEY  # the environment variable that holds an admin key
        organization: acme                 # how the scope is called; without it the source's name
        organization_id: 12345678-…        # refuse a key that turns out to be another organization's
        last_use: true                     # ask the usage report for the last month
        api_version: 2023-06-01            # or 2026-10-21; both are understood
        endpoint: https://api.anthropic.com

Only `name` and `kind` are needed.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from keyaudit.sources.pulling.settings import Endpoint, Label, PullSettings, Variable

_VERSION = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ORGANIZATION = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)


def _version(text: str) -> str:
    if not _VERSION.fullmatch(text):
        raise ValueError("not a version such as 2023-06-01")
    return text


def _organization(text: str) -> str:
    if not _ORGANIZATION.fullmatch(text):
        raise ValueError("not the id of an organization")
    return text


class AnthropicSettings(PullSettings):
    """Checked settings of one anthropic source."""

    kind: Literal["anthropic"]
    key_variable: Variable = "ANTHROPIC_ADMIN_KEY"
    organization: Label | None = None
    organization_id: Annotated[str, AfterValidator(_organization)] | None = None
    last_use: bool = True
    api_version: Annotated[str, AfterValidator(_version)] = "2023-06-01"
    endpoint: Endpoint = "https://api.anthropic.com"
    requests_per_second: float = Field(default=5, gt=0, le=100_000)

    @property
    def label(self) -> str:
        """Give the name of the one scope."""
        return self.organization or self.name

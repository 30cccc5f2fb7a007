"""What keyaudit.yaml may say about an openai source, besides what all sources share.

    sources:
      - name: openai
        kind: openai
        key_variable: OPENAI_ADMIN_KEY  # the environment variable that holds an admin key
        organization: acme              # how scopes call it: acme/PROJECT; without it the source's name
        organization_id: org-abc        # sent along, for admin keys that see several organizations
        projects: all                   # or a list of ids
        include_archived: false         # the keys of archived projects too; named ones are always listed
        admin_keys: true                # the organization's admin keys
        usage: false                    # ask the cost report for a later last use than the list knows
        endpoint: https://api.openai.com

Only `name` and `kind` are needed. The limits of OpenAI's admin API are not documented: the
default pace is modest, and all projects share it.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from keyaudit.sources.pulling.settings import Endpoint, Label, PullSettings, Variable, distinct

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("not an id such as proj_abc123")
    return text


def _projects(value: object) -> object:
    if isinstance(value, str):
        return () if value == "all" else (value,)
    if isinstance(value, (list, tuple)) and not value:
        raise ValueError("name at least one project, or write `all`")
    return value


Id = Annotated[str, AfterValidator(_id)]
Projects = Annotated[tuple[Id, ...], BeforeValidator(_projects), AfterValidator(distinct)]


class OpenAiSettings(PullSettings):
    """Checked settings of one openai source; `projects` is empty for `all`."""

    kind: Literal["openai"]
    key_variable: Variable = "OPENAI_ADMIN_KEY"
    organization: Label | None = None
    organization_id: Id | None = None
    projects: Projects = ()
    include_archived: bool = False
    admin_keys: bool = True
    usage: bool = False
    endpoint: Endpoint = "https://api.openai.com"
    requests_per_second: float = Field(default=5, gt=0, le=100_000)
    concurrency: int = Field(default=4, ge=1, le=64)

    @property
    def label(self) -> str:
        """Give what the scopes begin with."""
        return self.organization or self.name

    @model_validator(mode="after")
    def _archived(self) -> Self:
        if self.projects and not self.include_archived and "include_archived" in self.model_fields_set:
            raise ValueError(
                "`include_archived: false` is for `projects: all`; "
                "those that are named are listed, archived or not"
            )
        return self

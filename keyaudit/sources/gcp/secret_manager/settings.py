"""What keyaudit.yaml may say about a gcp-secret-manager source, besides what all of Google Cloud share.

via: secret-manager             # or `asset-inventory`: a call for 1,000 resources instead of one a secret
parent: organizations/123       # or folders/123, instead of `projects`; asset-inventory only
read_time: 2026-05-01T00:00:00Z # a snapshot of then, up to 35 days back; asset-inventory only
locations: all                  # or a list, or `none`; where regional secrets are looked for
depth: versions                 # or `list`: no call a secret; ages become intervals

Regional secrets live on an endpoint of their own in each location, and the global one does not
list them. `all` costs a call a location and project.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from keyaudit.sources.gcp.settings import GcpSettings
from keyaudit.sources.pulling.settings import distinct
from keyaudit.times import from_datetime, parse_instant

_PARENT = re.compile(r"(organizations|folders)/\d{1,30}", re.ASCII)
LOCATION = re.compile(r"[a-z]{2,20}(-[a-z]{2,20}){0,3}\d{0,2}", re.ASCII)
"""Becomes part of a host's name, to which credentials are sent: nothing else may be in it."""


def _parent(text: str) -> str:
    if not _PARENT.fullmatch(text):
        raise ValueError("neither organizations/NUMBER nor folders/NUMBER; projects go under `projects`")
    return text


def _location(text: str) -> str:
    if not LOCATION.fullmatch(text):
        raise ValueError("not a location such as europe-west1")
    return text


def _locations(value: object) -> object:
    if isinstance(value, str):
        return {"all": None, "none": ()}.get(value, (value,))
    if value is None or (isinstance(value, (list, tuple)) and not value):
        raise ValueError("name at least one location, or write `all` or `none`")
    return value


def _instant(value: object) -> object:
    if isinstance(value, datetime):
        return from_datetime(value)
    return parse_instant(value) if isinstance(value, str) else value


Locations = Annotated[
    Annotated[tuple[Annotated[str, AfterValidator(_location)], ...], AfterValidator(distinct)] | None,
    BeforeValidator(_locations),
]


class GcpSecretManagerSettings(GcpSettings):
    """Checked settings of one gcp-secret-manager source; `locations` is None for `all`."""

    PARENTS: ClassVar[tuple[str, ...]] = ("projects", "parent")

    kind: Literal["gcp-secret-manager"]
    via: Literal["secret-manager", "asset-inventory"] = "secret-manager"
    parent: Annotated[str, AfterValidator(_parent)] | None = None
    read_time: Annotated[int, BeforeValidator(_instant)] | None = None
    locations: Locations = None
    depth: Literal["versions", "list"] = "versions"

    @property
    def bulk(self) -> bool:
        """Say whether Cloud Asset Inventory is asked, not the service."""
        return self.via == "asset-inventory"

    @property
    def finds_locations(self) -> bool:
        """Say whether each project is asked which locations it has."""
        return not self.bulk and self.locations is None

    @property
    def asks_each(self) -> bool:
        """Say whether each secret is asked for its versions."""
        return not self.bulk and self.depth == "versions"

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.bulk:
            if "locations" in self.model_fields_set:
                raise ValueError("`locations` is for `via: secret-manager`; a snapshot is of all of them")
        elif self.parent or self.read_time is not None:
            raise ValueError("`parent` and `read_time` are for `via: asset-inventory`")
        if self.parent and self.projects:
            raise ValueError("`parent` and `projects` exclude each other: a project would be listed twice")
        return self

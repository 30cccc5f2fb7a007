"""What keyaudit.yaml may say about a source of Google Cloud, besides what all sources share.

sources:
  - name: production
    kind: gcp-iam
    projects: [acme-prod, acme-staging]
    impersonate: keyaudit@acme-audit.iam.gserviceaccount.com   # who asks, if not the caller
    quota_project: acme-audit       # whose quota the calls use, if not each project its own
    endpoint: 127.0.0.1:8085        # emulators only: no TLS, no credentials

`projects` is needed, unless the kind can be given another parent.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from keyaudit.sources.pulling.settings import PullSettings, distinct

PROJECT_ID = re.compile(r"([a-z0-9.-]{1,200}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_ACCOUNT = re.compile(r"[a-z0-9.-]{1,64}@[a-z0-9.-]{1,200}\.gserviceaccount\.com")
_HERE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}", re.ASCII)


def _project(value: object) -> object:
    if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        raise ValueError("a project's number; write its id, such as acme-prod")
    if isinstance(value, str) and not PROJECT_ID.fullmatch(value):
        raise ValueError("not a project id such as acme-prod")
    return value


def _account(text: str) -> str:
    if not _ACCOUNT.fullmatch(text):
        raise ValueError("not the address of a service account")
    return text


def _here(text: str) -> str:
    if not _HERE.fullmatch(text):
        raise ValueError("an emulator is host:port on this machine, such as 127.0.0.1:8085")
    return text


Project = Annotated[str, BeforeValidator(_project)]
Projects = Annotated[tuple[Project, ...], AfterValidator(distinct)]
ServiceAccount = Annotated[str, AfterValidator(_account)]
"""The address of a service account."""
Emulator = Annotated[str, AfterValidator(_here)]
"""host:port on this machine."""


class GcpSettings(PullSettings):
    """Checked settings of any source of Google Cloud.

    `PARENTS` names the settings one of which must say where to look. Quotas are 600 calls a minute
    for most lists, so the default stays a little below.
    """

    PARENTS: ClassVar[tuple[str, ...]] = ("projects",)

    projects: Projects = ()
    impersonate: ServiceAccount | None = None
    quota_project: Project | None = None
    endpoint: Emulator | None = None
    requests_per_second: float = Field(default=9, gt=0, le=100_000)

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not any(getattr(self, name) for name in self.PARENTS):
            raise ValueError(f"says nowhere to look: set {' or '.join(f'`{name}`' for name in self.PARENTS)}")
        if self.endpoint is not None and self.impersonate is not None:
            raise ValueError(
                "`impersonate` is for Google itself: an emulator at `endpoint` is told of no credentials"
            )
        return self

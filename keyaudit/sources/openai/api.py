"""OpenAI's administration API: the few lists that may be asked for, and what is read of them.

What is not named here is never decoded: `redacted_value`, the ends of a key, goes with the bytes.
Times arrive as seconds since the epoch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from keyaudit.sources.openai.settings import OpenAiSettings
from keyaudit.sources.pulling.json_lists import entries, error_code, instant, last_use
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pages import Page
from keyaudit.sources.pulling.web import Allowed, beneath, get, open_session
from keyaudit.times import DAY, SECOND

PROJECTS = "/v1/organization/projects"
PROJECT_KEYS = "/v1/organization/projects/{project_id}/api_keys"
ADMIN_KEYS = "/v1/organization/admin_api_keys"
COSTS = "/v1/organization/costs"
_PAGE = "100"
_DAYS = 31

ALLOWED: Allowed = [
    ("GET", re.compile(re.escape(path).replace(re.escape("{project_id}"), "[A-Za-z0-9_-]{1,100}")))
    for path in (PROJECTS, PROJECT_KEYS, ADMIN_KEYS, COSTS)
]
"""Nothing else ever leaves: beside these paths are some that mint keys."""

Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,100}\Z")]


class Project(msgspec.Struct, frozen=True):
    """One project."""

    id: Id
    name: str | None = None
    status: str | None = None


class User(msgspec.Struct, frozen=True):
    """A person who owns a key."""

    email: str | None = None
    name: str | None = None


class ServiceAccount(msgspec.Struct, frozen=True):
    """What owns a key where no person does."""

    id: Id
    created_at: int
    name: str | None = None

    def __post_init__(self) -> None:
        """Refuse a time that makes no sense."""
        instant(self.created_at)


class Owner(msgspec.Struct, frozen=True):
    """Who owns a project's key: one of the two."""

    user: User | None = None
    service_account: ServiceAccount | None = None


class AdminOwner(msgspec.Struct, frozen=True):
    """Who owns an admin key; a person without an address."""

    name: str | None = None


class _Key(msgspec.Struct, frozen=True):
    id: Id
    created_at: int
    name: str | None = None
    last_used_at: int | None = None
    expires_at: int | None = None

    def __post_init__(self) -> None:
        """Refuse times that make no sense: an expiry that came first would hide a key that works."""
        for seconds in (self.created_at, self.last_used_at, self.expires_at):
            instant(seconds)
        if self.expires_at is not None and self.expires_at < self.created_at:
            raise ValueError("expired before it was created")


class ProjectKey(_Key, frozen=True, kw_only=True):
    """One key of a project. `owner_project_access`: does its owner still have access, active or inactive."""

    owner: Owner = Owner()
    owner_project_access: str | None = None


class AdminKey(_Key, frozen=True, kw_only=True):
    """One of the organization's admin keys."""

    owner: AdminOwner = AdminOwner()


class OpenAi:
    """The one door to OpenAI; everything raises RefusedError. Close it in the end."""

    def __init__(self, settings: OpenAiSettings, key: str, meter: Meter) -> None:
        """Open it for one scope.

        Which organization a request is for, the settings say: OpenAI's own client would also take
        it, and a project and another host, from the environment.
        """
        headers = {"Authorization": f"Bearer {key}"}
        if settings.organization_id:
            headers["OpenAI-Organization"] = settings.organization_id
        self._base = settings.endpoint.rstrip("/")
        self._http = open_session(
            beneath(settings.endpoint, ALLOWED),
            meter,
            extra="openai",
            attempts=settings.attempts,
            timeout=settings.timeout / SECOND,
            headers=headers,
        )

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def projects(self, *, archived: bool) -> Iterator[Page[Project]]:
        """List the projects."""
        more = {"include_archived": "true"} if archived else {}
        return entries(lambda after: self._list(PROJECTS, after, **more), Project)

    def project_keys(self, project: str) -> Iterator[Page[ProjectKey]]:
        """List a project's keys; without `any`, those of people who left may be missing."""
        path = PROJECT_KEYS.replace("{project_id}", project)
        return entries(lambda after: self._list(path, after, owner_project_access="any"), ProjectKey)

    def admin_keys(self) -> Iterator[Page[AdminKey]]:
        """List the organization's admin keys."""
        return entries(lambda after: self._list(ADMIN_KEYS, after), AdminKey)

    def days_of_use(self, now: int) -> dict[str, int]:
        """Give the last day of the past month on which each key cost anything, by key id."""
        since = (now // DAY - (_DAYS - 1)) * DAY // SECOND
        asked = {"start_time": since, "bucket_width": "1d", "group_by": "api_key_id", "limit": _DAYS}

        def ask(page: str | None) -> bytes:
            return self._get(COSTS, {**asked, "page": page} if page else asked)

        return last_use(ask)

    def _list(self, path: str, after: str | None, **more: str) -> bytes:
        return self._get(path, {"limit": _PAGE, **more, **({"after": after} if after else {})})

    def _get(self, path: str, params: dict[str, Any]) -> bytes:
        return get(self._http, self._base + path, params, code=error_code)

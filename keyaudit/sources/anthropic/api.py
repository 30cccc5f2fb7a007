"""Anthropic's Admin API: the few lists that may be asked for, and what is read of them.

What is not named here is never decoded: `partial_key_hint`, the ends of a key, goes with the bytes.
Times arrive as RFC 3339.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from keyaudit.sources.anthropic.settings import AnthropicSettings
from keyaudit.sources.pulling.decoding import decoded
from keyaudit.sources.pulling.json_lists import Id, entries, error_code, last_use
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pages import Page, reread
from keyaudit.sources.pulling.web import Allowed, beneath, get, open_session
from keyaudit.times import DAY, SECOND, format_instant, parse_instant

ORGANIZATION = "/v1/organizations/me"
KEYS = "/v1/organizations/api_keys"
WORKSPACES = "/v1/organizations/workspaces"
USERS = "/v1/organizations/users"
USAGE = "/v1/organizations/usage_report/messages"
_PAGE = "1000"
_DAYS = 31

ALLOWED: Allowed = [
    ("GET", re.compile(re.escape(path))) for path in (ORGANIZATION, KEYS, WORKSPACES, USERS, USAGE)
]
"""Nothing else ever leaves: a POST to some of these paths would change what they list."""

MaybeId = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{0,200}\Z")] | None
"""The id of something else; empty, like null, for none."""


class Actor(msgspec.Struct, frozen=True):
    """Who made a key, or whom it acts as: a person or a service account."""

    id: MaybeId = None
    type: str | None = None
    user_id: MaybeId = None
    service_account_id: MaybeId = None


class Reach(msgspec.Struct, frozen=True):
    """Where a key works: `workspace` with its id, or `organization`."""

    type: str | None = None
    workspace_id: MaybeId = None


class ApiKey(msgspec.Struct, frozen=True):
    """One key. Without `scope` (an older shape) a null `workspace_id` means the default workspace, or all."""

    id: Id
    created_at: str
    status: str
    name: str | None = None
    expires_at: str | None = None
    created_by: Actor | None = None
    principal: Actor | None = None
    scope: Reach | None = None
    workspace_id: MaybeId = None

    def __post_init__(self) -> None:
        """Refuse times that make no sense."""
        parse_instant(self.created_at)
        if self.expires_at is not None:
            parse_instant(self.expires_at)


class Named(msgspec.Struct, frozen=True):
    """A workspace or a person."""

    id: Id
    name: str | None = None
    email: str | None = None


_NAMED = msgspec.json.Decoder(Named)


class Anthropic:
    """The one door to Anthropic; everything raises RefusedError. Close it in the end."""

    def __init__(self, settings: AnthropicSettings, key: str, meter: Meter) -> None:
        """Open it."""
        self._base = settings.endpoint.rstrip("/")
        self._http = open_session(
            beneath(settings.endpoint, ALLOWED),
            meter,
            extra="anthropic",
            attempts=settings.attempts,
            timeout=settings.timeout / SECOND,
            headers={"x-api-key": key, "anthropic-version": settings.api_version},
        )

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def organization(self) -> Named:
        """Say whose key this is."""
        return reread(lambda: self._get(ORGANIZATION, {}), lambda body: decoded(body, _NAMED))

    def keys(self) -> Iterator[Page[ApiKey]]:
        """List the keys of all workspaces, whatever their status."""
        return entries(lambda after: self._list(KEYS, after), ApiKey)

    def workspaces(self) -> dict[str, str]:
        """Give the names of workspaces by id, archived ones too."""
        pages = entries(lambda after: self._list(WORKSPACES, after, include_archived="true"), Named)
        return {each.id: each.name for page in pages for each in page.entries if each.name}

    def people(self) -> dict[str, str]:
        """Give the addresses of people by id."""
        pages = entries(lambda after: self._list(USERS, after), Named)
        return {each.id: each.email for page in pages for each in page.entries if each.email}

    def days_of_use(self, now: int) -> dict[str, int]:
        """Give the last day of the past month on which each key sent messages, by key id."""
        since = format_instant((now // DAY - (_DAYS - 1)) * DAY)
        asked = {"starting_at": since, "bucket_width": "1d", "group_by[]": "api_key_id", "limit": _DAYS}

        def ask(page: str | None) -> bytes:
            return self._get(USAGE, {**asked, "page": page} if page else asked)

        return last_use(ask)

    def _list(self, path: str, after: str | None, **more: str) -> bytes:
        return self._get(path, {"limit": _PAGE, **more, **({"after_id": after} if after else {})})

    def _get(self, path: str, params: dict[str, Any]) -> bytes:
        return get(self._http, self._base + path, params, code=error_code)

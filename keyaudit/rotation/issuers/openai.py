"""Keys of one OpenAI service account: two at once, minted and revoked by an admin key.

    issuer:
      kind: openai
      project: proj_abc
      service_account: svc_acct_abc      # create one without a key, or take the one that is in use
      scopes: [model.request]            # what the new key may do; without it, everything
      expires_in: 90d                    # some organizations demand it; without it, never
      key_variable: OPENAI_ADMIN_KEY     # the environment variable that holds an admin key
      organization_id: org-abc           # for admin keys that see several organizations
      endpoint: https://api.openai.com
      timeout: 30s

A key is named `keyaudit-…-TOKEN`, so one whose value was lost on the way is found and deleted.

A deleted key may go on for about a minute in OpenAI's caches. Batch jobs that were submitted with
the old key and still run may fail with it: where the Batch API is used, a `window` of 24h outlasts
every job (the longest a batch may take).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
from pydantic import Field

from keyaudit.rotation.doors.web import Web
from keyaudit.rotation.issuers.ends import only_fit
from keyaudit.rotation.issuers.naming import LOST, key_name, token_of
from keyaudit.rotation.issuers.protocol import Minted
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.secret import Parts, Secret
from keyaudit.rotation.sight import Key
from keyaudit.sources.openai.settings import Id
from keyaudit.sources.pulling.json_lists import Id as ListedId
from keyaudit.sources.pulling.json_lists import instant
from keyaudit.sources.pulling.settings import Duration, Endpoint, Variable
from keyaudit.times import SECOND

LIST = "GET /v1/organization/projects/{project}/api_keys"
CREATE = "POST /v1/organization/projects/{project}/service_accounts/{service_account}/api_keys"
DELETE = "DELETE /v1/organization/projects/{project}/api_keys/{key}"
_YEAR = 31_536_000 * SECOND


class AdminSettings(PartySettings):
    """What whoever asks OpenAI's administration is told."""

    project: Id
    key_variable: Variable = "OPENAI_ADMIN_KEY"
    organization_id: Id | None = None
    endpoint: Endpoint = "https://api.openai.com"


class OpenAiKeysSettings(AdminSettings):
    """Checked settings; `expires_in` in microseconds, at most 365 days."""

    kind: Literal["openai"]
    service_account: Id
    scopes: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    expires_in: Annotated[Duration, Field(ge=SECOND, le=_YEAR)] | None = None


class _Account(msgspec.Struct, frozen=True):
    id: ListedId


class _Owner(msgspec.Struct, frozen=True):
    service_account: _Account | None = None


class ProjectKey(msgspec.Struct, frozen=True):
    """One key of a project. `redacted_value` shows its ends: it is compared with, never passed on."""

    id: ListedId
    created_at: int
    name: str | None = None
    redacted_value: str | None = None
    expires_at: int | None = None
    last_used_at: int | None = None
    owner: _Owner = _Owner()

    def __post_init__(self) -> None:
        """Refuse times that make no sense."""
        for seconds in (self.created_at, self.expires_at, self.last_used_at):
            instant(seconds)


class _Created(msgspec.Struct, frozen=True):
    id: ListedId
    value: str
    created_at: int | None = None

    def __post_init__(self) -> None:
        _ = instant(self.created_at)


_CREATED = msgspec.json.Decoder(_Created)


def admin_door(settings: AdminSettings, key: Secret, calls: tuple[str, ...]) -> Web:
    """Open the door to OpenAI's administration. The environment has no say in whose it is."""
    headers = {"Authorization": f"Bearer {key.reveal()}"}
    if settings.organization_id:
        headers["OpenAI-Organization"] = settings.organization_id
    return Web(
        "OpenAI",
        settings.endpoint,
        calls,
        headers,
        timeout=settings.timeout,
        extra="openai",
        variable=settings.key_variable,
    )


def project_keys(web: Web, project: str) -> list[ProjectKey]:
    """List a project's keys, whole; without `any`, those of owners who lost access may be missing."""

    def ask(after: str | None) -> bytes:
        params = {"limit": "100", "owner_project_access": "any"} | ({"after": after} if after else {})
        return web.get(LIST, params, at={"project": project})

    return web.list(ask, ProjectKey)


class OpenAiKeys:
    """The keys of one service account."""

    kind = "openai"
    whole = "key"
    names_keys = True
    Settings = OpenAiKeysSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "keys": (LIST,),
        "mint": (CREATE,),
        "revoke": (DELETE,),
        "recognise": (),
    }

    def __init__(self, settings: OpenAiKeysSettings, web: Web, means: Means) -> None:
        self._settings, self._web, self._clock = settings, web, means.clock
        self._place = f"{settings.project}/{settings.service_account}"
        self._ends: dict[str, str | None] = {}

    @classmethod
    def opened(cls, settings: OpenAiKeysSettings, means: Means) -> Self:
        """Open it; raises UsageError where no admin key is set."""
        return cls(
            settings, admin_door(settings, means.key(settings.key_variable), (LIST, CREATE, DELETE)), means
        )

    def keys(self) -> tuple[Key, ...]:
        """List the service account's keys; one past its end is not active."""
        owned = [
            key
            for key in project_keys(self._web, self._settings.project)
            if key.owner.service_account and key.owner.service_account.id == self._settings.service_account
        ]
        self._ends = {key.id: key.redacted_value for key in owned}
        return tuple(
            Key(
                id=key.id,
                active=key.expires_at is None or key.expires_at * SECOND > self._clock(),
                token=token_of(key.name, self._place),
                created_at=instant(key.created_at),
            )
            for key in owned
        )

    def mint(self, token: str, in_use: AbstractSet[str]) -> Minted:
        """Make a key beside those there are."""
        del in_use
        settings = self._settings
        body: dict[str, Any] = {"name": key_name(token, self._place)}
        if settings.scopes:
            body["scopes"] = list(settings.scopes)
        if settings.expires_in is not None:
            body["expires_in_seconds"] = settings.expires_in // SECOND
        answer = self._web.ask(
            CREATE, body=body, at={"project": settings.project, "service_account": settings.service_account}
        )
        if not answer.good:
            demanded = answer.status == 400 and settings.expires_in is None
            hint = "an organization may demand that keys expire: issuer.expires_in" if demanded else None
            raise self._web.refused(answer, hint=hint)
        made = self._web.decode(answer.body, _CREATED, hint=LOST)
        return Minted(made.id, {"key": made.value}, instant(made.created_at))

    def revoke(self, key_id: str) -> None:
        """Delete a key; the service account and its other keys stay."""
        answer = self._web.ask(DELETE, at={"project": self._settings.project, "key": key_id})
        if not answer.good and answer.status != 404:
            raise self._web.refused(answer)

    def recognise(self, parts: Parts, keys: tuple[Key, ...] | None) -> str | None:
        """Tell by the ends that the list shows, if they fit one key only."""
        listed = {key.id: self._ends.get(key.id) for key in keys or ()}
        return only_fit(listed, parts.get("key", ""))

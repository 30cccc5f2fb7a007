"""Keys of an OpenRouter account or workspace: minted and revoked by a management key.

    issuer:
      kind: openrouter
      limit: 100                         # dollars that the new key may spend; without it, no limit
      limit_reset: monthly               # daily, weekly or monthly; without it, never
      include_byok_in_limit: false
      expires_in: 90d                    # without it, never
      key_variable: OPENROUTER_MANAGEMENT_KEY
      endpoint: https://openrouter.ai
      timeout: 30s

A key is named `keyaudit-TOKEN`. Its id is its `hash`, the SHA-256 of its value. A new key has these
limits and no others: what else was set for the old one (guardrails, presets) is not taken over.

A key is deleted, not disabled: disabling was seen answered with 404 for a key that was there, and a
404 must mean that nothing is left to revoke.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
from pydantic import Field

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.web import Web
from keyaudit.rotation.issuers.ends import only_fit
from keyaudit.rotation.issuers.naming import LOST, key_name, token_of
from keyaudit.rotation.issuers.protocol import Minted
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.secret import Parts, Secret
from keyaudit.rotation.sight import Key
from keyaudit.sources.pulling.json_lists import Id
from keyaudit.sources.pulling.settings import Duration, Endpoint, Variable
from keyaudit.times import SECOND, format_instant, parse_instant

LIST = "GET /api/v1/keys"
CREATE = "POST /api/v1/keys"
DELETE = "DELETE /api/v1/keys/{key}"
_MOST_PAGES = 1_000
_READINGS = 3


class ManagementSettings(PartySettings):
    """What whoever asks OpenRouter's management is told."""

    key_variable: Variable = "OPENROUTER_MANAGEMENT_KEY"
    endpoint: Endpoint = "https://openrouter.ai"


class OpenRouterKeysSettings(ManagementSettings):
    """Checked settings; `limit` in dollars, `expires_in` in microseconds."""

    kind: Literal["openrouter"]
    limit: Annotated[float, Field(gt=0)] | None = None
    limit_reset: Literal["daily", "weekly", "monthly"] | None = None
    include_byok_in_limit: bool = False
    expires_in: Annotated[Duration, Field(ge=60 * SECOND)] | None = None


class ListedKey(msgspec.Struct, frozen=True):
    """One key. `label` shows its ends: it is compared with, never passed on."""

    hash: Id
    created_at: str
    disabled: bool
    name: str | None = None
    label: str | None = None
    expires_at: str | None = None

    def __post_init__(self) -> None:
        """Refuse times that make no sense."""
        for text in (self.created_at, self.expires_at):
            _ = text is not None and parse_instant(text)


class _Page(msgspec.Struct):
    data: list[ListedKey]


class _Created(msgspec.Struct):
    data: ListedKey
    key: str


_PAGE = msgspec.json.Decoder(_Page)
_CREATED = msgspec.json.Decoder(_Created)


def management_door(settings: ManagementSettings, key: Secret, calls: tuple[str, ...]) -> Web:
    """Open the door to OpenRouter's management."""
    return Web(
        "OpenRouter",
        settings.endpoint,
        calls,
        {"Authorization": f"Bearer {key.reveal()}"},
        timeout=settings.timeout,
        extra="http",
        variable=settings.key_variable,
    )


class OpenRouterKeys:
    """The keys that one management key sees."""

    kind = "openrouter"
    whole = "key"
    names_keys = True
    Settings = OpenRouterKeysSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "keys": (LIST,),
        "mint": (CREATE,),
        "revoke": (DELETE,),
        "recognise": (),
    }

    def __init__(self, settings: OpenRouterKeysSettings, web: Web, means: Means) -> None:
        self._settings, self._web, self._clock = settings, web, means.clock
        self._ends: dict[str, str | None] = {}

    @classmethod
    def opened(cls, settings: OpenRouterKeysSettings, means: Means) -> Self:
        """Open it; raises UsageError where no management key is set."""
        web = management_door(settings, means.key(settings.key_variable), (LIST, CREATE, DELETE))
        return cls(settings, web, means)

    def keys(self) -> tuple[Key, ...]:
        """List the keys, those that are disabled too; one that is past its end is not active."""
        listed = self._listed()
        self._ends = {key.hash: key.label for key in listed}
        return tuple(
            Key(
                id=key.hash,
                active=not key.disabled
                and (key.expires_at is None or parse_instant(key.expires_at) > self._clock()),
                token=token_of(key.name),
                created_at=parse_instant(key.created_at),
            )
            for key in listed
        )

    def _listed(self) -> list[ListedKey]:
        for _ in range(_READINGS):
            if (found := self._whole()) is not None:
                return found
        raise RotationError("OpenRouter: the list of keys changed while it was read", hint="run it again")

    def _whole(self) -> list[ListedKey] | None:
        """Read all pages; None if keys came or went meanwhile.

        Pages begin at an offset, so a key that is deleted meanwhile would make another one slip through
        between two of them. Each page therefore begins with the last key of the one before.
        """
        found: list[ListedKey] = []
        for _ in range(_MOST_PAGES):
            offset = max(len(found) - 1, 0)
            answer = self._web.get(LIST, {"include_disabled": "true", "offset": str(offset)})
            page = self._web.decode(answer, _PAGE).data
            if found and (not page or page[0].hash != found[-1].hash):
                return None
            new = page[1:] if found else page
            found += new
            if not new:
                whole = len({key.hash for key in found}) == len(found)
                return found if whole else None
        raise RotationError("OpenRouter: the list of keys does not end")

    def mint(self, token: str, in_use: AbstractSet[str]) -> Minted:
        """Make a key beside those there are."""
        del in_use
        settings = self._settings
        body: dict[str, Any] = {"name": key_name(token)}
        if settings.limit is not None:
            body |= {"limit": settings.limit, "include_byok_in_limit": settings.include_byok_in_limit}
        if settings.limit_reset is not None:
            body["limit_reset"] = settings.limit_reset
        if settings.expires_in is not None:
            body["expires_at"] = format_instant((self._clock() + settings.expires_in) // SECOND * SECOND)
        answer = self._web.ask(CREATE, body=body)
        if not answer.good:
            raise self._web.refused(answer)
        made = self._web.decode(answer.body, _CREATED, hint=LOST)
        return Minted(made.data.hash, {"key": made.key}, parse_instant(made.data.created_at))

    def revoke(self, key_id: str) -> None:
        """Delete a key."""
        answer = self._web.ask(DELETE, at={"key": key_id})
        if not answer.good and answer.status != 404:
            raise self._web.refused(answer)

    def recognise(self, parts: Parts, keys: tuple[Key, ...] | None) -> str | None:
        """Tell by the value's hash, which is the key's id; else by its ends, if they fit one key only."""
        value = parts.get("key", "")
        digest = hashlib.sha256(value.encode()).hexdigest()
        listed = {key.id: self._ends.get(key.id) for key in keys or ()}
        return digest if digest in listed else only_fit(listed, value)

"""Keys that only a human can make: Anthropic's, OpenAI's user keys, and anything else with a web page.

    issuer:
      kind: manual
      provider: anthropic                # anthropic, openai, or other
      url: https://…                     # where keys are made; needed for `other`
      place: the workspace Production    # where there, in words for whoever does it
      key_variable: ANTHROPIC_ADMIN_KEY  # anthropic only, optional: an admin key of its Admin API
      retire: inactive                   # anthropic only: or archived, which is final
      part: key                          # what the value is called in store.fields
      endpoint: https://api.anthropic.com
      timeout: 30s

Whoever runs it is told the exact steps and gives the new value, at a hidden prompt or on stdin.

With an Anthropic admin key, keys are listed by name, a new value is checked against the ends that
Anthropic shows of it, and the old key is switched off without anybody going back to the web page.
Without one, nothing can be listed: the record of this rotation is what remembers which key is gone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.web import Web
from keyaudit.rotation.issuers import anthropic_keys as anthropic
from keyaudit.rotation.issuers.ends import fits, only_fit
from keyaudit.rotation.issuers.naming import key_name, token_of
from keyaudit.rotation.issuers.protocol import Minted
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Key
from keyaudit.sources.pulling.settings import Endpoint, Variable
from keyaudit.times import parse_instant

_PAGES: Mapping[str, tuple[str, str, str]] = {
    "anthropic": ("https://console.anthropic.com/settings/keys", "Create Key", "Disable API key"),
    "openai": ("https://platform.openai.com/api-keys", "Create new secret key", "Revoke key"),
}
"""The page, and what its buttons say."""

_VALUE = re.compile(r"[!-~]{8,10000}")
_VERSION = "version:"


class ManualSettings(PartySettings):
    """Checked settings."""

    kind: Literal["manual"]
    provider: Literal["anthropic", "openai", "other"]
    url: Annotated[str, Field(pattern=r"^https://[^\s@]+$")] | None = None
    place: Annotated[str, Field(max_length=200)] | None = None
    key_variable: Variable | None = None
    retire: Literal["inactive", "archived"] = "inactive"
    part: Annotated[str, Field(pattern=r"^[a-z_]{1,50}$")] = "key"
    endpoint: Endpoint = "https://api.anthropic.com"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.provider == "other" and self.url is None:
            raise ValueError("`provider: other` needs the url of the page where its keys are made")
        if self.provider != "anthropic" and self.key_variable is not None:
            raise ValueError("key_variable is for `provider: anthropic`, whose Admin API lists keys")
        return self


class Manual:
    """A human with a browser, and Anthropic's Admin API if there is a key for it."""

    kind = "manual"
    Settings = ManualSettings

    def __init__(self, settings: ManualSettings, means: Means, web: Web | None) -> None:
        self._settings, self._means, self._web = settings, means, web
        self._ends: dict[str, str | None] = {}
        self.whole = settings.part
        self.names_keys = web is not None
        self.lists_revoked = web is not None
        self.calls: Mapping[str, tuple[str, ...]] = {
            "keys": (anthropic.LIST,) if web else (),
            "mint": (anthropic.LIST, anthropic.UPDATE) if web else (),
            "revoke": (anthropic.UPDATE,) if web else (),
            "recognise": (),
        }

    @classmethod
    def opened(cls, settings: ManualSettings, means: Means) -> Self:
        """Open it; raises UsageError where an admin key is named and not set."""
        if settings.key_variable is None:
            return cls(settings, means, None)
        web = anthropic.admin_door(
            settings.endpoint,
            means.key(settings.key_variable).reveal(),
            (anthropic.LIST, anthropic.UPDATE),
            timeout=settings.timeout,
            variable=settings.key_variable,
        )
        return cls(settings, means, web)

    def keys(self) -> tuple[Key, ...] | None:
        """List the organization's keys, where that can be asked; None otherwise."""
        if self._web is None:
            return None
        listed = anthropic.listed_keys(self._web)
        self._ends = {key.id: key.partial_key_hint for key in listed}
        now = self._means.clock()
        return tuple(
            Key(
                id=key.id,
                active=key.status == "active"
                and (key.expires_at is None or parse_instant(key.expires_at) > now),
                token=token_of(key.name),
                created_at=parse_instant(key.created_at),
            )
            for key in listed
        )

    def mint(self, token: str, in_use: AbstractSet[str]) -> Minted:
        """Have a human make a key, and take its value."""
        name, part = key_name(token), self._settings.part
        given = self._asked(self._making(name), (part,))
        value = (given or {}).get(part, "")
        if not _VALUE.fullmatch(value):
            raise RotationError(
                "no key was given, or it has a space or a line break in it",
                hint=f"if a key named {name} was made, run it again and give its value, or revoke it",
            )
        if self._web is None:
            return Minted(name, {part: value})
        return Minted(self._found(self._web, name, value, in_use), {part: value})

    def _found(self, web: Web, name: str, value: str, in_use: AbstractSet[str]) -> str:
        """Give the id of the key that was made, by its ends; one with another name is given this one."""
        listed = [key for key in anthropic.listed_keys(web) if key.status == "active"]
        found = [key for key in listed if fits(key.partial_key_hint, value)]
        found = [key for key in found if key.name == name] or found
        if len(found) != 1:
            raise RotationError(
                "which of Anthropic's active keys the given value is, its ends do not tell"
                f" ({len(found)} have them)",
                hint=f"name the new key {name}, and give its value",
            )
        [key] = found
        if key.id in in_use or (token_of(key.name) and key.name != name):
            raise RotationError(
                "the value that was given is not that of a new key", hint="make a new one, as told"
            )
        if key.name != name:
            anthropic.update(web, key.id, {"name": name})
        return key.id

    def revoke(self, key_id: str) -> None:
        """Switch a key off, by Anthropic's Admin API or by the hand of a human who says that it is done."""
        if self._web is not None:
            anthropic.update(self._web, key_id, {"status": self._settings.retire})
            return
        if self._asked(self._revoking(key_id), ()) is None:
            raise RotationError(f"{_called(key_id)} is not revoked yet", hint="revoke it, then run it again")

    def recognise(self, parts: Parts, keys: tuple[Key, ...] | None) -> str | None:
        """Tell by the ends that Anthropic shows, if they fit one key only."""
        listed = {key.id: self._ends.get(key.id) for key in keys or ()}
        return only_fit(listed, parts.get(self._settings.part, ""))

    def _asked(self, text: str, parts: tuple[str, ...]) -> Parts | None:
        if self._means.ask is None:
            raise RotationError(
                "only a human can make or revoke this key, and none is here",
                hint="run it in a terminal, or give the new value on stdin",
            )
        return self._means.ask(text, parts)

    def _page(self) -> tuple[str, str, str]:
        page, make, end = _PAGES.get(self._settings.provider, ("", "Create", "Revoke"))
        return self._settings.url or page, make, end

    def _making(self, name: str) -> str:
        page, make, _ = self._page()
        where = f", in {self._settings.place}" if self._settings.place else ""
        return "\n".join(
            [
                "Make the new key by hand:",
                f"  1. Open {page}{where}.",
                f"  2. If a key named {name} is there, an earlier run lost its value: revoke it.",
                f"  3. “{make}”, with what the old key may do, and this name exactly: {name}",
                "  4. Copy its value: it is shown once. Leave the old key alone: it is still in use.",
                "Then give the value here. It is not shown, and goes to the store only.",
            ]
        )

    def _revoking(self, key_id: str) -> str:
        page, _, end = self._page()
        where = f", in {self._settings.place}" if self._settings.place else ""
        return "\n".join(
            [
                "Revoke a key by hand, for good:",
                f"  1. Open {page}{where}.",
                f"  2. Find {_called(key_id)}.",
                f"  3. “{end}”, for this key and no other.",
                "Then say that it is done.",
            ]
        )


def _called(key_id: str) -> str:
    """Say which key is meant, as a human can find it."""
    if key_id.startswith(_VERSION):
        version = key_id.removeprefix(_VERSION)
        return f"the key whose value is version {version} in the store (not one that begins with keyaudit-)"
    return f"the key named {key_id}"

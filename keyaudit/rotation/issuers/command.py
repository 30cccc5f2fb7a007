"""Keys that a program of your own makes: any provider, in any language.

    issuer:
      kind: command
      argv: [./rotate-acme-key]          # a list, never a shell; paths count from keyaudit.yaml's folder
      variables: [ACME_ADMIN_TOKEN]      # what it is given of the environment, beside PATH, HOME and LANG
      names_keys: true                   # false where keys cannot be named: then the record remembers
      whole: key                         # the part that a text without store.fields is
      timeout: 30s

It is run once for each request: one JSON object on stdin, one on stdout, exit code 0. Any other exit
code, or no JSON object, fails the step, and the next run looks before it goes on.

    {"op": "list"}                                 {"keys": [{"id": "k1", "active": true, "token": null,
                                                              "created_at": "2026-11-21T12:00:00Z"}]}
                                                   or {"keys": null} where keys cannot be listed
    {"op": "mint", "token": "…", "in_use": ["k1"]} {"id": "k2", "parts": {"key": "…"},
                                                    "created_at": "2026-11-21T12:00:00Z"}
                                                   or {"full": true} where no further key is allowed
    {"op": "revoke", "key_id": "k1"}               {}     a key that is gone already is success
    {"op": "recognise", "parts": {"key": "…"}, "keys": ["k1"]}
                                                   {"key_id": "k1"} or {"key_id": null}

`token` names the rotation: keep it with the key (its name, a tag), and give it back in `list`. It is
how a key is found again whose value was lost on the way. `mint` must not touch a key of `in_use`.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

import msgspec
from pydantic import Field

from keyaudit.errors import RotationError, SlotsFullError
from keyaudit.rotation.doors.command import CommandSettings, Program
from keyaudit.rotation.issuers.protocol import Minted
from keyaudit.rotation.party import Means
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Key
from keyaudit.times import parse_instant

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
_Answer = TypeVar("_Answer")


class CommandIssuerSettings(CommandSettings):
    """Checked settings."""

    kind: Literal["command"]
    names_keys: bool = True
    whole: Annotated[str, Field(pattern=r"^[a-z_]{1,50}$")] = "key"


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    id: _Text
    active: bool
    token: str | None = None
    created_at: str | None = None

    def key(self) -> Key:
        """Give it as a rotation sees it."""
        return Key(self.id, self.active, self.token, _instant(self.created_at))


class _List(msgspec.Struct, forbid_unknown_fields=True):
    keys: list[_Listed] | None


class _Made(msgspec.Struct, forbid_unknown_fields=True):
    id: _Text
    parts: dict[str, _Text]
    created_at: str | None = None


class _Recognised(msgspec.Struct, forbid_unknown_fields=True):
    key_id: _Text | None


class Command:
    """A program that lists, makes and revokes keys."""

    kind = "command"
    Settings = CommandIssuerSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "keys": ("list",),
        "mint": ("mint",),
        "revoke": ("revoke",),
        "recognise": ("recognise",),
    }

    def __init__(self, settings: CommandIssuerSettings, program: Program) -> None:
        self._program = program
        self.whole, self.names_keys = settings.whole, settings.names_keys

    @classmethod
    def opened(cls, settings: CommandIssuerSettings, means: Means) -> Self:
        """Open it; raises UsageError for a variable that is not set."""
        return cls(settings, Program(settings, means))

    def keys(self) -> tuple[Key, ...] | None:
        """List the keys, as far as the program can."""
        found = self._read("list", self._program.told({"op": "list"}), _List).keys
        try:
            return None if found is None else tuple(listed.key() for listed in found)
        except ValueError:
            raise self._unreadable("list") from None

    def mint(self, token: str, in_use: AbstractSet[str]) -> Minted:
        """Have the program make a key."""
        answer = self._program.told({"op": "mint", "token": token, "in_use": sorted(in_use)})
        if answer.get("full") is True:
            raise SlotsFullError(f"{self._program.name} says that no further key is allowed")
        made = self._read("mint", answer, _Made)
        try:
            created_at = _instant(made.created_at)
        except ValueError:
            created_at = None  # the key is made: what cannot be read of its age is no reason to lose it
        return Minted(made.id, made.parts, created_at)

    def revoke(self, key_id: str) -> None:
        """Have the program end a key."""
        self._program.told({"op": "revoke", "key_id": key_id})

    def recognise(self, parts: Parts, keys: tuple[Key, ...] | None) -> str | None:
        """Have the program say which key a value is; the value goes to its stdin."""
        if keys is None:
            return None
        ids = [key.id for key in keys]
        answer = self._program.told({"op": "recognise", "parts": dict(parts), "keys": ids})
        found = self._read("recognise", answer, _Recognised).key_id
        return found if found in ids else None

    def _read(self, op: str, answer: Mapping[str, Any], kind: type[_Answer]) -> _Answer:
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError:
            raise self._unreadable(op) from None

    def _unreadable(self, op: str) -> RotationError:
        return RotationError(f"{self._program.name} {op} answered with something else than was asked for")


def _instant(text: str | None) -> int | None:
    return None if text is None else parse_instant(text)

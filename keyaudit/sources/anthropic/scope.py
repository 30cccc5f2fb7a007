"""An organization: one list of keys, and what gives them names and a last use."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from keyaudit.columns import USE
from keyaudit.sources.anthropic.api import Anthropic, ApiKey
from keyaudit.sources.anthropic.rows import SOURCE, Names, creator_of, key_rows, person_of, workspace_of
from keyaudit.sources.anthropic.settings import AnthropicSettings
from keyaudit.sources.protocol import Clock
from keyaudit.sources.pulling.keys import NEVER_TOLD, KeyList
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import FATAL, Kind, RefusedError
from keyaudit.sources.pulling.scope import ScopePull

Connect = Callable[[Meter], Anthropic]
Told = TypeVar("Told")


def cannot_know(settings: AnthropicSettings) -> tuple[str, ...]:
    """Name the columns that Anthropic cannot fill, or was told not to be asked about."""
    return NEVER_TOLD if settings.last_use else tuple(sorted((*NEVER_TOLD, *USE)))


class OrganizationScope(ScopePull):
    """Lists the keys of an organization."""

    source = SOURCE

    def __init__(self, settings: AnthropicSettings, meter: Meter, connect: Connect, *, clock: Clock) -> None:
        """Nothing is asked before `run`."""
        super().__init__(settings.label, meter, cannot_know=cannot_know(settings))
        self._settings = settings
        self._connect = connect
        self._clock = clock

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        with closing(self._connect(self.meter)) as door:
            self._identify(door)
            keys: KeyList[ApiKey] = KeyList(self)
            refused: RefusedError | None = None
            try:
                keys.take(door.keys())
            except RefusedError as error:
                refused = error
            names = Names()
            if keys.entries and (refused is None or refused.refusal.kind not in FATAL):
                names = self._names(door, keys)
        for row in key_rows(keys.entries, names, scope=self.scope, whole=keys.whole):
            self.add(row)
        if refused is not None:
            raise refused

    def _identify(self, door: Anthropic) -> None:
        """Make sure of the organization, where the settings say which it must be."""
        wanted = self._settings.organization_id
        if wanted is not None and door.organization().id != wanted:
            raise RefusedError(Kind.OTHER, saying="the admin key belongs to another organization")

    def _names(self, door: Anthropic, keys: KeyList[ApiKey]) -> Names:
        """Ask for what the keys themselves do not tell; without it the list is no less complete."""
        names = Names()
        if any(workspace_of(entry) for entry in keys.entries):
            names.workspaces = self._told(door.workspaces, "the names of workspaces") or {}
        if any(person_of(entry) or creator_of(entry) for entry in keys.entries):
            names.people = self._told(door.people, "the addresses of people") or {}
        if self._settings.last_use:
            names.used = self._told(lambda: door.days_of_use(self._clock()), "last use") or {}
        return names

    def _told(self, ask: Callable[[], Told], what: str) -> Told | None:
        try:
            return ask()
        except RefusedError as error:
            self.remark(f"{what} could not be read: {error.refusal.reason}")
            return None

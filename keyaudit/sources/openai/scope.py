"""One project, or the organization's admin keys: list them all, then see which belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing

from keyaudit.sources.openai.api import AdminKey, OpenAi, Project, ProjectKey
from keyaudit.sources.openai.rows import ADMIN_SCOPE, SOURCE, admin_rows, project_rows
from keyaudit.sources.openai.settings import OpenAiSettings
from keyaudit.sources.protocol import Clock
from keyaudit.sources.pulling.keys import NEVER_TOLD, KeyList
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.scope import ScopePull

Connect = Callable[[Meter], OpenAi]


class ProjectScope(ScopePull):
    """Lists the keys of one project; `used` has days of use by key id."""

    source = SOURCE

    def __init__(
        self,
        project: Project,
        settings: OpenAiSettings,
        meter: Meter,
        connect: Connect,
        *,
        clock: Clock,
        used: Mapping[str, int],
    ) -> None:
        """Nothing is asked before `run`."""
        super().__init__(
            f"{settings.label}/{project.id}",
            meter,
            cannot_know=NEVER_TOLD,
            group=settings.label,
            declared=bool(settings.projects),
        )
        self._project = project
        self._clock = clock
        self._used = used
        self._connect = connect

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        keys: KeyList[ProjectKey] = KeyList(self)
        try:
            with closing(self._connect(self.meter)) as door:
                keys.take(door.project_keys(self._project.id))
        finally:
            rows = project_rows(
                keys.entries,
                self._project,
                scope=self.scope,
                now=self._clock(),
                used=self._used,
                whole=keys.whole,
            )
            for row in rows:
                self.add(row)


class AdminScope(ScopePull):
    """Lists the organization's admin keys: at least the one that asks, so an empty list is no whole one."""

    source = SOURCE

    def __init__(self, settings: OpenAiSettings, meter: Meter, connect: Connect, *, clock: Clock) -> None:
        """Nothing is asked before `run`."""
        super().__init__(f"{settings.label}/{ADMIN_SCOPE}", meter, cannot_know=NEVER_TOLD)
        self._clock = clock
        self._connect = connect

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        keys: KeyList[AdminKey] = KeyList(self)
        try:
            with closing(self._connect(self.meter)) as door:
                keys.take(door.admin_keys())
        finally:
            for row in admin_rows(keys.entries, scope=self.scope, now=self._clock()):
                self.add(row)

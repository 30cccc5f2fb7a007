"""OpenAI: every project of an organization, or those that were named, and its admin keys.

A pull of P projects costs one call for 100 projects, one for 100 keys of each of them, and one for
100 admin keys; `usage: true` costs one more.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field, replace

from keyaudit.inventory.rows import Credential
from keyaudit.model import Coverage, ScopeStatus
from keyaudit.sources.openai.api import OpenAi, Project
from keyaudit.sources.openai.rows import SOURCE
from keyaudit.sources.openai.scope import AdminScope, ProjectScope
from keyaudit.sources.openai.settings import OpenAiSettings
from keyaudit.sources.pulling.keys import COLUMNS, NEVER_TOLD
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.sources.pulling.source import Plan, PullingSource


@dataclass
class _Projects:
    """The projects that were found, and why there may be more."""

    found: dict[str, Project] = field(default_factory=dict)
    gap: str | None = None


class OpenAiSource(PullingSource[OpenAiSettings]):
    """The source that `kind: openai` configures."""

    kind = SOURCE
    Settings = OpenAiSettings

    def plan(self, pool: Executor) -> Plan:  # noqa: ARG002 - one list tells all
        """See `PullingSource.plan`. The quota is the organization's, so one pace serves all."""
        key, pace = self.key(self.settings.key_variable), self.pace()

        def connect(meter: Meter) -> OpenAi:
            return OpenAi(self.settings, key, meter)

        with closing(connect(Meter(pace))) as door:
            projects = self._projects(door)
            wanted = self._wanted(projects)
            used, note = self._days_of_use(door) if wanted else ({}, None)
        scopes: list[ScopePull] = [
            ProjectScope(project, self.settings, Meter(pace), connect, clock=self.clock, used=used)
            for project in wanted
        ]
        for remark in filter(None, (self._unnamed(projects), note)):
            for scope in scopes:
                scope.remark(remark)
        if self.settings.admin_keys:
            scopes.append(AdminScope(self.settings, Meter(pace), connect, clock=self.clock))
        return Plan(scopes, self._lost(projects))

    def columns(self, rows: Sequence[Credential]) -> frozenset[str]:  # noqa: ARG002 - nothing is labelled
        """See `PullingSource.columns`."""
        return COLUMNS

    def _projects(self, door: OpenAi) -> _Projects:
        """List the projects; where they were named, only for what they are called."""
        result = _Projects()
        unreadable = repeated = 0
        try:
            for page in door.projects(
                archived=self.settings.include_archived or bool(self.settings.projects)
            ):
                for project in page.entries:
                    repeated += project.id in result.found
                    result.found.setdefault(project.id, project)
                unreadable += page.unreadable
        except RefusedError as error:
            result.gap = error.refusal.reason
            return result
        if unreadable or repeated:
            result.gap = f"{unreadable + repeated:,} entries could not be read or were listed twice"
        return result

    def _wanted(self, projects: _Projects) -> list[Project]:
        if not self.settings.projects:
            return list(projects.found.values())
        return [projects.found.get(name) or Project(id=name) for name in self.settings.projects]

    def _unnamed(self, projects: _Projects) -> str | None:
        """Say why labels may be missing where the projects themselves are known."""
        if projects.gap is None or not self.settings.projects:
            return None
        return f"the project's name could not be read: {projects.gap}"

    def _lost(self, projects: _Projects) -> list[Coverage]:
        """Give the scope that stands for projects where none was found, or not all of them."""
        if self.settings.projects or (projects.found and projects.gap is None):
            return []
        every = f"{self.settings.label}/*"
        if projects.gap is None:
            none = self.failed(every, _no_project(self.settings), cannot_know=NEVER_TOLD)
            return [replace(none, status=ScopeStatus.EMPTY)]
        reason = f"the projects could not be listed: {projects.gap}"
        return [self.failed(every, reason, cannot_know=NEVER_TOLD)]

    def _days_of_use(self, door: OpenAi) -> tuple[dict[str, int], str | None]:
        if not self.settings.usage:
            return {}, None
        try:
            return door.days_of_use(self.clock()), None
        except RefusedError as error:
            return {}, f"last use is that of the list alone; the cost report: {error.refusal.reason}"


def _no_project(settings: OpenAiSettings) -> str:
    """Say why there is nothing where an organization has a project of its own from the start."""
    kind = "project" if settings.include_archived else "project that is not archived"
    return f"no {kind} was listed; an admin key of another organization sees none"

"""What the sources of Google Cloud share: one scope for each project that was named."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Executor
from typing import Any, ClassVar, Generic, TypeVar

from keyaudit.sources.gcp.caller import Caller, sign_in
from keyaudit.sources.gcp.clients import open_client
from keyaudit.sources.gcp.refusals import NotEnabledError
from keyaudit.sources.gcp.settings import GcpSettings
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.sources.pulling.source import Plan, PullingSource

Checked = TypeVar("Checked", bound=GcpSettings)


class ProjectScope(ScopePull):
    """Lists one project by `list_project`.

    Where `unused_when_off`, a project whose API is off is empty and says why: then nothing that the
    API keeps there can be used. Elsewhere, and where the refusal does not name the project that was
    asked about, nobody knows what is there.
    """

    unused_when_off: ClassVar[bool] = False

    def __init__(
        self, project: str, caller: Caller, settings: GcpSettings, pace: Pace, *, cannot_know: tuple[str, ...]
    ) -> None:
        """Nothing is asked before `run`."""
        super().__init__(f"projects/{project}", Meter(pace), cannot_know=cannot_know, group=project)
        self.project = project
        self._caller = caller
        self._connection = settings
        self._transports: list[Any] = []

    def asked_as(self) -> str | None:
        """See `ScopePull.asked_as`: a machine's credentials know whose they are once they were used."""
        return self._caller.email

    def client(self, client_class: Any, *, host: str | None = None) -> Any:
        """Make one of Google's clients for this scope; see `clients.open_client`."""
        client = open_client(client_class, self._caller, self._connection, self.meter, host=host)
        self._transports.append(client.transport)
        return client

    def closed(self) -> None:
        """See `ScopePull.closed`; whoever overrides this calls it too."""
        for transport in self._transports:
            transport.close()

    @abstractmethod
    def list_project(self) -> None:
        """List everything, as `ScopePull.collect` would."""

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        try:
            self.list_project()
        except NotEnabledError as error:
            reason = error.refusal.reason
            if self.project not in error.consumers:
                raise RefusedError(
                    Kind.NOT_ENABLED,
                    saying=f"{reason} in this project, or in the one that calls are charged to",
                ) from None
            if not self.unused_when_off or self.begun:
                raise RefusedError(Kind.NOT_ENABLED, saying=f"{reason} in this project") from None
            self.remark(f"{reason} in this project, so nothing in it is in use")
        except RefusedError as error:
            if error.refusal.kind is Kind.GONE and not self.begun:
                raise RefusedError(Kind.GONE, saying="no such project") from None
            raise

    @property
    def begun(self) -> bool:
        """Say whether a page of the list arrived."""
        return bool(self.rows) or self._pages > 0


class GcpSource(PullingSource[Checked], Generic[Checked]):
    """A source with a scope for every project.

    A subclass sets `kind` and `Settings`, and gives `scope_at` and `columns`.
    """

    @abstractmethod
    def scope_at(self, project: str, caller: Caller, pace: Pace) -> ScopePull:
        """Make the pull of one project; `pace` is that of whose quota its calls use."""

    def plan(self, pool: Executor) -> Plan:  # noqa: ARG002 - nothing is asked to find the scopes
        """See `PullingSource.plan`."""
        caller = sign_in(self.settings)
        self.identified_by(caller.identity)
        shared = self.pace() if caller.charged_to is not None else None
        return Plan(
            [self.scope_at(project, caller, shared or self.pace()) for project in self.settings.projects]
        )

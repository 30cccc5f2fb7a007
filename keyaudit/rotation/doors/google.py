"""What the parties of Google Cloud share: who asks, how, and what a refusal means.

    project: acme-prod
    impersonate: keyaudit-rotate@acme-prod.iam.gserviceaccount.com   # who asks, if not the caller
    quota_project: acme-audit       # whose quota the calls use, if not the project's own
    endpoint: 127.0.0.1:8085        # emulators only: no TLS, no credentials

Calls are named by the IAM permission that each needs. A refusal is its code: never Google's own words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any

from pydantic import BaseModel, ConfigDict

from keyaudit import __version__
from keyaudit.errors import RotationError, SourceError
from keyaudit.sources.gcp.caller import sign_in
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.gcp.settings import Emulator, GcpSettings, Project, ServiceAccount
from keyaudit.sources.pulling.refusals import clean
from keyaudit.times import SECOND

ALWAYS = frozenset({"RESOURCE_EXHAUSTED"})
"""Codes of calls that were not carried out, so that any may be made again."""
READING = ALWAYS | {"UNAVAILABLE", "INTERNAL", "UNKNOWN", "DEADLINE_EXCEEDED", "ABORTED"}
"""Codes after which a call that changes nothing may be made again."""
NEVER: frozenset[str] = frozenset()


class GoogleSettings(BaseModel):
    """Settings of who asks, and about which project. No setting holds a key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: Project
    impersonate: ServiceAccount | None = None
    quota_project: Project | None = None
    endpoint: Emulator | None = None

    def connection(self, timeout: int) -> GcpSettings:
        """Give the same as a source of the audit has it; `timeout` in microseconds."""
        return GcpSettings(
            name="rotation",
            projects=(self.project,),
            impersonate=None if self.endpoint else self.impersonate,
            quota_project=self.quota_project,
            endpoint=self.endpoint,
        ).model_copy(update={"timeout": timeout})


class GoogleError(Exception):
    """Google refused, or nobody knows what became of a call; `code` is gRPC's name of the reason."""

    def __init__(self, code: str, reason: str | None) -> None:
        """`reason` must come from `clean`."""
        self.code = code
        super().__init__(f"{code}, {reason}" if reason else code)


class Google:
    """Makes one of Google's clients when it is first needed, and calls it."""

    def __init__(self, settings: GoogleSettings, timeout: int) -> None:
        """`timeout` in microseconds: what one call may take, with all that is asked again."""
        self._settings, self._timeout = settings, timeout
        self._clients: dict[Any, Any] = {}

    def client(self, client_class: Any, host: str | None = None) -> Any:
        """Give a client; `host` if not the service's own. Raises RotationError without credentials."""
        if client_class not in self._clients:
            self._clients[client_class] = self._open(client_class, host)
        return self._clients[client_class]

    def call(self, method: Callable[..., Any], request: Any, *, again: Collection[str]) -> Any:
        """Call once, or again while the code is one of `again`; raises GoogleError."""
        exceptions = library("google.api_core.exceptions")
        seconds = self._timeout / SECOND
        retry = library("google.api_core.retry").Retry(
            predicate=lambda error: _code(error) in again, initial=0.3, maximum=8.0, timeout=seconds
        )
        try:
            return method(request, retry=retry if again else None, timeout=seconds)
        except exceptions.RetryError as error:
            cause = error.cause
        except exceptions.GoogleAPICallError as error:
            cause = error
        # Raised out here: the exception of the client quotes the server.
        raise GoogleError(_code(cause), clean(cause.reason) if getattr(cause, "reason", None) else None)

    def ask(
        self, method: Callable[..., Any], request: Any, *, needs: str, again: Collection[str] = READING
    ) -> Any:
        """Call as `call` does; raises RotationError, which names the permission that a denial asks for."""
        try:
            return self.call(method, request, again=again)
        except GoogleError as error:
            refused = error
        raise said(refused, needs)

    def _open(self, client_class: Any, host: str | None) -> Any:
        transport = client_class.get_transport_class("grpc")
        # At DEBUG it writes down whole requests and answers, values and all.
        logging.getLogger(transport.__module__).setLevel(logging.WARNING)
        if self._settings.endpoint is not None:
            options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
            channel = library("grpc").insecure_channel(self._settings.endpoint, options=options)
            return client_class(transport=transport(channel=channel))
        try:
            caller = sign_in(self._settings.connection(self._timeout))
        except SourceError as error:
            hint = error.hint
        else:
            info = library("google.api_core.gapic_v1.client_info").ClientInfo(
                user_agent=f"keyaudit/{__version__}"
            )
            where = {"api_endpoint": host} if host else {}
            return client_class(credentials=caller.credentials, client_options=where, client_info=info)
        raise RotationError("no Google credentials that can be used", hint=hint)


def said(error: GoogleError, needs: str) -> RotationError:
    """Say what a refusal means for whoever rotates."""
    if error.code == "PERMISSION_DENIED":
        return RotationError(f"Google: denied ({error})", hint=f"grant {needs}")
    if error.code in READING - ALWAYS:
        hint = "whether it was done is not known; run it again, which looks first"
        return RotationError(f"Google: no good answer ({error})", hint=hint)
    return RotationError(f"Google: refused ({error}), for which {needs} is needed")


def _code(error: Any) -> str:
    code = getattr(error, "grpc_status_code", None)
    return "UNKNOWN" if code is None else str(code.name)

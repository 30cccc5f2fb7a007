"""How Google is asked: who signs in, and one guarded, paced, retried channel for each scope.

    caller = sign_in(settings)
    client = open_client(library("google.cloud.iam_admin_v1").IAMClient, caller, settings, meter)
    ...
    client.transport.close()

Whatever retry and timeout a call through `client` names, the door decides: `attempts` and `timeout`
of the settings. A call raises RefusedError, StoppedError, OperationRefusedError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from keyaudit import __version__
from keyaudit.errors import SourceError
from keyaudit.sources.gcp.library import library
from keyaudit.sources.gcp.refusals import unsigned
from keyaudit.sources.gcp.settings import GcpSettings
from keyaudit.sources.pulling.meter import Meter

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""Secret Manager, IAM and Cloud Asset take no narrower one; the role narrows, not the token."""

_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
]
"""Pages may be larger than gRPC's 4 MB. Every attempt is ours to count. A scope has its own line, so
that one that breaks costs no other scope; it heals soon."""

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; `credentials` is None for an emulator, which wants none.

    `charged_to` is the project whose quota all calls use, None where each project's own is used.
    """

    credentials: Any | None
    charged_to: str | None = None

    def headers(self, method: str, timeout: float) -> Headers:
        """Give what authorises one call, renewed where needed; raises RefusedError."""
        if self.credentials is None:
            return ()
        headers: dict[str, str] = {}
        ask = partial(library("google.auth.transport.requests").Request(), timeout=timeout)
        try:
            self.credentials.before_request(ask, "POST", method, headers)
        except library("google.auth.exceptions").GoogleAuthError as error:
            raise unsigned(error) from None
        return tuple(headers.items())


def sign_in(settings: GcpSettings) -> Caller:
    """Find the caller's credentials without using them; raises SourceError if there are none."""
    if settings.endpoint is not None:
        return Caller(None, settings.quota_project)
    exceptions = library("google.auth.exceptions")
    try:
        found, _ = library("google.auth").default(scopes=[SCOPE], quota_project_id=settings.quota_project)
    except exceptions.GoogleAuthError as error:
        raise SourceError(
            f"source {settings.name}: no Google credentials that can be used ({type(error).__name__})",
            hint="run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS, "
            "or run where a service account or workload identity is attached",
        ) from None
    charged_to = getattr(found, "quota_project_id", None)
    if settings.impersonate is not None:
        found = library("google.auth.impersonated_credentials").Credentials(
            source_credentials=found,
            target_principal=settings.impersonate,
            target_scopes=[SCOPE],
            quota_project_id=charged_to,
        )
    return Caller(found, charged_to)


def open_client(
    client_class: Any, caller: Caller, settings: GcpSettings, meter: Meter, *, host: str | None = None
) -> Any:
    """Make one of Google's clients whose calls pass our door; `host` if not the service's own.

    Opens no connection yet. Close its `transport` when done.
    """
    grpc = library("grpc")
    from keyaudit.sources.gcp.door import Door

    name = host or client_class.DEFAULT_ENDPOINT
    if settings.endpoint is not None:
        plain = [*_OPTIONS, ("grpc.enable_http_proxy", 0)]
        line = grpc.insecure_channel(settings.endpoint, options=plain)
    else:
        line = grpc.secure_channel(f"{name}:443", grpc.ssl_channel_credentials(), options=_OPTIONS)
    channel = grpc.intercept_channel(line, Door(caller, settings, meter))
    info = library("google.api_core.gapic_v1.client_info").ClientInfo(user_agent=f"keyaudit/{__version__}")
    transport = client_class.get_transport_class("grpc")(host=name, channel=channel, client_info=info)
    return client_class(transport=transport)

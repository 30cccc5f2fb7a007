"""How Google is asked: one guarded, paced, retried channel for each scope.

    caller = sign_in(settings)
    client = open_client(library("google.cloud.iam_admin_v1").IAMClient, caller, settings, meter)
    ...
    client.transport.close()

Whatever retry and timeout a call through `client` names, the door decides: `attempts` and `timeout`
of the settings. A call raises RefusedError, StoppedError, OperationRefusedError.
"""

from __future__ import annotations

from typing import Any

from keyaudit import __version__
from keyaudit.sources.gcp.caller import Caller
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.gcp.settings import GcpSettings
from keyaudit.sources.pulling.meter import Meter

LARGEST_ANSWER = 256 * 1024 * 1024
"""Bytes. The largest page that we ask for, 2,500 secrets with 16 KiB of annotations each, has 40 MiB."""

_OPTIONS = [
    ("grpc.max_receive_message_length", LARGEST_ANSWER),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
]
"""Pages may be larger than gRPC's 4 MB. Every attempt is ours to count. A scope has its own line, so
that one that breaks costs no other scope; it heals soon."""


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

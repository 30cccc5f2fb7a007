"""A secret of Google Secret Manager with a key of a service account."""

from __future__ import annotations

import json
from typing import Any

import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request as AuthRequest
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)
from google.oauth2 import service_account

from rotation.parties import listed, opened
from rotation.worlds.world import Fetched, WholeSeconds, World
from servers.google_iam import GoogleIam
from servers.google_secret_manager import SecretManager
from servers.google_tokens import TokenEndpoint
from servers.grpc_server import GrpcServer

ACCOUNT = "worker@acme-prod.iam.gserviceaccount.com"
SECRET = "projects/424242/secrets/worker-key"


class Google(World):
    """Since when a version is served, the store does not say: no earlier than the answer can take (`timeout`)."""

    listed = ("gcp-secret-manager", "gcp-iam")
    refusals = (GoogleAPICallError, GoogleAuthError)

    def start(self) -> None:
        clock = WholeSeconds()
        self.iam, self.manager = (
            GoogleIam("acme-prod", clock=clock),
            SecretManager({"acme-prod": 424242}, clock=clock),
        )
        self.iam.add("acme-prod", "worker")
        self.server = self.stack.enter_context(GrpcServer({**self.iam.methods(), **self.manager.methods()}))
        self.stack.enter_context(TokenEndpoint(self.iam))
        self.where = {"project": "acme-prod", "endpoint": self.server.address}
        self._issuer = opened(
            "issuer", {"kind": "google-service-account", "account": ACCOUNT, **self.where}, clock=clock
        )
        with self.planted(clock):
            first = self._issuer.mint("none", frozenset())
            secret = self.manager.plant(
                "worker-key", project="acme-prod", created=clock(), value=first.parts["json"].encode()
            )
        secret.version_aliases["current"] = 1
        channel = grpc.insecure_channel(self.server.address)
        self._client = sm.SecretManagerServiceClient(
            transport=SecretManagerServiceGrpcTransport(channel=channel)
        )
        self.stack.callback(channel.close)

    def sources(self) -> list[dict[str, Any]]:
        where = {"projects": ["acme-prod"], "endpoint": self.server.address}
        return [
            {"name": "secrets", "kind": "gcp-secret-manager", "locations": "none", **where},
            {"name": "accounts", "kind": "gcp-iam", **where},
        ]

    def rotation(self) -> dict[str, Any]:
        return {
            "store": {"kind": "gcp-secret-manager", "secret": "worker-key", "timeout": "5s", **self.where},
            "issuer": {"kind": "google-service-account", "account": ACCOUNT, **self.where},
            "probe": {"kind": "google"},
        }

    def fetch(self) -> Fetched:
        answer = self._client.access_secret_version(name=f"{SECRET}/versions/current")
        info = json.loads(answer.payload.data)
        return Fetched(info["private_key_id"], info)

    def use(self, value: Any) -> None:
        service_account.Credentials.from_service_account_info(value, scopes=["any"]).refresh(AuthRequest())

    def live(self) -> list[str]:
        return [key.id for key in listed(self._issuer) if key.active]

    def deny_writes(self) -> None:
        self.server.deny(
            "GetSecret", "AccessSecretVersion", "AddSecretVersion", "UpdateSecret",
            "DisableSecretVersion", "DestroySecretVersion",
            "CreateServiceAccountKey", "DisableServiceAccountKey", "DeleteServiceAccountKey",
        )  # fmt: skip

    def allow_writes(self) -> None:
        self.server.deny()

"""How many calls a pull of 1,000 credentials makes, by source, against what the cost tables say it takes.

One line a source: `python -m bench.calls`. Servers and clients share the process, so no time is told.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keyaudit.sources import open_source
from keyaudit.times import DAY, HOUR, SECOND, format_instant
from servers import anthropic, openai, vault
from servers.google_assets import Assets
from servers.google_iam import GoogleIam
from servers.google_secret_manager import SecretManager
from servers.grpc_server import GrpcServer
from servers.iam import OWN, Iam, Key
from servers.kms import Kms
from servers.listing import listing_server
from servers.parameters import Parameters

THOUSAND = 1_000
NOW = int(time.time()) * SECOND
THEN = NOW - 40 * DAY


@contextmanager
def secrets_manager() -> Iterator[dict[str, Any]]:
    with listing_server(THOUSAND) as url:
        yield {"kind": "aws-secrets-manager", "regions": ["eu-west-1"], "endpoint_url": url}


@contextmanager
def users() -> Iterator[dict[str, Any]]:
    with Iam(NOW) as server:
        for number in range(THOUSAND):
            server.account(OWN).put(f"user{number}", THEN, Key(f"AKIA{number:016}", THEN, used=NOW - HOUR))
        yield {"kind": "aws-iam", "endpoint_url": server.url}


@contextmanager
def parameters() -> Iterator[dict[str, Any]]:
    with Parameters() as server:
        for number in range(THOUSAND):
            server.put(f"/app/{number}", changed=THEN, version=2)
        yield {"kind": "aws-ssm", "regions": ["eu-west-1"], "endpoint_url": server.url}


@contextmanager
def keys() -> Iterator[dict[str, Any]]:
    with Kms() as server:
        for number in range(THOUSAND):
            server.put(f"alias/app-{number}", created=THEN, rotated=[NOW - DAY], period=365)
        yield {"kind": "aws-kms", "tags": False, "regions": ["eu-west-1"], "endpoint_url": server.url}


def _google() -> SecretManager:
    secrets = SecretManager({"acme-prod": 424242})
    for number in range(THOUSAND):
        secret = secrets.plant(f"app-{number}", project="acme-prod", created=THEN, value=b"x")
        for _ in range(2):
            secrets.add_version(secret, created=NOW - DAY, value=b"x")
    return secrets


@contextmanager
def google_secrets() -> Iterator[dict[str, Any]]:
    with GrpcServer(_google().methods()) as server:
        yield {"kind": "gcp-secret-manager", "projects": ["acme-prod"], "endpoint": server.address}


@contextmanager
def google_assets() -> Iterator[dict[str, Any]]:
    assets = Assets(_google(), {"organizations/1": ["acme-prod"]}, now=NOW)
    with GrpcServer(assets.methods()) as server:
        yield {
            "kind": "gcp-secret-manager",
            "via": "asset-inventory",
            "parent": "organizations/1",
            "endpoint": server.address,
        }


@contextmanager
def google_accounts() -> Iterator[dict[str, Any]]:
    iam = GoogleIam("acme-prod")
    for number in range(THOUSAND):
        iam.put(iam.add("acme-prod", f"app-{number}"), f"key{number}", made=THEN)
    with GrpcServer(iam.methods()) as server:
        yield {"kind": "gcp-iam", "projects": ["acme-prod"], "endpoint": server.address}


@contextmanager
def _vault(**more: Any) -> Iterator[dict[str, Any]]:
    with vault.fleet(THOUSAND, folders=50, openbao=bool(more)) as server:
        yield {"kind": "vault", "address": server.url, "mounts": {"kv": ["secret"]}, **more}


@contextmanager
def openai_keys() -> Iterator[dict[str, Any]]:
    server = openai.OpenAi()
    for number in range(THOUSAND):
        server.put_key(f"proj_{number % 20}", f"key_{number}", created_at=THEN // SECOND)
    with server:
        yield {"kind": "openai", "endpoint": server.url}


@contextmanager
def anthropic_keys() -> Iterator[dict[str, Any]]:
    server = anthropic.Anthropic()
    for number in range(THOUSAND):
        server.put_key(f"apikey_{number}", created_at=format_instant(THEN))
    with server:
        yield {"kind": "anthropic", "endpoint": server.url}


PLANS: dict[str, tuple[Callable[[], Any], int, str]] = {
    "aws-secrets-manager": (secrets_manager, 1_010, "N/100 lists, one a secret"),
    "aws-iam": (users, 1_003, "the report, one a user with keys"),
    "aws-ssm": (parameters, 20, "N/50 lists"),
    "aws-kms": (keys, 3_011, "N/1000 keys, N/100 aliases, three a key; `tags` one more"),
    "gcp-secret-manager": (google_secrets, 1_001, "one list, one a secret"),
    "gcp-secret-manager in bulk": (google_assets, 5, "(secrets + versions + projects)/1000"),
    "gcp-iam": (google_accounts, 1_010, "N/100 lists, one an account"),
    "vault, 50 folders": (_vault, 1_051, "one a folder, one a secret"),
    "vault in bulk (OpenBao)": (lambda: _vault(scan=True), 2, "N/1000"),
    "openai, 20 projects": (openai_keys, 21, "one a project and 100 keys"),
    "anthropic": (anthropic_keys, 2, "N/1000, and the use report"),
}
"""By source: what plants it, the calls that its cost table allows, and why."""


def main() -> None:
    """Pull each and print calls against the plan; identity and account lists come on top."""
    environment = {
        **os.environ,
        "VAULT_TOKEN": vault.ROOT,
        "OPENAI_ADMIN_KEY": openai.KEY,
        "ANTHROPIC_ADMIN_KEY": anthropic.KEY,
    }
    for label, (plant, planned, why) in PLANS.items():
        with plant() as entry:
            settled = {"name": "bench", "requests_per_second": 100_000, "cache": False, **entry}
            pulled = open_source(settled, clock=lambda: NOW, environment=environment).pull(lambda _: None)
        calls = sum(scope.calls or 0 for scope in pulled.coverage)
        if len(pulled.rows) != THOUSAND:
            raise SystemExit(f"{label}: {len(pulled.rows)} of {THOUSAND} credentials")
        ratio = calls / planned
        sys.stdout.write(f"{label:44} {calls:8,} {planned:10,} {ratio:7.2f}x   calls a thousand: {why}\n")


if __name__ == "__main__":
    main()

"""What a rotation asks for, an audit is not granted: by the policies that are printed, and by servers that deny it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml

from keyaudit.rotation.issuers import ISSUERS
from keyaudit.rotation.silences import SILENCES
from keyaudit.rotation.stores import STORES
from keyaudit.sources import SOURCES, least_privilege
from rotation.parties import opened
from servers.__main__ import EXAMPLE, lay_out
from servers.admin_api import AdminApi
from servers.aws_front import AwsServer
from servers.estate import FAILS, JUDGED, TOKEN, UNSEEN, Estate
from servers.grpc_server import GrpcServer
from servers.vault import VaultServer
from servers.vault_policy import allows, parse

AWS = {"region": "eu-west-1"}
GOOGLE = {"project": "acme-prod"}
VAULT = {"address": "http://127.0.0.1:8200", "cluster": "test", "token_variable": "KEY"}
PROGRAM = {"argv": ["program"]}
KEY = {"key_variable": "KEY"}
PARTIES: dict[tuple[str, str], dict[str, Any]] = {
    ("store", "aws-secrets-manager"): {"secret": "prod/openai", **AWS},
    ("store", "dotenv"): {"path": ".env", "variable": "DEMO_KEY"},
    ("store", "gcp-secret-manager"): {"secret": "openai", "destroy": True, **GOOGLE},
    ("store", "vault-kv"): {"path": "app/db", "field": "key", **VAULT},
    ("issuer", "aws-iam"): {"user": "deployer"},
    ("issuer", "command"): PROGRAM,
    ("issuer", "google-service-account"): {"account": "a@acme-prod.iam.gserviceaccount.com", **GOOGLE},
    ("issuer", "manual"): {"provider": "anthropic"},
    ("issuer", "openai"): {"project": "proj_web", "service_account": "svc_web", **KEY},
    ("issuer", "openrouter"): KEY,
    ("issuer", "vault-database"): {"roles": ["app-blue", "app-green"], **VAULT},
    ("silence", "access-log"): {"path": "access.ndjson"},
    ("silence", "anthropic"): KEY,
    ("silence", "aws-iam"): {},
    ("silence", "aws-secrets-manager"): {"secret": "prod/openai", **AWS},
    ("silence", "google-service-account"): GOOGLE,
    ("silence", "openai"): {"project": "proj_web", "costs": True, **KEY},
    ("silence", "openrouter"): KEY,
}
"""Whoever is asked with a key that can manage others; a probe has nothing but the value that it tries."""
TABLES = {"store": STORES, "issuer": ISSUERS, "silence": SILENCES}

AWS_LISTS = {"secretsmanager:ListSecretVersionIds", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"}
AWS_LOOKS = {"secretsmanager:DescribeSecret"}
"""Neither granted to an audit nor denied: it shows no value."""
GOOGLE_LISTS = {
    "secretmanager.versions.list",
    "iam.serviceAccountKeys.list",
    "monitoring.timeSeries.list",
}
VAULT_READS = {
    "read secret/metadata/app/db",
    "read secret/metadata/app/db.keyaudit/pending",
    "read database/static-roles/app-blue",
    "read database/static-roles/app-green",
}


def asked_for(*services: str) -> set[str]:
    """Give all that any party may ask for, of what begins with one of these."""
    found: set[str] = set()
    for (role, kind), settings in PARTIES.items():
        party = opened(role, {"kind": kind, **settings}, environment={"KEY": "nobody"})
        found |= {call for calls in party.calls.values() for call in calls}
    return {call for call in found if call.startswith(services)}


def statements(kind: str) -> dict[str, list[str]]:
    document = json.loads(least_privilege(kind, []))
    return {each["Effect"]: each["Action"] for each in document["Statement"]}


def test_every_party_is_looked_at() -> None:
    assert set(PARTIES) == {(role, kind) for role, table in TABLES.items() for kind in table}


def test_of_aws_an_audit_is_granted_the_lists_and_denied_what_changes() -> None:
    every = [statements(kind) for kind in SOURCES if kind.startswith("aws-")]
    granted = {action for each in every for action in each["Allow"]}
    denied = {action for each in every for action in each["Deny"]}
    needed = asked_for("secretsmanager:", "iam:")
    assert needed & granted == AWS_LISTS
    kept_out = {action for action in needed if any(fnmatchcase(action, pattern) for pattern in denied)}
    assert kept_out == needed - AWS_LISTS - AWS_LOOKS
    assert {
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "iam:CreateAccessKey",
    } <= kept_out


def test_of_google_an_audit_is_granted_the_lists_alone() -> None:
    roles = [yaml.safe_load(least_privilege(kind, [])) for kind in SOURCES if kind.startswith("gcp-")]
    granted = {each for role in roles for each in role["includedPermissions"]}
    needed = asked_for("secretmanager.", "iam.", "monitoring.")
    assert needed & granted == GOOGLE_LISTS
    assert {"secretmanager.versions.access", "iam.serviceAccountKeys.create"} <= needed - granted


def test_of_vault_an_audit_is_granted_what_is_no_value() -> None:
    policy = parse(least_privilege("vault", []))
    needed = asked_for("read ", "create ", "update ", "patch ", "list ")
    assert {call for call in needed if allows(policy, *call.split(" ", 1))} == VAULT_READS
    assert "update secret/data/app/db" in needed


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_of_ai_providers_an_audit_sends_nothing_but_reads(kind: str) -> None:
    said = re.findall(r"^ +([A-Z]+) https://\S+$", least_privilege(kind, []), re.MULTILINE)
    assert set(said) == {"GET"}
    assert asked_for("POST ", "DELETE ", "PATCH ")


class Locked(Estate):
    """Every server denies what the printed policies deny, or do not grant."""

    def __init__(self) -> None:
        self.servers: list[Any] = []
        super().__init__()

    def _start(self, server: Any) -> Any:
        self.servers.append(server)
        if isinstance(server, AwsServer):
            server.deny(*DENIED_BY_AWS)
        elif isinstance(server, GrpcServer):
            server.deny(*(each.rpartition("/")[2] for each in server._methods if "/List" not in each))
        elif isinstance(server, AdminApi):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                server.deny(method, ".*")
        elif isinstance(server, VaultServer):
            entries = yaml.safe_load((EXAMPLE / "keyaudit.yaml").read_text("utf-8"))["sources"]
            listed = [entry for entry in entries if entry["kind"] == "vault"]
            server.token(TOKEN, least_privilege("vault", listed))
        return super()._start(server)

    def heard(self) -> set[str]:
        """Give what was asked of AWS and Google, and with which verbs of the others."""
        found: set[str] = set()
        for server in self.servers:
            if isinstance(server, AwsServer):
                found |= {call.operation for call in server.calls}
            elif isinstance(server, GrpcServer):
                found |= set(server.calls)
            elif isinstance(server, AdminApi):
                found |= {call.method for call in server.calls}
            elif isinstance(server, VaultServer):
                found |= {each.verb for each in server.log}
        return found


def denied_by_aws() -> set[str]:
    session = botocore.session.get_session()
    found = set()
    for kind, service in (
        ("secrets-manager", "secretsmanager"),
        ("iam", "iam"),
        ("ssm", "ssm"),
        ("kms", "kms"),
    ):
        patterns = statements(f"aws-{kind}")["Deny"]
        names = session.get_service_model(service).operation_names
        found |= {
            name for name in names if any(fnmatchcase(f"{service}:{name}", pattern) for pattern in patterns)
        }
    return found


DENIED_BY_AWS = denied_by_aws()


def test_a_scan_of_every_source_is_complete_where_every_change_and_every_value_is_denied(
    tmp_path: Path,
) -> None:
    with Locked() as acme:
        lay_out(acme, tmp_path)
        done = subprocess.run(
            [sys.executable, "-m", "keyaudit", "scan", "--format", "json"],
            check=False,
            cwd=tmp_path,
            env={**acme.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            capture_output=True,
            timeout=120,
        )
        heard = acme.heard()
    assert done.returncode == 1, done.stderr.decode()
    report = json.loads(done.stdout)
    seen = {(each["source"], each["scope"]): each["status"] for each in report["coverage"]}
    assert {scope: status for scope, status in seen.items() if status not in {"complete", "empty"}} == UNSEEN
    found: dict[str, set[str]] = {each["name"]: set() for each in report["population"]}
    for each in report["findings"]:
        if each["verdict"] == "fail" and each["name"] in JUDGED:
            found[each["credential"]["name"]].add(each["name"])
    assert found == FAILS
    assert {"PutSecretValue", "CreateAccessKey", "PutParameter", "ScheduleKeyDeletion"} <= DENIED_BY_AWS
    assert {"ListSecrets", "GetCredentialReport", "ListServiceAccountKeys", "GET", "LIST"} <= heard
    changes = re.compile(
        r"POST|PUT|PATCH|DELETE|(Create|Put|Update|Delete|Add|Disable|Destroy|Tag|Access)[A-Z].*"
    )
    assert {each for each in heard if each in DENIED_BY_AWS or changes.fullmatch(each)} == set()

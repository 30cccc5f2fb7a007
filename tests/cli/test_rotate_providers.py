"""What a dry run prints is what the run that follows asks of OpenAI and of AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from keyaudit.times import DAY, SECOND
from rotation.aws_clients import REGION, client, signs_by_itself
from servers.iam import OWN, Iam
from servers.iam_keys import Key
from servers.openai import KEY, OpenAi, service_account
from servers.secrets_manager import SecretsManager
from servers.sts import Sts

START = 1_767_225_600 * SECOND


def configure(folder: Path, entry: dict[str, Any]) -> None:
    document = {"rotations": [{"name": "demo", "environment": "production", **entry}]}
    (folder / "keyaudit.yaml").write_text(json.dumps(document))


def printed(done: Any) -> list[str]:
    assert b"CANARY" not in done.stdout + done.stderr
    return [line.strip() for line in done.stdout.decode().splitlines() if line.startswith(" " * 8)]


def is_of(template: str, request: str) -> bool:
    """Say whether a request is what a call is called: `{project}` stands for any project."""
    parts = re.split(r"\{\w+\}", template)
    return re.fullmatch("[^/]+".join(map(re.escape, parts)), request) is not None


def assert_alike(templates: Sequence[str], requests: Sequence[str]) -> None:
    pairs = list(zip(templates, requests, strict=False))
    assert [pair for pair in pairs if not is_of(*pair)] == []
    assert len(templates) == len(requests)


def test_openai_is_asked_what_was_printed(command, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-svcacct-CANARY-old\n")
    with OpenAi() as server:
        server.put_key(
            "proj_web",
            "key_old",
            created_at=1_700_000_000,
            owner=service_account("web"),
            value="sk-svcacct-CANARY-old",
            redacted_value="sk-svcacct-...old",
        )
        project = {"kind": "openai", "project": "proj_web", "endpoint": server.url}
        configure(
            tmp_path,
            {
                "store": {"kind": "dotenv", "path": ".env", "variable": "OPENAI_API_KEY"},
                "issuer": {**project, "service_account": "svc_acct_web"},
                "probe": {"kind": "openai", "endpoint": server.url},
            },
        )
        rehearsed = command("rotate", "run", "demo", "--confirm-silent", "--dry-run")
        assert {call.method for call in server.calls} == {"GET"}, "nothing is made for it"
        server.calls.clear()
        ran = command("rotate", "run", "demo", "--confirm-silent", "--yes")
        assert ran.returncode == rehearsed.returncode == 0, ran.stderr
        requests = [f"{call.method} {call.path.partition('?')[0]}" for call in server.calls]
        assert_alike(printed(rehearsed), requests)
        assert "key_old" not in server.issued.live()


class Aws:
    def __init__(self, iam: Iam, secrets: SecretsManager, sts: Sts) -> None:
        self.servers = {"secretsmanager": secrets, "iam": iam, "sts": sts}
        self.user = iam.account(OWN).put("deployer", START, Key("AKIAFIRSTFIRSTFIRST0", START))
        value = {"ID": self.user.keys[0].id, "SECRET": self.user.keys[0].secret}
        client("secretsmanager", secrets.url, iam.admin).create_secret(
            Name="prod/deployer", SecretString=json.dumps(value)
        )
        store = {"kind": "aws-secrets-manager", "secret": "prod/deployer", "region": REGION}
        fields = {"access_key_id": "ID", "secret_access_key": "SECRET"}
        self.entry = {
            "store": {**store, "endpoint_url": secrets.url, "fields": fields},
            "issuer": {"kind": "aws-iam", "user": "deployer", "endpoint_url": iam.url},
            "probe": {"kind": "aws-sts", "endpoint_url": sts.url},
        }

    def asked(self) -> dict[str, list[str]]:
        """Give what each service was asked since this was asked last."""
        found = {name: [call.operation for call in server.calls] for name, server in self.servers.items()}
        for server in self.servers.values():
            server.calls.clear()
        return found


@pytest.fixture
def aws(monkeypatch):
    with Iam(START + 30 * DAY, strict=True) as iam:
        signs_by_itself(monkeypatch, iam.admin)
        with SecretsManager(iam=iam) as secrets, Sts(iam) as sts:
            yield Aws(iam, secrets, sts)


@pytest.mark.parametrize(
    ("way", "options", "before"),
    [
        ("run", ["--confirm-silent"], []),
        ("run", ["--confirm-silent"], ["promote"]),
        ("rollback", ["--confirm-silent"], ["promote"]),
        ("emergency", ["--key-id", "AKIAFIRSTFIRSTFIRST0"], []),
    ],
)
def test_aws_is_asked_what_was_printed(aws: Aws, way, options, before, command, tmp_path) -> None:
    configure(tmp_path, aws.entry)
    for step in before:
        assert command("rotate", "begin", "demo").returncode == 0
        assert command("rotate", step, "demo").returncode == 0
    aws.asked()
    rehearsed = command("rotate", way, "demo", *options, "--dry-run")
    looks = {name for names in aws.asked().values() for name in names}
    assert {name for name in looks if not name.startswith(("Describe", "List", "Get"))} == set()
    ran = command("rotate", way, "demo", *options, "--yes")
    assert ran.returncode == rehearsed.returncode == 0, ran.stderr.decode()
    lines = [line.partition(":") for line in printed(rehearsed)]
    for service, operations in aws.asked().items():
        told = [name for where, _, name in lines if where == service]
        assert {*operations} == {*told}, service
        # One method may look several times, or set several labels; what makes or ends a key is exact.
        once = ("CreateAccessKey", "DeleteAccessKey", "PutSecretValue", "GetCallerIdentity")
        counted = [[names.count(name) for name in once] for names in (operations, told)]
        assert counted[0] == counted[1], service
    assert len([key for key in aws.user.keys if key.status == "Active"]) == 1

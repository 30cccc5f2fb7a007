"""`scan --source`: a live listing through the real program, over a real boto3, from a local server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.aws_dialect import AwsJson
from servers.fault_proxy import Fault, FaultProxy
from servers.secrets_manager import SecretsManager

DAY = 86_400
NOBODY = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "nobody",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
STORE, SCOPE = "aws-secrets-manager", "111122223333/eu-west-1"


@pytest.fixture
def store() -> Iterator[SecretsManager]:
    """One secret that was rotated yesterday and one that never was."""
    now = int(time.time())
    with SecretsManager() as server:
        tags = [{"Key": "environment", "Value": "production"}, {"Key": "owner", "Value": "ann"}]
        fresh = [
            {"VersionId": "b", "VersionStages": ["AWSCURRENT"], "CreatedDate": now - DAY},
            {"VersionId": "a", "CreatedDate": now - 30 * DAY},
        ]
        stale = [{"VersionId": "a", "VersionStages": ["AWSCURRENT"], "CreatedDate": now - 400 * DAY}]
        server.put("fresh", fresh, CreatedDate=now - 30 * DAY, LastChangedDate=now - DAY, Tags=tags)
        server.put("stale", stale, CreatedDate=now - 400 * DAY, LastChangedDate=now - 400 * DAY, Tags=tags)
        yield server


def configure(folder: Path, url: str, *, inventory: str = "") -> None:
    (folder / "keyaudit.yaml").write_text(
        f"{inventory}"
        "sources:\n"
        f"  - {{name: production, kind: {STORE}, regions: [eu-west-1], endpoint_url: '{url}', attempts: 2}}\n"
    )


def test_a_source_is_listed_judged_and_told_about_on_stderr(store, keyaudit, tmp_path) -> None:
    configure(tmp_path, store.url)
    done = keyaudit("scan", "--source", "production", "--format", "json", **NOBODY)
    assert done.returncode == 1, done.stderr.decode()
    report = json.loads(done.stdout)
    (scope,) = report["coverage"]
    assert (scope["source"], scope["scope"], scope["status"]) == (STORE, SCOPE, "complete")
    about = [finding for finding in report["findings"] if finding["credential"]]
    found = {(finding["rule"], finding["credential"]["name"]) for finding in about}
    assert ("KA102", "stale") in found
    assert ("KA102", "fresh") not in found
    said = done.stderr.decode()
    assert f"{STORE} {SCOPE}: complete, 2 credentials" in said
    assert "nobody" not in said


def test_a_bare_scan_takes_documents_and_sources_together(store, keyaudit, tmp_path) -> None:
    (tmp_path / "own.yaml").write_text(
        "schema: keyaudit/inventory/1\ncredentials:\n"
        "  - {source: hand, scope: acme, id: groq, name: groq, environment: production, owner: ben,"
        " created_at: 2020-01-01T00:00:00Z, versions: [{id: '1', state: current, created_at: 2020-01-01T00:00:00Z}]}\n"
    )
    configure(tmp_path, store.url, inventory="inventory: [own.yaml]\n")
    done = keyaudit("scan", "--format", "json", **NOBODY)
    report = json.loads(done.stdout)
    assert report["inventory"]["credentials"] == 3
    assert {
        finding["credential"]["name"] for finding in report["findings"] if finding["rule"] == "KA102"
    } == {
        "groq",
        "stale",
    }


def test_what_was_denied_is_3_and_on_page_one(store, keyaudit, tmp_path) -> None:
    with FaultProxy(store.url, AwsJson("SecretList")) as proxy:
        proxy.plan(Fault("denied", "ListSecrets"))
        configure(tmp_path, proxy.url)
        done = keyaudit("scan", "--source", "production", **NOBODY)
    assert done.returncode == 3, done.stderr.decode()
    assert SCOPE in done.stdout.decode()
    assert f"{SCOPE}: failed" in done.stderr.decode()


def test_a_source_that_cannot_start_is_2(keyaudit, tmp_path) -> None:
    configure(tmp_path, "http://127.0.0.1:9")
    file = tmp_path / "keyaudit.yaml"
    file.write_text(file.read_text().replace("attempts: 2", "profile: nobodys"))
    done = keyaudit("scan", "--source", "production", **NOBODY)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"nobodys" in done.stderr
    assert b"Traceback" not in done.stderr

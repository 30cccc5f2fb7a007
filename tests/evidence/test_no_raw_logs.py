"""Audit logs that hold values: no byte of one reaches a bundle, a report in any format, or the screen."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pikepdf
import pytest

from history.logs.exports import ACCOUNT, ARN, CANARY, REGION, put, trail, written
from history.logs.test_vault import line, write
from keyaudit.evidence import layout, recipe
from keyaudit.evidence.replay import remade
from keyaudit.formats import FORMATS

SCAN = (
    "scan",
    "--as-of",
    "2026-07-01T00:00:00Z",
    "--period",
    "2026-01-01/2026-06-30",
    "--inventory",
    "i.json",
)
PERSON = {"userName": "ann.smith", "sourceIPAddress": "198.51.100.7", "userAgent": "canary-agent"}
GOOGLE_SECRET = "projects/acme/secrets/db"
LEAVES = (CANARY, "198.51.100.7", "ann.smith", "canary-agent", "hmac-sha256")


def google() -> dict[str, Any]:
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    return {
        "insertId": "g1",
        "logName": "projects/acme/logs/cloudaudit.googleapis.com%2Factivity",
        "timestamp": "2026-03-01T10:00:00.123456789Z",
        "protoPayload": {
            "methodName": f"{service}.AddSecretVersion",
            "authenticationInfo": {"principalEmail": "ann.smith"},
            "requestMetadata": {"callerIp": "198.51.100.7", "callerSuppliedUserAgent": "canary-agent"},
            "request": {"parent": "projects/42/secrets/db", "payload": {"data": CANARY}, "note": CANARY},
            "response": {"name": "projects/42/secrets/db/versions/2", "extra": CANARY},
        },
        "resource": {"labels": {"project_id": "acme", "note": CANARY}},
    }


def vault() -> list[dict[str, Any]]:
    """Give entries of a device with `log_raw`: values stand in them as they were sent and answered."""
    raw = {"data": {"data": {"password": CANARY}, "options": {CANARY: CANARY}}}
    auth = {
        "client_token": CANARY,
        "accessor": CANARY,
        "display_name": "ann.smith",
        "metadata": {"x": CANARY},
    }
    fields = {"auth": auth, "error": ""}
    read = line("read", "kv/data/team/db", day=2, answer={"data": {"password": CANARY}, "version": 2})
    made = write(2, day=3) | fields
    made["request"] |= {"data": raw["data"], "client_token": CANARY, "headers": {"x": [CANARY]}}
    made["response"]["data"]["custom_metadata"] = {"note": CANARY}
    failed = write(CANARY, day=4) | {"error": CANARY}
    unsaid = write(CANARY, day=5)
    return [read, made, failed, unsaid]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "audit"
    (folder / "logs").mkdir(parents=True)
    asked = {"secretBinary": CANARY, "description": CANARY, "tags": [{"key": CANARY, "value": CANARY}]}
    moved = trail(
        "UpdateSecretVersionStage",
        requestParameters={
            "secretId": ARN,
            "versionStage": "AWSCURRENT",
            "moveToVersionId": "v1",
            "x": CANARY,
        },
        errorMessage=CANARY,
        tlsDetails={"x": CANARY},
        id="moved",
        **PERSON,
    )
    written(folder / "logs", [put("v2", at="2026-05-01T00:00:00Z", **asked) | PERSON, moved], "trail.json")
    written(folder / "logs", [google()], "google.ndjson")
    written(folder / "logs", vault(), "vault.log")
    (folder / "logs" / "torn.json").write_text(f'{{"Records": [{{"eventSource": "{CANARY}')
    rows = (
        ("aws-secrets-manager", f"{ACCOUNT}/{REGION}", ARN, "prod/db", ("v2", "v1")),
        ("gcp-secret-manager", "projects/acme", GOOGLE_SECRET, "db", ("2", "1")),
        ("vault", "vault.acme.example/kv", "kv/team/db", "team/db", ("2", "1")),
    )
    document = {
        "schema": "keyaudit/inventory/1",
        "collected_at": "2026-07-01T00:00:00Z",
        "coverage": [{"source": of, "scope": scope, "status": "complete"} for of, scope, *_ in rows],
        "credentials": [
            {
                "source": of, "scope": scope, "id": id_, "name": name, "class": "api-key",
                "created_at": "2025-12-01T00:00:00Z", "environment": "production",
                "versions": [{"id": new, "state": "current"}, {"id": old, "state": "superseded"}],
            }
            for of, scope, id_, name, (new, old) in rows
        ],
    }  # fmt: skip
    (folder / "i.json").write_text(json.dumps(document))
    return folder


def leaked(content: bytes) -> list[str]:
    return [each for each in LEAVES if each.encode() in content]


def test_nothing_of_a_log_but_ids_and_instants_is_in_a_bundle_or_a_report_or_on_the_screen(
    folder: Path, command: Callable[..., Any]
) -> None:
    raw = b"".join(each.read_bytes() for each in (folder / "logs").iterdir())
    assert leaked(raw) == list(LEAVES)
    formats = [word for name in FORMATS for word in ("--format", name)]
    target = folder.parent / "bundle"
    done = command(
        *SCAN, "--audit-log", "logs", *formats, "--output", "out", "--bundle", target, "--sample", "2", "--seed", "x",
        "--security-hub", f"{ACCOUNT}/{REGION}", "--anchor", "policy.yaml", cwd=folder,
    )  # fmt: skip
    assert done.returncode in {1, 3}, done.stderr.decode()
    made = {path for top in (target, folder / "out") for path in top.rglob("*") if path.is_file()}
    assert len(made) >= 2 * len(FORMATS)
    kept = {path: unpacked(path) for path in made}
    assert {path.name: leaked(content) for path, content in kept.items() if leaked(content)} == {}
    assert leaked(done.stdout + done.stderr) == []
    report = json.loads((target / "report.json").read_bytes())
    based = [e["basis"] for row in report["ledger"]["credentials"] for e in row["entries"]]
    assert based.count("audit-log") == 3, "each of the three logs told something"


def unpacked(path: Path) -> bytes:
    """Give what stands in a file, whatever packs it."""
    if path.suffix == ".xlsx":
        with ZipFile(path) as book:
            return b"".join(map(book.read, book.namelist()))
    if path.suffix == ".pdf":
        with pikepdf.open(path) as paper:
            paper.save(
                plain := BytesIO(),
                stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
                compress_streams=False,
            )
            return plain.getvalue() + read_aloud(path)
    return path.read_bytes()


def read_aloud(paper: Path) -> bytes:
    """Give the words of a PDF, where poppler-utils are there to read them."""
    if shutil.which("pdftotext") is None:
        return b""
    return subprocess.run(["pdftotext", paper, "-"], capture_output=True, check=True).stdout


def bundled(folder: Path, command: Callable[..., Any], name: str, *logs: Path | str) -> Path:
    target = folder.parent / name
    given = [word for log in logs for word in ("--audit-log", log)]
    formats = ("--format", "html", "--format", "ledger")
    done = command(*SCAN, *given, *formats, "--output", f"out-{name}", "--bundle", target, cwd=folder)
    assert done.returncode in {1, 3}, done.stderr.decode()
    return target


def test_a_bundle_comes_to_the_same_without_its_logs_and_so_does_a_scan_of_what_it_has_of_them(
    folder: Path, command: Callable[..., Any]
) -> None:
    target = bundled(folder, command, "first", "logs")
    asked = recipe.read((target / layout.RECIPE).read_bytes(), layout.RECIPE)
    assert asked.audit_logs is not None
    assert asked.audit_logs.path == "inputs/audit-log-entries.ndjson"
    (folder / "logs").rename(folder / "gone")
    report, again = remade(target, asked)
    assert again == {name: (target / name).read_bytes() for name in again}
    assert report.ledger is not None
    assert report.ledger.history is not None
    problems = {Path(each.file).name: each.problem for each in report.ledger.history.files}
    assert problems == {
        "google.ndjson": None, "torn.json": "is no JSON, or was cut off", "trail.json": None, "vault.log": None,
    }  # fmt: skip
    verified = command("verify", target, cwd=folder)
    assert b"the same byte for byte" in verified.stdout
    handed = target / "inputs/audit-log-entries.ndjson"
    second = bundled(folder, command, "second", handed)
    for name in ("report.json", "ledger.csv", "inputs/audit-log-entries.ndjson"):
        assert (second / name).read_bytes() == (target / name).read_bytes(), name


def test_entries_that_somebody_changed_come_to_another_ledger(
    folder: Path, command: Callable[..., Any]
) -> None:
    target = bundled(folder, command, "bundle", "logs")
    entries = target / "inputs/audit-log-entries.ndjson"
    entries.write_bytes(entries.read_bytes().replace(b"2026-05-01T", b"2026-02-01T"))
    asked = recipe.read((target / layout.RECIPE).read_bytes(), layout.RECIPE)
    again = remade(target, asked)[1]
    assert again["ledger.csv"] != (target / "ledger.csv").read_bytes()
    verified = command("verify", target, cwd=folder)
    assert verified.returncode == 1
    assert b"inputs/audit-log-entries.ndjson was changed" in verified.stdout

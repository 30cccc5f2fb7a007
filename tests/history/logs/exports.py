"""Exported logs for tests: entries in the shape that public samples have, with canaries where values would be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keyaudit import inventory
from keyaudit.history.events import Event
from keyaudit.history.logs import AuditLogs, placed, read_logs
from keyaudit.inventory.rows import Credential, Version
from keyaudit.model import Coverage, Inventory, ScopeStatus
from keyaudit.times import format_instant, parse_instant

ACCOUNT, REGION = "111122223333", "eu-west-1"
ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:prod/db-AbCdEf"
CANARY = "canary-hunter2"


def trail(name: str, service: str = "secretsmanager", **fields: Any) -> dict[str, Any]:
    """Give a CloudTrail event; `at` is its time."""
    at = fields.pop("at", "2026-03-01T10:00:00Z")
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/rotator/run"},
        "eventTime": at,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1" if service == "iam" else REGION,
        "sourceIPAddress": "198.51.100.7",
        "requestParameters": None,
        "responseElements": None,
        "eventID": fields.pop("id", f"{name}-{at}"),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
        **fields,
    }


def put(token: str, *, secret: str = ARN, at: str, **more: Any) -> dict[str, Any]:
    """Give a PutSecretValue as CloudTrail would never write it: with a value in the clear."""
    asked = {"secretId": secret, "clientRequestToken": token, "secretString": CANARY, **more}
    return trail("PutSecretValue", at=at, requestParameters=asked, responseElements={"arn": ARN})


def written(folder: Path, entries: Sequence[dict[str, Any]], name: str = "trail.json") -> Path:
    """Write entries as a trail leaves them in S3, or one a line for any other ending than .json."""
    file = folder / name
    if name.endswith(".json"):
        file.write_text(json.dumps({"Records": list(entries)}), "utf-8")
    else:
        file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")
    return file


def listed(*rows: Credential, coverage: Sequence[Coverage] = ()) -> Inventory:
    """Give an inventory of rows, each of whose scopes was seen completely."""
    scopes = dict.fromkeys((row.source, row.scope) for row in rows)
    seen = [Coverage(*scope, ScopeStatus.COMPLETE) for scope in scopes]
    columns = ["created_at", "versions", "versions.id", "versions.state", "versions.stages"]
    return inventory.from_rows(rows, [*seen, *coverage], parse_instant("2026-07-01T00:00:00Z"), columns)


def secret(*versions: str, id_: str = ARN, name: str = "prod/db", created: str | None = None) -> Credential:
    """Give a secret of Secrets Manager with the newest version first."""
    return Credential(
        source="aws-secrets-manager",
        scope=f"{ACCOUNT}/{REGION}",
        id=id_,
        name=name,
        created_at=None if created is None else parse_instant(created),
        versions=[
            Version(id=each, state="superseded" if at else "current") for at, each in enumerate(versions)
        ],
    )


def told(logs: AuditLogs, known: Inventory) -> list[str]:
    """Say the events that logs come to, a line each."""
    return [line(event) for event in placed(logs, known).events]


def line(event: Event) -> str:
    """Say an event without where it stands."""
    return f"{format_instant(event.at)} {event.id.rpartition(':')[2]} {event.version} {event.told}"


def events_of(
    folder: Path, entries: Sequence[dict[str, Any]], known: Inventory, name: str = "log.ndjson"
) -> list[str]:
    """Write entries, read them, and say what they come to; fails where the file has a problem."""
    logs = read_logs([written(folder, entries, name)])
    assert [file.problem for file in logs.files] == [None]
    return told(logs, known)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from history.logs.exports import CANARY, events_of, listed, told
from keyaudit.history.logs import placed, read_logs
from keyaudit.inventory.rows import Credential, Version

SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"
SECRET = "projects/424242/secrets/db"
ACCOUNT = "projects/acme/serviceAccounts/bot@acme.iam.gserviceaccount.com"


def entry(method: str, *, at: str = "2026-03-01T10:00:00.123456789Z", **payload: Any) -> dict[str, Any]:
    labels = payload.pop("labels", {"project_id": "acme"})
    return {
        "insertId": payload.pop("id", f"{method}{at}"),
        "logName": "projects/acme/logs/cloudaudit.googleapis.com%2Factivity",
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": "ci@acme.iam.gserviceaccount.com"},
            "methodName": method,
            "serviceName": "…",
            "status": {},
            **payload,
        },
        "resource": {"type": "audited_resource", "labels": labels},
        "severity": "NOTICE",
        "timestamp": at,
        "receiveTimestamp": at,
    }


def secret(*stages: list[str], scope: str = "projects/acme", id_: str = SECRET) -> Credential:
    versions = [Version(id=str(at), state="current", stages=each) for at, each in enumerate(stages, 1)]
    return Credential(source="gcp-secret-manager", scope=scope, id=id_, name="db", versions=versions)


def added(number: int, at: str = "2026-03-01T10:00:00.123456789Z") -> dict[str, Any]:
    return entry(
        f"{SERVICE}.AddSecretVersion",
        at=at,
        resourceName="projects/acme/secrets/db",
        request={"parent": "projects/acme/secrets/db", "payload": {"data": CANARY}},
        response={"name": f"{SECRET}/versions/{number}", "state": "ENABLED"},
    )


def test_a_new_version_takes_over_where_nothing_pins_another_one(tmp_path: Path) -> None:
    assert events_of(tmp_path, [added(2)], listed(secret([], []))) == [
        f"2026-03-01T10:00:00.123456Z {SECRET} 2 created",
        f"2026-03-01T10:00:00.123456Z {SECRET} 2 in-use",
    ]


def test_a_new_version_beside_a_pinned_one_is_made_and_no_more(tmp_path: Path) -> None:
    assert [said.split()[3] for said in events_of(tmp_path, [added(2)], listed(secret(["current"], [])))] == [
        "created"
    ]


def test_of_a_secret_that_is_not_listed_nobody_knows_what_is_pinned(tmp_path: Path) -> None:
    logs = read_logs([_written(tmp_path, [added(2)])])
    result = placed(logs, listed(secret([], id_="projects/1/secrets/db", scope="projects/other")))
    assert (result.events, result.unknown) == ((), 1)


def test_versions_are_disabled_enabled_and_destroyed_by_number(tmp_path: Path) -> None:
    versions = [
        entry(
            f"{SERVICE}.{method}SecretVersion",
            at=f"2026-03-0{day}T00:00:00Z",
            request={"name": f"{SECRET}/versions/1"},
        )
        for day, method in enumerate(("Disable", "Enable", "Destroy"), 1)
    ]
    gone = entry(
        f"{SERVICE}.DeleteSecret", at="2026-03-04T00:00:00Z", resourceName="projects/acme/secrets/db"
    )
    said = events_of(tmp_path, [*versions, gone], listed(secret([])))
    assert [each.split(maxsplit=2)[2] for each in said] == [
        "1 retired",
        "1 restored",
        "1 retired",
        "None deleted",
    ]


def test_a_version_that_is_named_by_an_alias_is_none(tmp_path: Path) -> None:
    alias = entry(f"{SERVICE}.DisableSecretVersion", request={"name": f"{SECRET}/versions/latest"})
    logs = read_logs([_written(tmp_path, [alias])])
    assert (logs.noted, logs.silent, logs.files[0].items) == ((), 1, 1)


def test_a_regional_secret_is_one_of_its_location(tmp_path: Path) -> None:
    regional = "projects/424242/locations/europe-west1/secrets/db"
    there = secret([], id_=regional, scope="projects/acme/locations/europe-west1")
    gone = entry(f"{SERVICE}.DeleteSecret", resourceName="projects/acme/locations/europe-west1/secrets/db")
    assert events_of(tmp_path, [gone], listed(there, secret([]))) == [
        f"2026-03-01T10:00:00.123456Z {regional} None deleted"
    ]


def account(*keys: str) -> Credential:
    versions = [Version(id=key, state="current") for key in keys]
    return Credential(
        source="gcp-iam",
        scope="projects/acme",
        id=ACCOUNT,
        name=ACCOUNT.rpartition("/")[2],
        versions=versions,
    )


def test_keys_of_a_service_account_are_named_by_its_address_and_not_by_its_number(tmp_path: Path) -> None:
    labels = {"project_id": "acme", "email_id": "bot@acme.iam.gserviceaccount.com", "unique_id": "1032"}
    admin, number = "google.iam.admin.v1", "projects/-/serviceAccounts/1032"
    made = {"name": f"{ACCOUNT}/keys/k2", "private_key_type": 2, "valid_after_time": {"seconds": 1}}
    entries = [
        entry(f"{admin}.CreateServiceAccountKey", labels=labels, resourceName=number, response=made),
        entry(f"{admin}.UploadServiceAccountKey", at="2026-03-02T00:00:00Z", labels=labels, resourceName=number, response={"name": f"{ACCOUNT}/keys/k3"}),
        entry(f"{admin}.DisableServiceAccountKey", at="2026-03-03T00:00:00Z", labels=labels, resourceName=f"{number}/keys/k1"),
        entry(f"{admin}.EnableServiceAccountKey", at="2026-03-04T00:00:00Z", labels=labels, request={"name": f"{number}/keys/k1"}),
        entry(f"{admin}.DeleteServiceAccountKey", at="2026-03-05T00:00:00Z", labels=labels, resourceName=f"{number}/keys/k1"),
        entry(f"{admin}.DisableServiceAccount", at="2026-03-06T00:00:00Z", labels=labels, resourceName=number),
        entry(f"{admin}.DeleteServiceAccount", at="2026-03-07T00:00:00Z", labels=labels, resourceName=number),
        entry(f"{admin}.CreateServiceAccountKey", at="2026-03-08T00:00:00Z", labels=labels, resourceName=number),
    ]  # fmt: skip
    assert [said.split(maxsplit=2)[2] for said in events_of(tmp_path, entries, listed(account("k2")))] == [
        "k2 created", "k2 in-use", "k3 in-use", "k1 retired", "k1 restored", "k1 retired", "None retired", "None deleted",
    ]  # fmt: skip


def test_what_was_refused_did_not_happen_and_other_logs_are_passed_over(tmp_path: Path) -> None:
    refused = added(3) | {"protoPayload": added(3)["protoPayload"] | {"status": {"code": 7, "message": "no"}}}
    other = {
        "logName": "projects/acme/logs/stdout",
        "timestamp": "2026-03-01T10:00:00Z",
        "textPayload": CANARY,
    }
    assert events_of(tmp_path, [other, refused, entry("storage.objects.get")], listed(secret([]))) == []


def test_a_printed_list_tells_the_same_as_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "logs.json"
    file.write_text(json.dumps([added(2)], indent=2), "utf-8")
    logs = read_logs([file, _written(tmp_path, [added(2)])])
    assert [(each.kind, each.items) for each in logs.files] == [
        ("google-audit-log", 1),
        ("google-audit-log", 0),
    ]
    assert len(told(logs, listed(secret([], [])))) == 2


def _written(folder: Path, entries: list[dict[str, Any]]) -> Path:
    file = folder / "logs.ndjson"
    file.write_text("".join(json.dumps(each) + "\n" for each in entries), "utf-8")
    return file

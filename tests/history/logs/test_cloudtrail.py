from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from history.logs.exports import (
    ACCOUNT,
    ARN,
    CANARY,
    REGION,
    events_of,
    listed,
    put,
    secret,
    told,
    trail,
    written,
)
from keyaudit.history.logs import placed, read_logs
from keyaudit.inventory.rows import Credential, Version

OLD, NEW = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def test_a_put_makes_a_version_that_takes_over(tmp_path: Path) -> None:
    assert events_of(tmp_path, [put(NEW, at="2026-03-01T10:00:00Z")], listed(secret(NEW, OLD))) == [
        f"2026-03-01T10:00:00Z prod/db-AbCdEf {NEW} created",
        f"2026-03-01T10:00:00Z prod/db-AbCdEf {NEW} in-use",
    ]


def test_a_put_with_other_labels_makes_a_version_that_waits_until_its_label_moves(tmp_path: Path) -> None:
    moved = {
        "secretId": ARN,
        "versionStage": "AWSCURRENT",
        "moveToVersionId": NEW,
        "removeFromVersionId": OLD,
    }
    entries = [
        put(NEW, at="2026-03-01T10:00:00Z", versionStages=["AWSPENDING"]),
        trail("UpdateSecretVersionStage", at="2026-03-01T10:05:00Z", requestParameters=moved),
    ]
    assert events_of(tmp_path, entries, listed(secret(NEW, OLD))) == [
        f"2026-03-01T10:00:00Z prod/db-AbCdEf {NEW} created",
        f"2026-03-01T10:05:00Z prod/db-AbCdEf {OLD} superseded",
        f"2026-03-01T10:05:00Z prod/db-AbCdEf {NEW} in-use",
    ]


def test_moving_another_label_than_the_current_one_tells_nothing(tmp_path: Path) -> None:
    moved = {"secretId": ARN, "versionStage": "AWSPENDING", "moveToVersionId": NEW}
    entry = trail("UpdateSecretVersionStage", requestParameters=moved)
    assert events_of(tmp_path, [entry], listed(secret(NEW, OLD))) == []


def test_a_request_that_is_sent_again_later_moves_nothing(tmp_path: Path) -> None:
    entries = [
        put(OLD, at="2026-02-01T10:00:00Z"),
        put(NEW, at="2026-03-01T10:00:00Z"),
        put(OLD, at="2026-03-02T10:00:00Z"),
    ]
    days = [said[:10] for said in events_of(tmp_path, entries, listed(secret(NEW, OLD)))]
    assert days == ["2026-02-01", "2026-02-01", "2026-03-01", "2026-03-01"]


def test_a_token_that_made_no_version_is_none(tmp_path: Path) -> None:
    """Clients send a token with every CreateSecret and UpdateSecret, a value or not."""
    entries = [
        trail(
            "CreateSecret",
            requestParameters={"name": "prod/db", "clientRequestToken": OLD},
            responseElements={"arn": ARN},
        ),
        trail(
            "UpdateSecret",
            requestParameters={"secretId": ARN, "clientRequestToken": "3" * 36},
            at="2026-03-02T10:00:00Z",
        ),
    ]
    assert events_of(tmp_path, entries, listed(secret(NEW))) == []
    assert [said.split()[2] for said in events_of(tmp_path, entries, listed(secret(NEW, OLD)))] == [OLD, OLD]


def test_a_token_counts_where_another_entry_knows_its_version(tmp_path: Path) -> None:
    moved = {
        "secretId": ARN,
        "versionStage": "AWSCURRENT",
        "moveToVersionId": NEW,
        "removeFromVersionId": OLD,
    }
    entries = [
        trail(
            "CreateSecret",
            at="2026-01-01T00:00:00Z",
            requestParameters={"name": "prod/db", "clientRequestToken": OLD},
            responseElements={"aRN": ARN},
        ),
        trail("UpdateSecretVersionStage", at="2026-03-01T10:05:00Z", requestParameters=moved),
    ]
    assert (
        events_of(tmp_path, entries, listed(secret(NEW)))[0]
        == f"2026-01-01T00:00:00Z prod/db-AbCdEf {OLD} created"
    )


def test_a_rotation_by_a_service_counts_by_the_version_at_the_end_of_its_request(tmp_path: Path) -> None:
    entry = trail(
        "RotationSucceeded",
        eventType="AwsServiceEvent",
        additionalEventData={"SecretId": ARN},
        requestID=f"Rotation-{ARN}-{NEW}",
    )
    assert events_of(tmp_path, [entry], listed(secret(NEW))) == [
        f"2026-03-01T10:00:00Z prod/db-AbCdEf {NEW} in-use"
    ]
    assert events_of(tmp_path, [entry], listed(secret(OLD))) == []
    logs = read_logs([written(tmp_path, [entry | {"requestID": "something else"}])])
    assert (logs.files[0].items, logs.silent, logs.noted) == (1, 1, ())


def test_a_secret_that_was_deleted_and_restored_is_told_as_a_whole(tmp_path: Path) -> None:
    entries = [
        trail("DeleteSecret", requestParameters={"secretId": "prod/db"}, responseElements={"aRN": ARN}),
        trail("RestoreSecret", requestParameters={"secretId": ARN}, at="2026-03-02T10:00:00Z"),
    ]
    assert events_of(tmp_path, entries, listed(secret(NEW))) == [
        "2026-03-01T10:00:00Z prod/db-AbCdEf None deleted",
        "2026-03-02T10:00:00Z prod/db-AbCdEf None restored",
    ]


def test_what_failed_did_not_happen(tmp_path: Path) -> None:
    refused = put(NEW, at="2026-03-01T10:00:00Z") | {"errorCode": "AccessDenied", "errorMessage": "no"}
    assert events_of(tmp_path, [refused], listed(secret(NEW))) == []


def user(*keys: str) -> Credential:
    return Credential(
        source="aws-iam",
        scope=ACCOUNT,
        id=f"arn:aws:iam::{ACCOUNT}:user/bots/deployer",
        name="deployer",
        versions=[Version(id=key, state="current") for key in keys],
    )


def test_access_keys_are_made_switched_and_deleted(tmp_path: Path) -> None:
    made = {
        "accessKey": {
            "accessKeyId": "AKIANEW",
            "userName": "deployer",
            "status": "Active",
            "createDate": "Mar 1, 2026",
        }
    }
    old = {"userName": "deployer", "accessKeyId": "AKIAOLD"}
    entries = [
        trail("CreateAccessKey", "iam", requestParameters={"userName": "deployer"}, responseElements=made),
        trail(
            "UpdateAccessKey",
            "iam",
            at="2026-03-02T00:00:00Z",
            requestParameters={**old, "status": "Inactive"},
        ),
        trail(
            "UpdateAccessKey", "iam", at="2026-03-03T00:00:00Z", requestParameters={**old, "status": "Active"}
        ),
        trail("DeleteAccessKey", "iam", at="2026-03-04T00:00:00Z", requestParameters=old),
        trail("DeleteUser", "iam", at="2026-03-05T00:00:00Z", requestParameters={"userName": "deployer"}),
    ]
    assert [said.split(maxsplit=1)[1] for said in events_of(tmp_path, entries, listed(user("AKIANEW")))] == [
        "user/bots/deployer AKIANEW created",
        "user/bots/deployer AKIANEW in-use",
        "user/bots/deployer AKIAOLD retired",
        "user/bots/deployer AKIAOLD restored",
        "user/bots/deployer AKIAOLD retired",
        "user/bots/deployer None deleted",
    ]


def test_who_names_no_user_is_the_caller_and_root_is_nobody(tmp_path: Path) -> None:
    made = {"accessKey": {"accessKeyId": "AKIANEW", "status": "Active"}}
    caller = {"type": "IAMUser", "userName": "deployer"}
    own = trail("CreateAccessKey", "iam", userIdentity=caller, responseElements=made)
    root = own | {"userIdentity": {"type": "Root"}, "eventID": "root"}
    logs = read_logs([written(tmp_path, [own, root])])
    assert [said.split()[2] for said in told(logs, listed(user("AKIANEW")))] == ["AKIANEW", "AKIANEW"]
    assert logs.silent == 1


def test_a_key_of_kms_is_switched_off_and_on_as_a_whole(tmp_path: Path) -> None:
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"
    key = Credential(source="aws-kms", scope=f"{ACCOUNT}/{REGION}", id=arn, name="1234", versions=[])
    resources = [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn}]
    entries = [
        trail("DisableKey", "kms", resources=resources, requestParameters={"keyId": "1234"}),
        trail("EnableKey", "kms", at="2026-03-02T00:00:00Z", requestParameters={"keyId": arn}),
        trail(
            "RotateKey",
            "kms",
            at="2026-03-03T00:00:00Z",
            resources=resources,
            serviceEventDetails={"keyId": "1234"},
        ),
        trail("ScheduleKeyDeletion", "kms", at="2026-03-04T00:00:00Z", responseElements={"keyId": arn}),
    ]
    said = [each.rpartition(" ")[2] for each in events_of(tmp_path, entries, listed(key))]
    assert said == ["retired", "restored", "retired"]


def test_a_parameter_of_unknown_type_counts_where_it_is_listed(tmp_path: Path) -> None:
    row = Credential(
        source="aws-ssm",
        scope=f"{ACCOUNT}/{REGION}",
        id=f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/prod/db",
        name="/prod/db",
        versions=[Version(id="3", state="current")],
    )
    overwritten = {"name": "/prod/db", "value": CANARY, "overwrite": True}
    entries = [
        trail(
            "PutParameter",
            "ssm",
            id="a",
            requestParameters=overwritten,
            responseElements={"version": 3, "tier": "Standard"},
        ),
        trail(
            "PutParameter",
            "ssm",
            id="b",
            requestParameters={"name": "/other"},
            responseElements={"version": 1},
        ),
        trail(
            "PutParameter",
            "ssm",
            id="c",
            requestParameters={"name": "/prod/db", "type": "String"},
            responseElements={"version": 9},
        ),
    ]
    logs = read_logs([written(tmp_path, entries)])
    assert [said.split(maxsplit=2)[2] for said in told(logs, listed(row))] == [
        "3 created",
        "3 in-use",
        "2 superseded",
    ]
    assert placed(logs, listed(row)).unknown == 1


@pytest.mark.parametrize(
    "form", ["S3", "S3 packed", "one a line", "looked up", "one a line, looked up", "printed"]
)
def test_every_form_of_an_export_tells_the_same(tmp_path: Path, form: str) -> None:
    event = put(NEW, at="2026-03-01T10:00:00Z")
    looked_up = {"EventId": "x", "EventName": "PutSecretValue", "CloudTrailEvent": json.dumps(event)}
    content = {
        "S3": json.dumps({"Records": [event]}),
        "S3 packed": json.dumps({"Records": [event]}),
        "one a line": f"{json.dumps(event)}\n\n",
        "looked up": json.dumps({"Events": [looked_up], "NextToken": "more"}, indent=2),
        "one a line, looked up": json.dumps(looked_up),
        "printed": json.dumps(event, indent=2),
    }[form].encode()
    file = tmp_path / "export.json"
    file.write_bytes(gzip.compress(content) if form == "S3 packed" else content)
    logs = read_logs([file])
    assert [(each.kind, each.items, each.problem) for each in logs.files] == [("cloudtrail", 1, None)]
    assert len(told(logs, listed(secret(NEW)))) == 2


def test_an_entry_in_two_files_counts_once(tmp_path: Path) -> None:
    entries = [put(NEW, at="2026-03-01T10:00:00Z")]
    files = [written(tmp_path, entries, "a.json"), written(tmp_path, entries, "b.ndjson")]
    logs = read_logs([*files, tmp_path])
    assert [each.items for each in logs.files] == [1, 0]
    assert len(told(logs, listed(secret(NEW)))) == 2


def test_an_old_event_is_of_its_callers_account(tmp_path: Path) -> None:
    event = put(NEW, secret="prod/db", at="2026-03-01T10:00:00Z") | {"responseElements": None}
    del event["recipientAccountId"]
    caller = {"userIdentity": {"type": "IAMUser", "accountId": ACCOUNT, "userName": "sam"}}
    assert len(events_of(tmp_path, [event | caller], listed(secret(NEW)))) == 2

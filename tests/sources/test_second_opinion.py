"""What emulators that others wrote make of our reading: planted by their writing calls, listed by our sources.

moto always gives its opinion. Another server gives one where `KEYAUDIT_SECOND_OPINION` has its URL, as
ministack does:

    BIND_HOST=127.0.0.1 GATEWAY_PORT=47613 ministack &
    KEYAUDIT_SECOND_OPINION=http://127.0.0.1:47613 pytest tests/sources/test_second_opinion.py

Only what both are right about is asserted; where an emulator lacks an operation, that it is said.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from keyaudit.sources import Pulled, open_source
from keyaudit.times import SECOND
from servers.aws_dialect import AwsJson
from servers.fault_proxy import Asked, FaultProxy
from sources.aws_case import ACCOUNT

VARIABLE = "KEYAUDIT_SECOND_OPINION"
REGION, OTHER = "ap-south-1", "ca-central-1"
CANARY = "CANARY-value"
USED = {"KeyUsage": "ENCRYPT_DECRYPT"}
"""AWS's own default, which moto leaves out of what it describes."""


def with_arns(asked: Asked, body: bytes) -> bytes:
    """moto lists parameters without their ARNs, which AWS gives."""
    if asked.operation != "DescribeParameters":
        return body
    answer = json.loads(body)
    for parameter in answer["Parameters"]:
        parameter["ARN"] = f"arn:aws:ssm:{asked.scope}:{ACCOUNT}:parameter{parameter['Name']}"
    return json.dumps(answer).encode()


@pytest.fixture(params=["moto", "another"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "moto":
        with FaultProxy(request.getfixturevalue("moto"), AwsJson("Parameters"), with_arns) as proxy:
            yield proxy.url
    elif os.environ.get(VARIABLE):
        yield os.environ[VARIABLE]
    else:
        pytest.skip(f"{VARIABLE} names no other server")


@pytest.fixture
def mark() -> str:
    """Tell what one test planted from whatever the server held before."""
    return uuid.uuid4().hex[:12]


def client(url: str, service: str, region: str = REGION) -> Any:
    return botocore.session.Session().create_client(service, region_name=region, endpoint_url=url)


def pull(url: str, kind: str, **settings: Any) -> Pulled:
    entry = {"name": "tested", "kind": kind, "endpoint_url": url, "regions": [REGION, OTHER], "attempts": 2}
    entry |= {"requests_per_second": 10_000, "cache": False, **settings}
    pulled = open_source(entry, clock=lambda: int(time.time() * SECOND)).pull(lambda report: None)
    assert CANARY not in repr(pulled)
    return pulled


def marked(pulled: Pulled, mark: str) -> dict[str, Any]:
    found = [row for row in pulled.rows if mark in row.name]
    assert len({row.id for row in found}) == len(found)
    return {row.name: row for row in found}


def just_now(instant: int | None) -> bool:
    return instant is not None and abs(time.time() * SECOND - instant) < 120 * SECOND


def test_secrets_manager_shows_the_value_in_use_and_the_one_before(url: str, mark: str) -> None:
    manager = client(url, "secretsmanager")
    name = f"app/{mark}"
    tags = [{"Key": "owner", "Value": "platform@acme.example"}]
    first = manager.create_secret(Name=name, SecretString=CANARY, Tags=tags)
    second = manager.put_secret_value(SecretId=name, SecretString=CANARY)
    row = marked(pull(url, "aws-secrets-manager"), mark)[name]
    assert row.id == first["ARN"]
    assert row.owner == "platform@acme.example"
    assert {version.id: version.state for version in row.versions} == {
        first["VersionId"]: "superseded",
        second["VersionId"]: "current",
    }
    assert just_now(row.created_at)
    assert just_now(row.last_changed_at)


def test_every_page_of_secure_parameters_is_read_once_and_nothing_else(url: str, mark: str) -> None:
    store = client(url, "ssm")
    names = {f"/{mark}/{number}" for number in range(60)}
    for name in names:
        store.put_parameter(Name=name, Value=CANARY, Type="SecureString", Description=CANARY)
    for number in range(3):
        store.put_parameter(Name=f"/{mark}/0", Value=f"{CANARY}{number}", Type="SecureString", Overwrite=True)
    store.put_parameter(Name=f"/{mark}/plain", Value="a value that is no secret", Type="String")
    owner = [{"Key": "owner", "Value": "platform@acme.example"}]
    store.add_tags_to_resource(ResourceType="Parameter", ResourceId=f"/{mark}/1", Tags=owner)
    pulled = pull(url, "aws-ssm", tags=True)
    rows = marked(pulled, mark)
    assert set(rows) == names
    assert rows[f"/{mark}/1"].owner == "platform@acme.example"
    assert [version.id for version in rows[f"/{mark}/0"].versions] == ["4", "3", "2", "1"]
    assert rows[f"/{mark}/0"].created_at is None
    assert just_now(rows[f"/{mark}/0"].versions[0].created_at)
    assert just_now(rows[f"/{mark}/1"].created_at)
    assert max(each.pages for each in pulled.coverage) > 1


def test_keys_and_their_replicas_are_found_in_every_state(url: str, mark: str) -> None:
    kms = client(url, "kms")
    made = {}
    for name, settings in {"data": {}, "off": {}, "spread": {"MultiRegion": True}}.items():
        tags = [{"TagKey": "owner", "TagValue": "platform@acme.example"}]
        made[name] = kms.create_key(Tags=tags, Description=CANARY, **USED, **settings)["KeyMetadata"]
        kms.create_alias(AliasName=f"alias/{mark}-{name}", TargetKeyId=made[name]["KeyId"])
    kms.enable_key_rotation(KeyId=made["data"]["KeyId"], RotationPeriodInDays=180)
    kms.disable_key(KeyId=made["off"]["KeyId"])
    kms.replicate_key(KeyId=made["spread"]["KeyId"], ReplicaRegion=OTHER)
    pulled = pull(url, "aws-kms")
    rows = {row.id: row for row in pulled.rows}
    data, off, spread = (rows[each["Arn"]] for each in made.values())
    assert (data.name, data.cls, data.owner) == (f"{mark}-data", "encryption-key", "platform@acme.example")
    assert data.rotation.enabled
    assert data.rotation.by == "service"
    assert {version.state for version in off.versions} == {"disabled"}
    copies = [row for row in pulled.rows if row.replica_of == spread.id]
    assert [row.id for row in copies] == [spread.id.replace(REGION, OTHER)]
    for each in pulled.coverage:  # what an emulator does not know is a gap, never a key without history
        lacking = "lists of rotations: refused (InvalidAction)" in (each.reason or "")
        assert each.status == ("partial" if lacking else "complete")


def test_a_rotated_key_is_as_young_as_its_last_rotation(url: str, mark: str) -> None:
    kms = client(url, "kms")
    key = kms.create_key(**USED)["KeyMetadata"]
    kms.create_alias(AliasName=f"alias/{mark}", TargetKeyId=key["KeyId"])
    try:
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    except kms.exceptions.ClientError as error:
        pytest.skip(f"this server cannot rotate: {error.response['Error']['Code']}")
    row = marked(pull(url, "aws-kms"), mark)[mark]
    assert [(version.state, version.authenticates) for version in row.versions] == [
        ("superseded", False),
        ("current", True),
    ]
    assert just_now(row.last_rotated_at)
    assert row.versions[0].superseded_at == row.versions[1].created_at == row.last_rotated_at

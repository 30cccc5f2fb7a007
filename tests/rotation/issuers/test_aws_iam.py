"""Access keys of an IAM user, at a server that honours what it made and nothing else."""

from __future__ import annotations

import pytest

from keyaudit.errors import RotationError, SlotsFullError
from keyaudit.rotation.issuers.aws_iam import AwsAccessKeys
from keyaudit.rotation.party import Means
from keyaudit.rotation.sight import Key
from keyaudit.times import SECOND
from rotation.aws_clients import client, signs_by_itself
from servers.fault_proxy import Fault
from servers.iam import OWN, Iam
from servers.iam_keys import CANARY

START = 1_767_225_600 * SECOND


@pytest.fixture
def iam(monkeypatch):
    with Iam(START, strict=True, page=1) as server:
        server.account(OWN).put("deployer", START)
        signs_by_itself(monkeypatch, server.admin)
        yield server


@pytest.fixture
def issuer(iam):
    return opened(iam)


def opened(iam, **more):
    entry = {"kind": "aws-iam", "user": "deployer", "endpoint_url": iam.url, **more}
    return AwsAccessKeys.opened(AwsAccessKeys.Settings.model_validate(entry), Means(clock=iam.clock))


def test_a_key_is_made_listed_and_ended(iam, issuer) -> None:
    assert issuer.keys() == ()
    minted = issuer.mint("any", set())
    assert set(minted.parts) == {"access_key_id", "secret_access_key"}
    assert (minted.key_id, minted.created_at) == (minted.parts["access_key_id"], START)
    assert issuer.keys() == (Key(minted.key_id, active=True, token=None, created_at=START),)
    assert CANARY not in repr(minted)
    who = client("sts", iam.url, iam.account(OWN).users["deployer"].keys[0]).get_caller_identity()
    assert who["Arn"].endswith("user/deployer")
    issuer.revoke(minted.key_id)
    assert issuer.keys() == ()
    issuer.revoke(minted.key_id)
    assert [call.operation for call in iam.calls].count("DeleteAccessKey") == 2


def test_both_keys_are_listed_though_each_is_on_a_page_of_its_own(iam, issuer) -> None:
    first, second = issuer.mint("a", set()), issuer.mint("b", set())
    client("iam", iam.url, iam.admin).update_access_key(
        UserName="deployer", AccessKeyId=second.key_id, Status="Inactive"
    )
    listed = issuer.keys()
    assert {(key.id, key.active) for key in listed} == {(first.key_id, True), (second.key_id, False)}


def test_a_third_key_is_refused_and_says_which_two_there_are(iam, issuer) -> None:
    first, second = issuer.mint("a", set()), issuer.mint("b", set())
    with pytest.raises(SlotsFullError) as caught:
        issuer.mint("c", {first.key_id})
    assert f"{first.key_id} (in use here)" in str(caught.value)
    assert f"{second.key_id} (active)" in str(caught.value)
    assert caught.value.hint is not None
    assert second.key_id in caught.value.hint
    assert first.key_id not in caught.value.hint
    assert len(issuer.keys()) == 2


def test_a_lost_answer_is_not_asked_for_again(iam, issuer) -> None:
    iam.plan(Fault("lost", "CreateAccessKey"))
    with pytest.raises(RotationError, match="iam:CreateAccessKey") as caught:
        issuer.mint("a", set())
    assert CANARY not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert iam.called("CreateAccessKey") == 1
    (orphan,) = issuer.keys()
    issuer.revoke(orphan.id)


def test_a_list_that_failed_once_is_asked_for_again(iam, issuer) -> None:
    iam.plan(Fault("server-error", "ListAccessKeys", times=1))
    assert issuer.keys() == ()
    assert iam.called("ListAccessKeys") == 2


def test_a_stored_value_is_recognised_by_its_own_id(iam, issuer) -> None:
    minted = issuer.mint("a", set())
    keys = issuer.keys()
    assert issuer.recognise(minted.parts, keys) == minted.key_id
    assert issuer.recognise({"access_key_id": "AKIAELSE"}, keys) is None
    assert issuer.recognise({"secret_access_key": "x"}, keys) is None
    assert issuer.recognise(minted.parts, None) is None


@pytest.mark.parametrize("operation", ["ListAccessKeys", "CreateAccessKey", "DeleteAccessKey"])
def test_what_is_denied_is_said_by_its_name_and_code(iam, issuer, operation) -> None:
    iam.deny(operation)
    ask = {
        "ListAccessKeys": issuer.keys,
        "CreateAccessKey": lambda: issuer.mint("a", set()),
        "DeleteAccessKey": lambda: issuer.revoke("AKIANOBODYSOWNKEY000"),
    }[operation]
    with pytest.raises(RotationError, match=rf"iam:{operation}: denied \(AccessDenied\)"):
        ask()


def test_a_user_that_is_not_there_is_said_so(iam) -> None:
    with pytest.raises(RotationError, match="there is no IAM user nobody"):
        opened(iam, user="nobody").keys()


def test_nothing_is_asked_before_the_first_call_and_only_what_is_declared(iam, issuer) -> None:
    assert iam.calls == []
    asked: dict[str, set[str]] = {}
    minted = []

    def third():
        with pytest.raises(SlotsFullError):
            issuer.mint("c", set())

    for method, ask in (
        ("keys", issuer.keys),
        ("mint", lambda: minted.append(issuer.mint("a", set()))),
        ("mint", lambda: minted.append(issuer.mint("b", set()))),
        ("mint", third),
        ("revoke", lambda: issuer.revoke(minted[0].key_id)),
        ("recognise", lambda: issuer.recognise(minted[0].parts, ())),
    ):
        before = len(iam.calls)
        ask()
        asked.setdefault(method, set()).update(f"iam:{call.operation}" for call in iam.calls[before:])
    assert asked == {method: set(calls) for method, calls in AwsAccessKeys.calls.items()}


def test_a_role_is_assumed_where_one_is_named(iam) -> None:
    issuer = opened(iam, role=f"arn:aws:iam::{OWN}:role/keyaudit-rotate", external_id="acme")
    assert issuer.keys() == ()
    (asked,) = iam.asked("AssumeRole")
    assert (asked["RoleArn"].endswith("keyaudit-rotate"), asked["ExternalId"]) == (True, "acme")
    assert iam.calls[-1].key == f"ASIA{OWN}"


def test_a_profile_that_is_not_there_is_said_without_asking(iam) -> None:
    with pytest.raises(RotationError, match="ProfileNotFound"):
        opened(iam, profile="nobody").keys()
    assert iam.calls == []

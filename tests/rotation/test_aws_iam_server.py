"""What the local IAM and STS do is what AWS's do: two keys a user, honoured by signature, and their use seen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ConnectionClosedError, HTTPClientError

from keyaudit.times import MINUTE, SECOND
from rotation.aws_clients import client, refusal
from servers.aws_front import Call
from servers.fault_proxy import Fault
from servers.iam import OWN, Iam
from servers.iam_keys import Key
from servers.sts import Sts
from sources.aws_case import moto_server

START = 1_767_225_600 * SECOND
UNKNOWN = (403, "InvalidClientTokenId")
FORGED = (403, "SignatureDoesNotMatch")


@pytest.fixture
def iam():
    with Iam(START, strict=True) as server:
        server.account(OWN).put("deployer", START)
        yield server


@pytest.fixture
def sts(iam):
    with Sts(iam) as server:
        yield server


@pytest.fixture
def admin(iam):
    return client("iam", iam.url, iam.admin)


def minted(admin, user="deployer"):
    made = admin.create_access_key(UserName=user)["AccessKey"]
    return Key(made["AccessKeyId"], 0, secret=made["SecretAccessKey"])


def who(sts, key, **more):
    return client("sts", sts.url, key, **more).get_caller_identity


def test_a_new_key_is_its_users_and_authenticates(iam, sts, admin):
    key = minted(admin)
    assert (len(key.id), len(key.secret)) == (20, 40)
    found = who(sts, key)()
    assert (found["Account"], found["Arn"]) == (OWN, f"arn:aws:iam::{OWN}:user/deployer")
    assert client("sts", iam.url, key).get_caller_identity()["Arn"] == found["Arn"]
    assert client("iam", iam.url, key).list_access_keys()["AccessKeyMetadata"][0]["AccessKeyId"] == key.id


def test_a_user_has_two_keys_and_no_more(admin):
    first, second = minted(admin), minted(admin)
    assert refusal(admin.create_access_key, UserName="deployer") == (409, "LimitExceeded")
    listed = admin.list_access_keys(UserName="deployer")["AccessKeyMetadata"]
    assert [(each["AccessKeyId"], each["Status"]) for each in listed] == [
        (first.id, "Active"),
        (second.id, "Active"),
    ]
    admin.delete_access_key(UserName="deployer", AccessKeyId=first.id)
    minted(admin)


def test_only_a_live_key_and_only_its_own_signature_are_honoured(sts, admin):
    key = minted(admin)
    assert refusal(who(sts, None)) == UNKNOWN
    assert refusal(who(sts, key, secret="guessed")) == FORGED
    change = {"UserName": "deployer", "AccessKeyId": key.id}
    admin.update_access_key(**change, Status="Inactive")
    assert refusal(who(sts, key)) == UNKNOWN
    admin.update_access_key(**change, Status="Active")
    who(sts, key)()
    admin.delete_access_key(**change)
    assert refusal(who(sts, key)) == UNKNOWN
    assert refusal(admin.delete_access_key, **change) == (404, "NoSuchEntity")
    assert refusal(admin.update_access_key, **change, Status="Active") == (404, "NoSuchEntity")
    assert refusal(admin.create_access_key, UserName="nobody") == (404, "NoSuchEntity")


def test_a_request_that_was_changed_on_its_way_is_not_believed(sts, iam):
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.httpsession import URLLib3Session

    def send(body: str, signed: str) -> int:
        request = AWSRequest("POST", sts.url + "/", data=signed.encode())
        SigV4Auth(Credentials(iam.admin.id, iam.admin.secret), "sts", "eu-west-1").add_auth(request)
        prepared = request.prepare()
        prepared.body = body.encode()
        prepared.headers["Content-Length"] = str(len(body))
        return URLLib3Session().send(prepared).status_code

    asked = "Action=GetCallerIdentity&Version=2011-06-15"
    assert send(asked, asked) == 200
    assert send(asked, asked.replace("15", "16")) == 403


def test_a_new_key_may_be_refused_for_so_many_calls_or_so_long(iam, sts, admin):
    iam.new_key_refusals = 2
    key = minted(admin)
    assert [refusal(who(sts, key)) for _ in range(2)] == [UNKNOWN, UNKNOWN]
    who(sts, key)()
    iam.new_key_refusals, iam.new_key_delay = 0, 5 * SECOND
    key = minted(admin)
    iam.clock.advance(5 * SECOND - 1)
    assert refusal(who(sts, key)) == UNKNOWN
    iam.clock.advance(1)
    who(sts, key)()


def test_the_last_use_moves_with_each_call_that_a_key_signed(iam, sts, admin):
    key = minted(admin)
    said = admin.get_access_key_last_used(AccessKeyId=key.id)
    assert said["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    iam.clock.set(START + 10 * MINUTE + 42 * SECOND)
    who(sts, key)()
    said = admin.get_access_key_last_used(AccessKeyId=key.id)
    assert said["UserName"] == "deployer"
    assert said["AccessKeyLastUsed"] == {
        "LastUsedDate": datetime(2026, 1, 1, 0, 10, tzinfo=UTC),
        "ServiceName": "sts",
        "Region": "eu-west-1",
    }
    iam.clock.advance(MINUTE)
    assert refusal(who(sts, key, secret="guessed")) == FORGED
    assert (
        admin.get_access_key_last_used(AccessKeyId=key.id)["AccessKeyLastUsed"] == (said["AccessKeyLastUsed"])
    )


def test_tags_of_a_user_are_kept_once_a_name_whatever_its_case_and_listed_in_order(admin):
    tagged = {"UserName": "deployer"}
    admin.tag_user(**tagged, Tags=[{"Key": "team", "Value": "a"}, {"Key": "Env", "Value": "b"}])
    admin.tag_user(**tagged, Tags=[{"Key": "env", "Value": "c"}])
    assert admin.list_user_tags(**tagged)["Tags"] == [
        {"Key": "env", "Value": "c"},
        {"Key": "team", "Value": "a"},
    ]
    admin.untag_user(**tagged, TagKeys=["TEAM"])
    assert [tag["Key"] for tag in admin.list_user_tags(**tagged)["Tags"]] == ["env"]
    many = [{"Key": f"k{number}", "Value": "x"} for number in range(50)]
    assert refusal(admin.tag_user, **tagged, Tags=many) == (409, "LimitExceeded")
    assert refusal(admin.tag_user, UserName="nobody", Tags=[]) == (404, "NoSuchEntity")


def test_an_answer_lost_after_a_key_was_made_leaves_a_live_key_that_nobody_knows(iam, admin):
    iam.plan(Fault("lost", "CreateAccessKey", times=1))
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        minted(admin)
    (orphan,) = admin.list_access_keys(UserName="deployer")["AccessKeyMetadata"]
    assert orphan["Status"] == "Active"
    assert iam.calls[0] == Call("CreateAccessKey", iam.admin.id)


def test_a_client_that_tries_again_by_itself_makes_two_keys_of_one_lost_answer(iam):
    iam.plan(Fault("lost", "CreateAccessKey", times=1))
    minted(client("iam", iam.url, iam.admin, attempts=2))
    assert len(iam.account(OWN).users["deployer"].keys) == 2


def test_what_is_denied_is_refused_after_the_signature_was_believed(iam, admin):
    iam.deny("CreateAccessKey")
    assert refusal(admin.create_access_key, UserName="deployer") == (403, "AccessDenied")
    stranger = client("iam", iam.url)
    assert refusal(stranger.create_access_key, UserName="deployer") == UNKNOWN
    iam.allow()
    minted(admin)


def told(iam):
    """Do what both can; gives names, states and codes, without ids."""
    made = [iam.create_access_key(UserName="deployer")["AccessKey"] for _ in range(2)]
    first = made[0]["AccessKeyId"]
    result = [refusal(iam.create_access_key, UserName="deployer")]
    result.append(refusal(iam.list_access_keys, UserName="nobody"))
    iam.update_access_key(UserName="deployer", AccessKeyId=first, Status="Inactive")
    listed = iam.list_access_keys(UserName="deployer")["AccessKeyMetadata"]
    result.append([(each["UserName"], each["Status"]) for each in listed])
    iam.delete_access_key(UserName="deployer", AccessKeyId=first)
    result.append(refusal(iam.delete_access_key, UserName="deployer", AccessKeyId=first))
    result.append(len(iam.list_access_keys(UserName="deployer")["AccessKeyMetadata"]))
    iam.tag_user(UserName="deployer", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_user(UserName="deployer", TagKeys=["a"])
    result.append(iam.list_user_tags(UserName="deployer")["Tags"])
    return result


def test_where_moto_is_right_both_tell_the_same_story(admin):
    from moto.backends import get_backend

    with moto_server() as url:
        get_backend("iam").reset()
        moto = client("iam", url)
        moto.create_user(UserName="deployer")
        assert told(admin) == told(moto)

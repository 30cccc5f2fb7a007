"""`accounts: organization`: who is listed, who is entered, and what the organization's own scope says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from keyaudit.sources import check_settings, open_source
from keyaudit.sources.aws.accounts import Session, enter, own_account, sign_in
from keyaudit.sources.aws.iam.settings import AwsIamSettings
from keyaudit.times import DAY
from servers.fault_proxy import Fault
from servers.iam import OWN, Key, key_of_account
from sources.aws_case import ACCOUNT, HEALTHY, AwsCase
from sources.iam_case import NOW, OTHER, IamCase

THIRD = "777788889999"
NO_ROLE = "only with `accounts`: our own account is listed without assuming a role"
ACTIVE = {"State": "ACTIVE", "Status": "ACTIVE"}


def member(account: str, **states: str) -> dict[str, str]:
    return {"Id": account, "Name": "any", "Email": "CANARY@acme.example", **(states or ACTIVE)}


@pytest.fixture
def org(iam: IamCase) -> IamCase:
    iam.iam.organization = [member(OWN), member(OTHER)]
    return iam


def pull(org: IamCase, **settings: object):
    return org.pull(accounts="organization", **settings)


def told(pulled) -> dict[str, tuple[str, str | None]]:
    return {each.scope: (str(each.status), each.reason) for each in pulled.coverage}


class TestMembers:
    def test_our_own_account_as_we_are_and_every_other_by_its_role(self, org: IamCase) -> None:
        whole = org.pull(accounts=[OWN, OTHER])
        org.proxy.plan()
        pulled = pull(org)
        assert list(pulled.rows) == list(whole.rows)
        assert told(pulled) == dict.fromkeys((OWN, OTHER, "organization"), ("complete", None))
        (assumed,) = org.proxy.asked("AssumeRole")
        assert f"%3A{OTHER}%3Arole%2Fkeyaudit".encode() in assumed.body
        organization = pulled.coverage[-1]
        assert (organization.credentials, organization.calls, organization.pages) == (0, 1, 1)
        assert organization.started_at == organization.finished_at == NOW

    def test_each_scope_says_as_whom_it_was_asked_and_the_organization_is_no_scope_of_that(
        self, org: IamCase
    ) -> None:
        said = {each.scope: each.identity for each in pull(org).coverage}
        own = own_account(sign_in(AwsIamSettings.model_validate(org.entry()))).identity
        assert own is not None
        assert own.startswith(f"arn:aws:iam::{OWN}:")
        assert said == {OWN: own, OTHER: f"arn:aws:iam::{OTHER}:role/keyaudit", "organization": None}

    def test_empty_pages_are_followed_to_the_end(self, org: IamCase) -> None:
        org.iam.organization = [member(OWN), *(member(f"{number:012}") for number in range(44))]
        pulled = pull(org)
        assert len(pulled.coverage) == 46
        # Three pages of twenty, and before the second and the third an empty one.
        assert len(org.proxy.asked("ListAccounts")) == pulled.coverage[-1].pages == 5
        assert {json.loads(each.body)["MaxResults"] for each in org.proxy.asked("ListAccounts")} == {20}

    def test_state_counts_more_than_status_and_only_active_ones_are_entered(self, org: IamCase) -> None:
        org.iam.organization = [
            member(OWN, Status="ACTIVE"),
            member(OTHER, State="ACTIVE"),
            member("000000000001", State="CLOSED", Status="SUSPENDED"),
            member("000000000002", State="PENDING_CLOSURE", Status="ACTIVE"),
            member("000000000003", State="PENDING_ACTIVATION"),
            member("000000000004", Status="SUSPENDED"),
            member("000000000005", State="SUSPENDED", Status="ACTIVE"),
        ]
        assert told(pull(org)) == {
            OWN: ("complete", None),
            OTHER: ("complete", None),
            "organization": (
                "complete",
                (
                    "accounts that are not active were not entered: "
                    "1 CLOSED, 1 PENDING_ACTIVATION, 1 PENDING_CLOSURE, 2 SUSPENDED"
                ),
            ),
        }

    def test_an_account_that_nothing_calls_inactive_is_tried(self, org: IamCase) -> None:
        org.iam.organization = [member(OWN), member(THIRD, State="A_STATE_OF_TOMORROW")]
        assert told(pull(org))[THIRD] == ("failed", "could not sign in to the account: denied (AccessDenied)")

    def test_an_account_nobody_named_may_be_empty_among_others(self, org: IamCase) -> None:
        org.iam.account(THIRD)
        org.iam.organization.append(member(THIRD))
        assert told(pull(org))[THIRD] == ("complete", None)

    def test_an_organization_without_a_key_anywhere_is_empty(self, org: IamCase) -> None:
        for account in org.iam.accounts.values():
            account.users.clear()
        assert [status for status, _ in told(pull(org)).values()] == ["empty", "empty", "complete"]


class TestSkipped:
    def test_a_skipped_account_is_named_and_never_entered(self, org: IamCase) -> None:
        assert told(pull(org, skip_accounts=[OTHER])) == {
            OWN: ("complete", None),
            "organization": ("complete", f"left out by `skip_accounts`: {OTHER}"),
        }
        assert org.proxy.asked("AssumeRole") == []

    def test_one_that_is_not_there_is_said(self, org: IamCase) -> None:
        assert told(pull(org, skip_accounts=[THIRD]))["organization"] == (
            "complete",
            f"`skip_accounts` names no active account here: {THIRD}",
        )

    def test_our_own_may_be_skipped_too(self, org: IamCase) -> None:
        assert set(told(pull(org, skip_accounts=[OWN]))) == {OTHER, "organization"}


class TestRefused:
    @pytest.mark.parametrize(
        ("breakage", "reason"),
        [
            (
                "json-denied",
                (
                    "the list of accounts was not given: denied (AccessDeniedException); "
                    "only the management account and delegated administrators may list them"
                ),
            ),
            (
                "not-in-use",
                "the list of accounts was not given: refused (AWSOrganizationsNotInUseException)",
            ),
            ("bad-json", "the list of accounts was not given: the answer could not be read"),
            ("reset", "the list of accounts was not given: no answer (the connection broke)"),
        ],
    )
    def test_the_organization_fails_and_our_own_account_is_listed(
        self, org: IamCase, breakage, reason
    ) -> None:
        org.proxy.plan(Fault(breakage, "ListAccounts"))
        pulled = pull(org)
        found = told(pulled)
        assert found["organization"][0] == "failed"
        assert found["organization"][1].startswith(reason)
        assert found[OWN] == ("complete", None)
        assert set(found) == {OWN, "organization"}
        assert len(pulled.rows) == 5

    def test_a_list_that_breaks_off_gives_what_it_had(self, org: IamCase) -> None:
        org.iam.organization = [member(f"{number:012}") for number in range(30)]
        org.proxy.plan(Fault("json-denied", "ListAccounts", after=1))
        found = told(pull(org))
        assert found["organization"][0] == "partial"
        assert found["organization"][1].startswith("the list of accounts broke off after 1 page: denied")
        assert len(found) == 20 + 1 + 1
        assert found[OWN] == ("complete", None)

    def test_whoever_cannot_sign_in_cannot_list(self, org: IamCase) -> None:
        org.proxy.plan(Fault("expired", "GetCallerIdentity"))
        found = told(pull(org))
        assert {scope: status for scope, (status, _) in found.items()} == {
            "organization": "failed",
            "unknown-account": "failed",
        }
        assert org.proxy.asked("ListAccounts") == []

    def test_an_answer_about_ourselves_that_is_no_answer(self, org: IamCase) -> None:
        org.proxy.plan(Fault("bad-json", "GetCallerIdentity"))
        assert told(org.pull(accounts=[]))["unknown-account"] == (
            "failed",
            "could not sign in to the account: the answer could not be read",
        )


class TestEveryKind:
    @pytest.fixture
    def members(self, moto: str) -> Iterator[list[str]]:
        """An organization in moto, whose accounts have a Status and no State."""
        from moto.backends import get_backend

        get_backend("organizations").reset()
        organizations = boto3.client("organizations", region_name="us-east-1", endpoint_url=moto)
        organizations.create_organization(FeatureSet="ALL")
        for name in ("one", "two"):
            organizations.create_account(AccountName=name, Email=f"{name}@acme.example")
        yield sorted(each["Id"] for each in organizations.list_accounts()["Accounts"])
        get_backend("organizations").reset()

    def test_secrets_of_all_its_accounts(self, aws: AwsCase, members: list[str]) -> None:
        other = next(account for account in members if account != ACCOUNT)
        aws.plant("theirs", account=other)
        pulled = aws.pull(accounts="organization", regions=[HEALTHY])
        assert {scope: status for scope, (status, _) in told(pulled).items()} == {
            **{f"{account}/{HEALTHY}": "complete" for account in members},
            "organization": "complete",
        }
        assert [row.name for row in pulled.rows if row.scope.startswith(other)] == ["theirs"]


class TestSettings:
    @pytest.mark.parametrize("kind", ["aws-iam", "aws-secrets-manager"])
    @pytest.mark.parametrize(
        ("change", "path", "message"),
        [
            ({"accounts": "organisation"}, ("accounts",), "write a list of accounts, or `organization`"),
            (
                {"accounts": ["organization"]},
                ("accounts", 0),
                "neither a 12-digit account id nor a role ARN",
            ),
            ({"role": "auditor"}, ("role",), NO_ROLE),
            ({"role": "keyaudit"}, ("role",), NO_ROLE),
            ({"accounts": [], "external_id": "acme-audit"}, ("external_id",), NO_ROLE),
            (
                {"accounts": "organisation", "role": "auditor"},
                ("accounts",),
                "write a list of accounts, or `organization`",
            ),
            (
                {"accounts": [OWN], "skip_accounts": [OTHER]},
                ("skip_accounts",),
                "only with `accounts: organization`; leave the account out of the list instead",
            ),
            (
                {"accounts": "organization", "skip_accounts": ["1"]},
                ("skip_accounts", 0),
                "not a 12-digit account id",
            ),
            (
                {"accounts": "organization", "skip_accounts": [int(OWN)]},
                ("skip_accounts", 0),
                "an account id needs quotes, or its leading zeros are lost",
            ),
        ],
    )
    def test_a_mistake_is_placed_and_said(self, kind, change, path, message) -> None:
        found = check_settings({"name": "t", "kind": kind, **change})
        assert [(each.path, each.message) for each in found] == [(path, message)]

    @pytest.mark.parametrize(
        "fine", [{"external_id": None}, {"accounts": [OTHER], "role": "a", "external_id": "acme-audit"}]
    )
    def test_roles_go_with_accounts_to_enter(self, fine) -> None:
        assert not check_settings({"name": "t", "kind": "aws-iam", **fine})


def test_an_account_that_is_entered_lies_in_the_region_of_the_profile(
    iam: IamCase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """China and GovCloud are found by it: their IAM and their account service answer elsewhere."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    (tmp_path / "aws-config").write_text(
        "[profile beijing]\nregion = cn-north-1\naws_access_key_id = testing\naws_secret_access_key = nobody\n"
    )
    entry = iam.entry(profile="beijing", accounts=[OTHER])
    settings = AwsIamSettings.model_validate(entry)
    base = sign_in(settings)
    account = enter(OTHER, own_account(base), base, settings)
    assert (account.session.home_region(), base.home_region()) == ("cn-north-1", "cn-north-1")
    assert b"arn%3Aaws-cn%3Aiam" in iam.proxy.asked("AssumeRole")[0].body
    assert account.session.raw.get_credentials().access_key == key_of_account(OTHER)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "iam.amazonaws.com"),
        ("eu-west-1", "iam.amazonaws.com"),
        ("cn-north-1", "iam.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "iam.us-gov.amazonaws.com"),
        ("us-iso-east-1", "iam.us-iso-east-1.c2s.ic.gov"),
        ("eusc-de-east-1", "iam.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_any_region_leads_to_the_iam_of_its_partition(region: str, host: str) -> None:
    session = Session(AwsIamSettings.model_validate({"name": "t", "kind": "aws-iam"}))
    assert session.client("iam", region).meta.endpoint_url == f"https://{host}"


def test_a_large_organization_costs_two_calls_an_account_besides_its_lists(org: IamCase) -> None:
    members = [f"{number:012}" for number in range(200)]
    org.iam.organization = [member(OWN), *map(member, members)]
    for account in members:
        key = Key(f"AKIA{account}", NOW - DAY)
        org.iam.account(account).put("only", NOW - DAY, key)
    pulled = pull(org, lists=["service-specific"])
    assert len(pulled.coverage) == 202
    asked = [each.operation for each in org.proxy.log]
    assert {name: asked.count(name) for name in asked} == {
        "GetCallerIdentity": 1,
        "ListAccounts": 21,
        "AssumeRole": 200,
        "ListServiceSpecificCredentials": 201,
    }


def test_nothing_of_an_account_but_its_id_is_kept(org: IamCase) -> None:
    assert "CANARY" not in repr(pull(org))


def test_opening_asks_nobody(org: IamCase) -> None:
    open_source(org.entry(accounts="organization"), clock=lambda: NOW)
    assert org.proxy.log == []

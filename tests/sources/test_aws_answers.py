"""Answers of AWS that no AWS would give: without an end, and nested without an end, in both protocols."""

from __future__ import annotations

import gc
import resource
from typing import Any

import pytest

from keyaudit.sources.aws.accounts import Session
from keyaudit.sources.aws.iam.settings import AwsIamSettings
from servers.breakages import answers
from servers.fault_proxy import Fault
from servers.iam import OWN
from sources.iam_case import OTHER, IamCase
from sources.kms_case import BROKEN, HEALTHY, KmsCase

TOO_LARGE = "the answer was far too large"
DEEP = "[" * 200_000 + "]" * 200_000


def told(pulled) -> dict[str, tuple[str, Any]]:
    return {each.scope: (str(each.status), each.reason) for each in pulled.coverage}


class TestEndless:
    @pytest.mark.parametrize("status", ["200", "400", "500"])
    def test_an_answer_in_json_that_does_not_end_is_given_up(self, kms: KmsCase, status: str) -> None:
        before = peak()
        kms.proxy.plan(Fault("endless", "ListKeys", scope=BROKEN, headers={"status": status}))
        found = told(kms.pull())
        assert found[f"{OWN}/{BROKEN}"] == ("failed", TOO_LARGE)
        assert found[f"{OWN}/{HEALTHY}"][0] == "complete"
        assert len(kms.proxy.asked("ListKeys", BROKEN)) == 1
        assert peak() - before < 400 * 2**20

    def test_one_answer_of_many_costs_only_itself(self, kms: KmsCase) -> None:
        kms.proxy.plan(Fault("endless", "ListResourceTags", scope=BROKEN, times=1))
        status, reason = told(kms.pull())[f"{OWN}/{BROKEN}"]
        assert status == "partial"
        assert reason.startswith("1 of ")
        assert reason.endswith(TOO_LARGE)

    def test_an_answer_in_xml_that_does_not_end_is_given_up(self, iam: IamCase) -> None:
        iam.proxy.plan(Fault("endless", "GetCredentialReport"), Fault("endless", "ListUsers"))
        status, reason = told(iam.pull(accounts=[OWN]))[OWN]
        assert (status, reason.split("; ")[0]) == ("failed", TOO_LARGE)

    @pytest.mark.parametrize(
        ("operation", "accounts"), [("GetCallerIdentity", []), ("AssumeRole", [OWN, OTHER])]
    )
    def test_neither_is_one_about_who_asks(self, iam: IamCase, operation: str, accounts: list[str]) -> None:
        iam.proxy.plan(Fault("endless", operation))
        assert ("failed", f"could not sign in to the account: {TOO_LARGE}") in told(
            iam.pull(accounts=accounts)
        ).values()

    def test_connections_are_still_kept_and_used_again(self, iam: IamCase) -> None:
        settings = AwsIamSettings.model_validate(iam.entry())
        client = Session(settings).client("iam", "us-east-1")
        for _ in range(5):
            client.list_users()
        pools = client._endpoint.http_session._manager.pools
        (pool,) = [pools[key] for key in pools.keys()]  # noqa: SIM118 - not a mapping that iterates
        assert (pool.num_requests, pool.num_connections) == (5, 1)


class TestNested:
    @pytest.fixture(autouse=True)
    def _deep(self, kms: KmsCase, iam: IamCase) -> None:
        for proxy in (kms.proxy, iam.proxy):
            more = {
                "deep": answers(200, f'{{"Keys": [], "other": {DEEP}}}'),
                "deep-entry": answers(200, f'{{"Keys": [{{"KeyId": {DEEP}}}]}}'),
                "deep-error": answers(400, f'{{"__type": "AccessDeniedException", "other": {DEEP}}}'),
                "deep-xml": answers(200, "<a>" * 200_000 + "</a>" * 200_000),
            }
            proxy._dialect.breakages = {**proxy._dialect.breakages, **more}

    @pytest.mark.parametrize("breakage", ["deep", "deep-entry", "deep-error"])
    @pytest.mark.parametrize("operation", ["ListKeys", "DescribeKey"])
    def test_in_json_it_cannot_be_read(self, kms: KmsCase, breakage: str, operation: str) -> None:
        kms.proxy.plan(Fault(breakage, operation, scope=BROKEN))
        found = told(kms.pull())
        status, reason = found[f"{OWN}/{BROKEN}"]
        assert status == ("failed" if operation == "ListKeys" else "partial")
        assert "the answer could not be read" in reason
        assert found[f"{OWN}/{HEALTHY}"][0] == "complete"

    @pytest.mark.parametrize("breakage", ["deep-xml", "deep-error"])
    def test_in_xml_it_cannot_be_read(self, iam: IamCase, breakage: str) -> None:
        iam.proxy.plan(Fault(breakage, "GenerateCredentialReport"), Fault(breakage, "ListUsers"))
        status, reason = told(iam.pull(accounts=[OWN]))[OWN]
        assert (status, reason.split("; ")[0]) == ("failed", "the answer could not be read")

    def test_nor_can_one_about_the_accounts_of_an_organization(self, iam: IamCase) -> None:
        iam.proxy.plan(Fault("deep-error", "ListAccounts"))
        status, reason = told(iam.pull(accounts="organization"))["organization"]
        assert status == "failed"
        assert "the answer could not be read" in reason


def peak() -> int:
    gc.collect()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

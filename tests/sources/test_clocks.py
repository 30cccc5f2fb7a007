"""A clock that is off makes every key younger or older than it is: that is said, not believed."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from keyaudit.sources import open_source
from keyaudit.times import HOUR, MINUTE, SECOND
from servers import openai
from servers.listing import listing_server
from servers.openai import OpenAi
from sources.gcp_iam_case import HEALTHY, NOW, GcpIamCase

CASES = [
    (0, "complete", None),
    (4 * MINUTE, "complete", None),
    (3 * HOUR + 30 * SECOND, "partial", "this machine's clock is 3 h ahead of the server's"),
    (-90 * MINUTE - 30 * SECOND, "partial", "this machine's clock is 1 h 30 min behind the server's"),
]


def pulled(off: int, *, compare: bool = True):
    with OpenAi() as server:
        server.put_key("proj_web", "key_1", created_at=1_700_000_000)
        entry = {
            "name": "acme",
            "kind": "openai",
            "admin_keys": False,
            "endpoint": server.url,
            "cache": False,
        }
        source = open_source(
            entry,
            clock=lambda: round(time.time() * SECOND) + off,
            environment={"OPENAI_ADMIN_KEY": openai.KEY},
            compare_clocks=compare,
        )
        return source.pull(lambda report: None)


@pytest.mark.parametrize(("off", "status", "reason"), CASES, ids=[str(case[0]) for case in CASES])
def test_a_clock_that_is_off_is_noticed_by_the_date_of_an_answer(off, status, reason) -> None:
    (scope,) = pulled(off).coverage
    assert scope.status == status
    assert (scope.reason or "").startswith(reason or "")
    assert bool(scope.reason) is (reason is not None)


@pytest.mark.parametrize(("off", "status", "reason"), CASES, ids=[str(case[0]) for case in CASES])
def test_the_date_that_stands_before_an_answer_over_grpc_is_heard_as_well(
    gcp_iam: GcpIamCase, off, status, reason
) -> None:
    gcp_iam.server.date = formatdate(time.time() - off / SECOND, usegmt=True)
    source = open_source(
        gcp_iam.entry(projects=[HEALTHY]), clock=lambda: round(time.time() * SECOND), compare_clocks=True
    )
    (scope,) = source.pull(lambda report: None).coverage
    assert scope.status == status
    assert (scope.reason or "").startswith(reason or "")
    assert bool(scope.reason) is (reason is not None)


@pytest.mark.parametrize("date", [None, "noon", "Sat, 1 Jan 99999999999 00:00:00 GMT"])
def test_without_a_date_over_grpc_no_clock_is_off(gcp_iam: GcpIamCase, date: str | None) -> None:
    gcp_iam.server.date = date
    source = open_source(gcp_iam.entry(projects=[HEALTHY]), clock=lambda: NOW, compare_clocks=True)
    (scope,) = source.pull(lambda report: None).coverage
    assert (scope.status, scope.reason) == ("complete", None)


def test_a_server_that_does_not_say_the_time_is_taken_at_its_word() -> None:
    with listing_server(10) as url:
        entry = {"name": "aws", "kind": "aws-secrets-manager", "regions": ["eu-west-1"], "endpoint_url": url}
        source = open_source(entry, clock=lambda: 0, compare_clocks=True)
        (scope,) = source.pull(lambda report: None).coverage
    assert scope.status == "complete"


def test_nothing_is_compared_with_a_clock_that_is_no_real_one() -> None:
    (scope,) = pulled(400 * HOUR, compare=False).coverage
    assert scope.status == "complete"

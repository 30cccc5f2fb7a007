"""What Google does with service-account keys, said through its IAM client and its own credentials."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from google.api_core import exceptions
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import Request
from google.cloud import iam_admin_v1 as iam
from google.cloud import monitoring_v3 as monitoring
from google.cloud.iam_admin_v1.services.iam.transports import IAMGrpcTransport
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport
from google.oauth2 import service_account

from keyaudit.sources import open_source
from keyaudit.times import DAY, SECOND, parse_instant
from servers.clock import Clock
from servers.fault_proxy import Fault, FaultProxy
from servers.google_iam import FILTER, GoogleIam
from servers.google_tokens import GoogleOAuth, TokenEndpoint
from servers.grpc_server import GrpcServer
from sources.contract import nobody

NOW = parse_instant("2026-05-01T12:00:00Z")
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


class Google:
    """One project with one account, and every client that a rotation of its keys needs."""

    def __init__(self) -> None:
        self.clock = Clock(NOW)
        self.iam = GoogleIam("acme-prod", clock=self.clock)
        self.account = self.iam.add("acme-prod", "worker")
        self.server = GrpcServer(self.iam.methods())
        self.client = iam.IAMClient(
            transport=IAMGrpcTransport(channel=grpc.insecure_channel(self.server.address))
        )
        self.tokens = TokenEndpoint(self.iam)

    def create(self) -> iam.ServiceAccountKey:
        return self.client.create_service_account_key(name=self.account)

    def listed(self) -> list[str]:
        kinds = [iam.ListServiceAccountKeysRequest.KeyType.USER_MANAGED]
        listed = self.client.list_service_account_keys(name=self.account, key_types=kinds)
        return [key.name for key in listed.keys]

    def series(self) -> dict[str, int]:
        """Sum the metric by key, as the source of the last use does."""
        channel = grpc.insecure_channel(self.server.address)
        client = monitoring.MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel))
        end = self.clock() // SECOND
        found = client.list_time_series(
            request={
                "name": "projects/acme-prod",
                "filter": FILTER,
                "interval": {
                    "start_time": {"seconds": end - 7 * DAY // SECOND},
                    "end_time": {"seconds": end},
                },
                "aggregation": {"alignment_period": {"seconds": 86_400}, "per_series_aligner": "ALIGN_SUM"},
            }
        )
        sums = {
            each.metric.labels["key_id"]: sum(point.value.int64_value for point in each.points)
            for each in found
        }
        client.transport.close()
        return sums


@pytest.fixture
def google() -> Iterator[Google]:
    google = Google()
    with google.server, google.tokens:
        yield google
    google.client.transport.close()


def file_of(key: iam.ServiceAccountKey) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(key.private_key_data)
    return content


def token(content: dict[str, Any]) -> str:
    credentials = service_account.Credentials.from_service_account_info(content, scopes=SCOPES)
    with requests.Session() as session:
        credentials.refresh(Request(session))
    return str(credentials.token)


def test_a_new_key_is_a_credentials_file_that_is_answered_once(google: Google) -> None:
    key = google.create()
    content = file_of(key)
    assert content["type"] == "service_account"
    assert content["client_email"] == "worker@acme-prod.iam.gserviceaccount.com"
    assert key.name == f"{google.account}/keys/{content['private_key_id']}"
    assert google.listed() == [key.name]
    again = google.client.get_service_account_key(
        name=key.name, public_key_type=iam.ServiceAccountPublicKeyType.TYPE_RAW_PUBLIC_KEY
    )
    assert again.private_key_data == b""
    assert again.public_key_data.startswith(b"-----BEGIN PUBLIC KEY-----")
    anywhere = f"projects/-/serviceAccounts/{content['client_email']}/keys/{content['private_key_id']}"
    assert google.client.get_service_account_key(name=anywhere).name == key.name


def test_two_keys_of_an_account_work_side_by_side_until_one_is_deleted(google: Google) -> None:
    old, new = file_of(google.create()), file_of(google.create())
    assert token(old) != token(new)
    google.client.delete_service_account_key(name=f"{google.account}/keys/{old['private_key_id']}")
    with pytest.raises(RefreshError, match="invalid_grant"):
        token(old)
    assert token(new)
    assert google.tokens.calls == [each["private_key_id"] for each in (old, new, old, new)]
    assert google.tokens.refused == [old["private_key_id"]]
    with pytest.raises(exceptions.NotFound):
        google.client.delete_service_account_key(name=f"{google.account}/keys/{old['private_key_id']}")


def test_a_disabled_key_is_refused_and_comes_back(google: Google) -> None:
    key = google.create()
    google.client.disable_service_account_key(name=key.name)
    assert google.client.get_service_account_key(name=key.name).disabled
    with pytest.raises(RefreshError, match="invalid_grant"):
        token(file_of(key))
    google.client.enable_service_account_key(name=key.name)
    assert token(file_of(key))


def test_a_signature_by_another_key_is_refused(google: Google) -> None:
    one, other = file_of(google.create()), file_of(google.create())
    forged = {**one, "private_key": other["private_key"]}
    with pytest.raises(RefreshError, match="Invalid JWT Signature"):
        token(forged)
    with pytest.raises(RefreshError, match="account not found"):
        token({**one, "client_email": "nobody@acme-prod.iam.gserviceaccount.com"})


def test_the_eleventh_key_fails_a_precondition_and_disabled_ones_count(google: Google) -> None:
    for number in range(9):
        google.iam.put(google.account, f"old{number}", made=NOW - DAY, disabled=True)
    google.create()
    with pytest.raises(exceptions.FailedPrecondition):
        google.create()
    google.client.delete_service_account_key(name=f"{google.account}/keys/old0")
    assert google.create().name in google.listed()


def test_what_became_of_a_key_is_known_later_where_tokens_are_given(google: Google) -> None:
    google.iam.propagation = 60 * SECOND
    key = google.create()
    with pytest.raises(RefreshError):
        token(file_of(key))
    google.clock.advance(60 * SECOND)
    assert token(file_of(key))
    google.client.delete_service_account_key(name=key.name)
    assert token(file_of(key)), "a deleted key works on for a while"
    google.clock.advance(60 * SECOND)
    with pytest.raises(RefreshError):
        token(file_of(key))


def test_a_token_outlives_its_key_for_an_hour(google: Google) -> None:
    key = google.create()
    given = token(file_of(key))
    google.client.delete_service_account_key(name=key.name)
    ask = f"{google.tokens.url}/tokeninfo"
    assert requests.get(ask, params={"access_token": given}, timeout=5).json()["expires_in"] == "3599"
    google.clock.advance(3599 * SECOND)
    assert requests.get(ask, params={"access_token": given}, timeout=5).status_code == 400


def test_each_token_is_an_event_of_its_key_and_shows_three_hours_later(google: Google) -> None:
    old, new = file_of(google.create()), file_of(google.create())
    for each in (old, old, new):
        token(each)
    assert google.series() == {}
    google.clock.advance(3 * 3600 * SECOND)
    assert google.series() == {old["private_key_id"]: 2, new["private_key_id"]: 1}


def test_the_audit_sees_which_key_was_used_and_which_was_retired(google: Google, tmp_path: Path) -> None:
    old, new = google.create(), file_of(google.create())
    token(file_of(old))
    token(new)
    google.client.disable_service_account_key(name=old.name)
    google.clock.advance(DAY)
    entry = {
        "name": "tested",
        "kind": "gcp-iam",
        "projects": ["acme-prod"],
        "endpoint": google.server.address,
        "cache": False,
    }
    (row,) = open_source(entry, clock=google.clock, cache_dir=tmp_path).pull(nobody).rows
    states = {each.id: (each.state, each.authenticates) for each in row.versions or ()}
    assert states == {
        old.name.rpartition("/")[2]: ("disabled", False),
        new["private_key_id"]: ("current", True),
    }
    used = {each.id: each.last_used_at for each in row.versions or ()}
    assert used == dict.fromkeys(states, NOW - DAY), "the metric counts by day; the source names its start"


def test_two_who_create_at_once_get_a_key_each(google: Google) -> None:
    made: list[str] = []
    runners = [threading.Thread(target=lambda: made.append(google.create().name)) for _ in range(4)]
    for each in runners:
        each.start()
    for each in runners:
        each.join()
    assert sorted(made) == sorted(google.listed())
    assert len(set(made)) == 4


def test_a_key_whose_answer_is_lost_is_there_and_nobody_has_it(google: Google) -> None:
    google.server.plan(Fault("answer-lost", "CreateServiceAccountKey", times=1, seconds=0))
    with pytest.raises(exceptions.ServiceUnavailable):
        google.create()
    assert len(google.listed()) == 1
    google.server.deny("DeleteServiceAccountKey")
    with pytest.raises(exceptions.PermissionDenied):
        google.client.delete_service_account_key(name=google.listed()[0])
    assert google.server.calls[0] == "CreateServiceAccountKey"


def test_the_endpoint_breaks_to_order_behind_a_proxy(google: Google) -> None:
    with FaultProxy(google.tokens.url, GoogleOAuth()) as proxy:
        google.iam.token_uri = f"{proxy.url}/token"
        content = file_of(google.create())
        proxy.plan(Fault("refused", "Token", times=1), Fault("reset", "Token", times=1))
        with pytest.raises(RefreshError, match="invalid_grant"):
            token(content)
        with pytest.raises(TransportError):
            token(content)
        assert google.tokens.calls == []
        assert token(content)

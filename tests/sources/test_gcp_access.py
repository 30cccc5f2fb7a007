"""How Google is asked: by whom, for what, and what happens to everything else."""

from __future__ import annotations

import json
import logging
import threading
import time
from pathlib import Path

import google.auth
import grpc
import pytest
import yaml
from google.auth._cloud_sdk import CLOUD_SDK_CLIENT_ID
from google.auth.exceptions import RefreshError
from google.cloud import iam_admin_v1

from keyaudit.errors import PolicyError, SourceError
from keyaudit.sources import check_settings, least_privilege, open_source
from keyaudit.sources.gcp.allowed import ALLOWED
from keyaudit.sources.gcp.caller import SCOPE, Caller, sign_in
from keyaudit.sources.gcp.clients import _OPTIONS, LARGEST_ANSWER, open_client
from keyaudit.sources.gcp.iam.settings import GcpIamSettings
from keyaudit.sources.gcp.refusals import explain, unsigned
from keyaudit.sources.protocol import OperationRefusedError, StoppedError
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from servers.breakages import answers
from servers.fault_proxy import Asked, Fault, FaultProxy
from sources.gcp_iam_case import BROKEN, GcpIamCase

ENTRY = {"name": "a", "kind": "gcp-iam", "projects": [BROKEN]}
REFUSED = [
    ("CreateServiceAccountKey", "create_service_account_key"),
    ("UploadServiceAccountKey", None),
    ("GetServiceAccountKey", "get_service_account_key"),
    ("DeleteServiceAccountKey", "delete_service_account_key"),
    ("DisableServiceAccountKey", "disable_service_account_key"),
    ("SignBlob", None),
    ("SignJwt", None),
    ("SetIamPolicy", "set_iam_policy"),
    ("CreateServiceAccount", "create_service_account"),
]


def settings(**more) -> GcpIamSettings:
    return GcpIamSettings.model_validate(ENTRY | more)


def a_meter(stop: threading.Event | None = None) -> Meter:
    return Meter(Pace(10_000, stop or threading.Event()))


def iam_client(case: GcpIamCase, caller: Caller | None = None, meter: Meter | None = None, **more):
    from google.cloud import iam_admin_v1 as iam

    checked = settings(endpoint=case.server.address, attempts=3, **more)
    return open_client(iam.IAMClient, caller or sign_in(checked), checked, meter or a_meter())


def list_accounts(client):
    return client.list_service_accounts(name=f"projects/{BROKEN}")


@pytest.fixture(scope="session")
def private_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private_key: str):
    """Sign in with a service account's key, whose file says where tokens come from."""

    def write(token_uri: str) -> None:
        file = tmp_path / "key.json"
        content = {
            "type": "service_account",
            "project_id": "acme-audit",
            "client_email": "ci@acme-audit.iam.gserviceaccount.com",
            "private_key": private_key,
            "token_uri": token_uri,
        }
        file.write_text(json.dumps(content))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    return write


class TokenEndpoint(FaultProxy):
    """Answers like Google's token endpoint, as often as it is asked."""

    def __init__(self, status: int, body: dict) -> None:
        super().__init__("http://127.0.0.1:1", self)
        self.breakages = {"say": answers(status, json.dumps(body), {"Content-Type": "application/json"})}
        self.plan(Fault("say", "token"))

    def asked(self, handler, body: bytes) -> Asked:
        return Asked("oauth2", "token", "", "", body, time.monotonic())


@pytest.mark.parametrize(("method", "call"), REFUSED, ids=[case[0] for case in REFUSED])
def test_other_methods_are_refused_and_the_server_hears_nothing(
    gcp_iam: GcpIamCase, method: str, call: str | None
) -> None:
    meter = a_meter()
    client = iam_client(gcp_iam, meter=meter)
    raw = client.transport.grpc_channel.unary_unary(f"/google.iam.admin.v1.IAM/{method}")
    ask = getattr(client, call) if call else lambda request: raw(b"", timeout=5)
    with pytest.raises(OperationRefusedError, match=f"{method} is not on the read-only list") as caught:
        ask(request={})
    assert gcp_iam.server.log == []
    assert meter.calls == 0
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("shape", ["unary_stream", "stream_unary", "stream_stream"])
def test_whatever_streams_is_refused_even_if_its_name_is_on_the_list(gcp_iam: GcpIamCase, shape: str) -> None:
    channel = iam_client(gcp_iam).transport.grpc_channel
    call = getattr(channel, shape)("/google.iam.admin.v1.IAM/ListServiceAccounts")
    asked = b"" if shape == "unary_stream" else iter([b""])
    with pytest.raises(OperationRefusedError, match="streams and is not on the read-only list"):
        next(call(asked))
    assert gcp_iam.server.log == []


def test_a_listed_method_passes(gcp_iam: GcpIamCase) -> None:
    assert len(list(list_accounts(iam_client(gcp_iam)))) == 4
    assert [each.operation for each in gcp_iam.server.log] == ["ListServiceAccounts"]


def test_no_listed_method_can_give_a_value_or_change_one() -> None:
    assert all(name.rsplit("/", 1)[1].startswith("List") for name in ALLOWED)


@pytest.mark.parametrize(
    ("failing", "kind", "calls"),
    [
        ("denied", Kind.DENIED, 1),
        ("expired", Kind.EXPIRED, 1),
        ("gone", Kind.GONE, 1),
        ("not-enabled", Kind.NOT_ENABLED, 1),
        ("token-refused", Kind.OTHER, 1),
        ("throttled", Kind.THROTTLED, 3),
        ("server-error", Kind.SERVER, 3),
        ("unknown", Kind.SERVER, 3),
        ("unavailable", Kind.UNREACHABLE, 3),
        ("bad-message", Kind.UNREADABLE, 3),
    ],
)
def test_what_may_pass_is_asked_again_and_counted_each_time(
    gcp_iam: GcpIamCase, failing: str, kind: Kind, calls: int
) -> None:
    meter = a_meter()
    hold = {"hold": "0"} if failing == "throttled" else {}
    gcp_iam.server.plan(Fault(failing, "ListServiceAccounts", headers=hold))
    with pytest.raises(RefusedError) as caught:
        list_accounts(iam_client(gcp_iam, meter=meter))
    assert caught.value.refusal.kind is kind
    assert meter.calls == len(gcp_iam.server.log) == calls
    assert "CANARY" not in caught.value.refusal.reason
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(("token", "kind"), [("after-100", Kind.REPEATED), ("", Kind.OTHER)])
def test_only_a_refused_token_is_a_list_that_cannot_go_on(
    gcp_iam: GcpIamCase, token: str, kind: Kind
) -> None:
    gcp_iam.server.plan(Fault("token-refused", "ListServiceAccounts"))
    request = {"name": f"projects/{BROKEN}", "page_token": token}
    with pytest.raises(RefusedError) as caught:
        iam_client(gcp_iam).list_service_accounts(request)
    assert caught.value.refusal.kind is kind


def test_a_throttled_scope_stays_away_as_long_as_google_asks(gcp_iam: GcpIamCase) -> None:
    gcp_iam.server.plan(Fault("throttled", "ListServiceAccounts", times=1, headers={"hold": "0.3"}))
    meter = a_meter()
    list_accounts(iam_client(gcp_iam, meter=meter))
    first, second = (each.at for each in gcp_iam.server.log)
    assert second - first >= 0.3
    assert meter.throttled == 1


def test_a_service_that_says_when_to_come_back_is_left_alone_until_then(gcp_iam: GcpIamCase) -> None:
    gcp_iam.server.plan(Fault("unavailable", "ListServiceAccounts", headers={"hold": "86400"}))
    meter = a_meter()
    with pytest.raises(RefusedError, match=r"^throttled \(asked to stay away for 86,400 s\)$"):
        list_accounts(iam_client(gcp_iam, meter=meter))
    assert (meter.calls, meter.throttled) == (1, 1)


def test_a_time_to_stay_away_that_lies_in_the_past_is_none(gcp_iam: GcpIamCase) -> None:
    gcp_iam.server.plan(Fault("throttled", "ListServiceAccounts", times=1, headers={"hold": "-5"}))
    assert len(list(list_accounts(iam_client(gcp_iam)))) == 4


def test_an_answer_that_is_far_too_large_is_not_taken_in_nor_asked_for_again(gcp_iam: GcpIamCase) -> None:
    assert ("grpc.max_receive_message_length", LARGEST_ANSWER) in _OPTIONS
    request = iam_admin_v1.ListServiceAccountsRequest(name=f"projects/{BROKEN}")
    with grpc.insecure_channel(
        gcp_iam.server.address, options=[("grpc.max_receive_message_length", 100)]
    ) as channel:
        call = channel.unary_unary(
            "/google.iam.admin.v1.IAM/ListServiceAccounts",
            request_serializer=iam_admin_v1.ListServiceAccountsRequest.serialize,
        )
        with pytest.raises(grpc.RpcError) as caught:
            call(request)
    refused = explain(caught.value, paging=False).refusal
    assert (refused.kind, refused.reason) == (Kind.OTHER, "the answer was far too large")


def test_one_answer_may_take_as_long_as_the_settings_say(gcp_iam: GcpIamCase) -> None:
    gcp_iam.server.plan(Fault("silent", "ListServiceAccounts", times=1, seconds=5))
    started = time.monotonic()
    assert len(list(list_accounts(iam_client(gcp_iam, timeout="200ms")))) == 4
    assert time.monotonic() - started < 4


def test_a_pull_that_is_stopped_asks_nothing_more(gcp_iam: GcpIamCase) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        list_accounts(iam_client(gcp_iam, meter=a_meter(stop)))
    assert gcp_iam.server.log == []


def test_a_line_that_nobody_answers_on_is_no_answer() -> None:
    from google.cloud import iam_admin_v1 as iam

    checked = settings(endpoint="127.0.0.1:1", attempts=2)
    client = open_client(iam.IAMClient, sign_in(checked), checked, a_meter())
    with pytest.raises(RefusedError) as caught:
        list_accounts(client)
    assert caught.value.refusal.kind is Kind.UNREACHABLE


def test_an_emulator_is_told_nothing_about_the_caller(gcp_iam: GcpIamCase) -> None:
    list_accounts(iam_client(gcp_iam))
    assert "authorization" not in gcp_iam.server.log[0].metadata
    assert gcp_iam.server.log[0].metadata["x-goog-api-client"].startswith("keyaudit/")


def test_nobody_to_sign_in_as_is_said_at_once() -> None:
    with pytest.raises(SourceError, match="source a: no Google credentials") as caught:
        open_source(ENTRY, clock=lambda: 0).pull(lambda report: None)
    assert "gcloud auth application-default login" in (caught.value.hint or "")


def test_a_token_is_fetched_once_and_goes_along_with_every_call(gcp_iam: GcpIamCase, key_file) -> None:
    with TokenEndpoint(
        200, {"access_token": "CANARY-token", "expires_in": 3600, "token_type": "Bearer"}
    ) as tokens:
        key_file(f"{tokens.url}/token")
        caller = sign_in(settings(quota_project="acme-audit"))
        client = iam_client(gcp_iam, caller)
        list_accounts(client)
        list_accounts(client)
    assert [each.metadata["authorization"] for each in gcp_iam.server.log] == ["Bearer CANARY-token"] * 2
    assert [each.metadata["x-goog-user-project"] for each in gcp_iam.server.log] == ["acme-audit"] * 2
    assert len(tokens.log) == 1
    assert caller.charged_to == "acme-audit"
    assert "CANARY" not in repr(caller)


def test_a_token_that_is_refused_ends_the_call_before_google_is_asked(gcp_iam: GcpIamCase, key_file) -> None:
    with TokenEndpoint(400, {"error": "invalid_grant", "error_description": "CANARY"}) as tokens:
        key_file(f"{tokens.url}/token")
        with pytest.raises(RefusedError) as caught:
            list_accounts(iam_client(gcp_iam, sign_in(settings())))
    assert caught.value.refusal.kind is Kind.EXPIRED
    assert caught.value.refusal.reason == "no usable credentials (RefreshError)"
    assert gcp_iam.server.log == []


def test_a_token_that_may_come_later_is_asked_for_again() -> None:
    failing = unsigned(RefreshError("CANARY", retryable=True))
    assert failing.refusal.kind is Kind.UNREACHABLE
    assert failing.refusal.reason == "no answer (RefreshError)"


def test_a_token_endpoint_out_of_reach_is_no_answer(gcp_iam: GcpIamCase, key_file) -> None:
    key_file("http://127.0.0.1:1/token")
    with pytest.raises(RefusedError) as caught:
        list_accounts(iam_client(gcp_iam, sign_in(settings())))
    assert caught.value.refusal.kind is Kind.UNREACHABLE
    assert caught.value.refusal.reason == "no answer (TransportError)"


def test_google_auth_keeps_its_advice_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "user.json"
    content = {"type": "authorized_user", "client_secret": "CANARY", "refresh_token": "CANARY"}
    file.write_text(json.dumps(content | {"client_id": CLOUD_SDK_CLIENT_ID}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.warns(UserWarning, match="without a quota project"):
        google.auth.default()
    sign_in(settings())
    taken = [type(each) for each in logging.getLogger("google.auth").handlers]
    assert logging.NullHandler in taken


def test_an_impersonated_account_asks_with_the_callers_quota_project(
    key_file,
) -> None:
    key_file("http://127.0.0.1:1/token")
    account = "keyaudit@acme-audit.iam.gserviceaccount.com"
    caller = sign_in(settings(impersonate=account, quota_project="acme-audit"))
    assert caller.credentials.service_account_email == account
    assert caller.email == account
    assert caller.credentials._target_scopes == [SCOPE]
    assert caller.credentials.quota_project_id == caller.charged_to == "acme-audit"


def test_a_real_service_is_asked_over_tls_at_its_own_name() -> None:
    from google.cloud import iam_admin_v1 as iam

    client = open_client(iam.IAMClient, Caller(None), settings(), a_meter())
    assert client.transport.host == "iam.googleapis.com:443"
    client.transport.close()


@pytest.mark.parametrize(
    ("wrong", "path", "message"),
    [
        ({"projects": []}, (), "says nowhere to look: set `projects`"),
        ({"projects": ["Acme"]}, ("projects", 0), "not a project id such as acme-prod"),
        ({"projects": [123456789]}, ("projects", 0), "a project's number; write its id, such as acme-prod"),
        ({"projects": ["123456789"]}, ("projects", 0), "a project's number; write its id, such as acme-prod"),
        ({"projects": ["acme-prod", "acme-prod"]}, ("projects",), "lists one thing twice"),
        ({"impersonate": "me@example.com"}, ("impersonate",), "not the address of a service account"),
        (
            {"endpoint": "iam.example.com:443"},
            ("endpoint",),
            "an emulator is host:port on this machine, such as 127.0.0.1:8085",
        ),
        (
            {"endpoint": "http://127.0.0.1:80"},
            ("endpoint",),
            "an emulator is host:port on this machine, such as 127.0.0.1:8085",
        ),
        (
            {"endpoint": "127.0.0.1:80", "impersonate": "keyaudit@acme-audit.iam.gserviceaccount.com"},
            (),
            "`impersonate` is for Google itself: an emulator at `endpoint` is told of no credentials",
        ),
        ({"last_uses": True}, ("last_uses",), "unknown setting; did you mean last_use?"),
    ],
)
def test_settings_say_what_is_wrong_with_them(wrong: dict, path: tuple, message: str) -> None:
    assert [(each.path, each.message) for each in check_settings(ENTRY | wrong)] == [(path, message)]
    with pytest.raises(PolicyError):
        open_source(ENTRY | wrong, clock=lambda: 0)


def test_settings_have_defaults_under_the_quota() -> None:
    found = settings(projects=["acme-prod", "example.com:acme-old"])
    assert (found.requests_per_second, found.last_use, found.impersonate, found.quota_project) == (
        90,
        True,
        None,
        None,
    )


def test_the_role_grants_what_the_settings_ask_for_and_no_more() -> None:
    def granted(*entries: dict) -> list[str]:
        return yaml.safe_load(least_privilege("gcp-iam", entries))["includedPermissions"]

    keys = ["iam.serviceAccountKeys.list", "iam.serviceAccounts.list"]
    assert granted() == [*keys, "monitoring.timeSeries.list"]
    assert granted(ENTRY | {"last_use": False}) == keys
    assert granted(ENTRY | {"last_use": False}, ENTRY) == [*keys, "monitoring.timeSeries.list"]


def test_the_role_comes_with_what_else_its_settings_need_and_with_the_denial() -> None:
    plain = least_privilege("gcp-iam", [ENTRY])
    more = {"quota_project": "acme-audit", "impersonate": "k@acme-audit.iam.gserviceaccount.com"}
    full = least_privilege("gcp-iam", [ENTRY | more])
    for needed in ("serviceusage.services.use", "roles/iam.serviceAccountTokenCreator"):
        assert needed not in plain
        assert needed in full
    denial = yaml.safe_load(
        "\n".join(line.removeprefix("# ") for line in plain[plain.index("# displayName") :].splitlines())
    )
    denied = denial["rules"][0]["denyRule"]["deniedPermissions"]
    assert "iam.googleapis.com/serviceAccountKeys.create" in denied
    role = yaml.safe_load(plain)
    assert not {each.rsplit("/", 1)[1] for each in denied} & {
        each.split(".", 1)[1] for each in role["includedPermissions"]
    }
    assert (role["stage"], role["title"]) == ("GA", "keyaudit")

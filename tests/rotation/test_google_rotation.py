"""A service account's key in Secret Manager is rotated under an application that signs in throughout."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import grpc
import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import Request as AuthRequest
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)
from google.oauth2 import service_account

from keyaudit.errors import RotationError, SlotsFullError
from keyaudit.rotation.doors.google_grants import least_privilege, permissions
from keyaudit.rotation.journal import FileJournal, Request
from keyaudit.rotation.party import Means
from keyaudit.rotation.probes.google import _meant
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.settings import open_parties, read_settings
from keyaudit.rotation.sight import Liveness
from keyaudit.rotation.steps import Blocked, Done, Goal, Order, Outcome, Promote, Revoke, Stage
from keyaudit.sources import open_source
from keyaudit.sources.gcp.grants import NEVER
from keyaudit.times import DAY, HOUR, MINUTE, SECOND
from rotation.parties import Alone, listed, opened
from rotation.stores.gcp_secret_case import PERMISSIONS
from servers.clock import Clock
from servers.fault_proxy import Fault
from servers.google_iam import GoogleIam
from servers.google_secret_manager import SecretManager
from servers.google_tokens import TokenEndpoint
from servers.grpc_server import GrpcServer
from sources.contract import nobody

START = 1_767_225_600 * SECOND
ACCOUNT = "worker@acme-prod.iam.gserviceaccount.com"
SECRET = "projects/424242/secrets/worker-key"
NEEDED = {
    **PERMISSIONS,
    "ListServiceAccountKeys": "iam.serviceAccountKeys.list",
    "CreateServiceAccountKey": "iam.serviceAccountKeys.create",
    "DisableServiceAccountKey": "iam.serviceAccountKeys.disable",
    "DeleteServiceAccountKey": "iam.serviceAccountKeys.delete",
    "ListTimeSeries": "monitoring.timeSeries.list",
}


class Google:
    """One project whose secret holds a key of its one account."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.folder = Clock(START), folder
        self.iam = GoogleIam("acme-prod", clock=self.clock)
        self.account = self.iam.add("acme-prod", "worker")
        self.manager = SecretManager({"acme-prod": 424242}, clock=self.clock)
        self.server = GrpcServer({**self.iam.methods(), **self.manager.methods()})
        self.tokens = TokenEndpoint(self.iam)
        self.where = {"project": "acme-prod", "endpoint": self.server.address}

    def begin(self) -> None:
        self.issuer = opened("issuer", {"kind": "google-service-account", "account": ACCOUNT, **self.where})
        first = self.issuer.mint("none", frozenset())
        self.first = first.key_id
        secret = self.manager.plant(
            "worker-key", project="acme-prod", created=START, value=first.parts["json"].encode()
        )
        secret.version_aliases["current"] = 1
        self.clock.advance(30 * DAY)
        self.server.log.clear()

    def client(self) -> sm.SecretManagerServiceClient:
        channel = grpc.insecure_channel(self.server.address)
        return sm.SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))

    def runner(self, around: Any) -> Runner:
        settings = read_settings(
            {
                "name": "worker",
                "store": {"kind": "gcp-secret-manager", "secret": "worker-key", **self.where},
                "issuer": {"kind": "google-service-account", "account": ACCOUNT, **self.where},
                "probe": {"kind": "google"},
                "silence": {"kind": "google-service-account", **self.where},
            }
        )
        self.parties = open_parties(settings, Means(self.clock))
        self.journal = FileJournal(
            self.folder / "rotation.ndjson", "worker", self.parties.store.credential, Request("me", "you")
        )
        return Runner(self.parties, self.journal, around)

    def live(self) -> list[str]:
        return [key.id for key in listed(self.issuer) if key.active]


class Application:
    """Reads the alias `current`, signs in with the key that is there, and starts again."""

    def __init__(self, google: Google) -> None:
        self._client, self._done = google.client(), threading.Event()
        self._answered = threading.Condition()
        self.count, self.failures, self.keys = 0, [], []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                answer = self._client.access_secret_version(name=f"{SECRET}/versions/current")
                info = json.loads(answer.payload.data)
                if info["private_key_id"] not in self.keys:
                    self.keys.append(info["private_key_id"])
                credentials = service_account.Credentials.from_service_account_info(info, scopes=["any"])
                credentials.refresh(AuthRequest())
            except (GoogleAPICallError, GoogleAuthError) as error:
                self.failures.append(error)
            with self._answered:
                self.count += 1
                self._answered.notify_all()

    def more_answers(self, *_: object) -> None:
        with self._answered:
            enough = self.count + 2
            assert self._answered.wait_for(lambda: self.count >= enough, timeout=30)

    def __enter__(self) -> Self:
        self._thread.start()
        self.more_answers()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._client.transport.close()


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    google = Google(tmp_path)
    with google.server, google.tokens:
        google.begin()
        yield google


def test_a_key_is_rotated_and_no_sign_in_fails(
    google: Google, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    google.iam.propagation = 5 * SECOND
    with Application(google) as application:
        around = Alone(google.clock, application.more_answers)
        ending = google.runner(around).run(Order())
        application.more_answers()
    assert (ending.step.outcome, application.failures) == (Outcome.ROTATED, [])
    assert application.keys == [google.first, google.live()[0]]
    assert len(google.live()) == 1
    promoted = next(at for at, step in enumerate(around.steps) if isinstance(step, Promote))
    assert any(isinstance(step, Revoke) for step in around.steps[promoted:])
    assert google.clock() - START - 30 * DAY >= 4 * HOUR  # a window, and what the metric lags
    saw = {NEEDED[call] for call in google.server.calls if call in NEEDED}
    assert saw <= set(permissions(vars_of(google))) | {"secretmanager.versions.access"}
    written = google.journal._path.read_text() + caplog.text + "".join(capfd.readouterr())
    assert "PRIVATE KEY" not in written
    assert "ya29.CANARY" not in written


def vars_of(google: Google) -> list[object]:
    parties = google.parties
    return [parties.store, parties.issuer, parties.probe, parties.silence]


def test_the_audit_sees_one_key_and_one_version_afterwards(google: Google) -> None:
    assert google.runner(Alone(google.clock)).run(Order()).step.outcome is Outcome.ROTATED
    rows = []
    for kind, more in (("gcp-secret-manager", {"locations": "none"}), ("gcp-iam", {"last_use": False})):
        entry = {
            "name": "tested", "kind": kind, "projects": ["acme-prod"], "endpoint": google.server.address,
            "requests_per_second": 10_000, **more,
        }  # fmt: skip
        rows += open_source(entry, clock=google.clock, environment={}).pull(nobody).rows
    secret, account = rows
    assert [(each.id, each.state, each.stages) for each in secret.versions] == [
        ("2", "current", ["current"]),
        ("1", "disabled", []),
    ]
    assert [(each.id, each.authenticates) for each in account.versions] == [(google.live()[0], True)]


def test_a_rotation_is_taken_back_while_the_old_key_works(google: Google) -> None:
    with Application(google) as application:
        around = Alone(google.clock, application.more_answers)
        google.runner(around).run(Order(until=Stage.PROMOTE))
        application.more_answers()
        ending = google.runner(around).run(Order(goal=Goal.BACK))
        application.more_answers()
    assert (ending.step.outcome, application.failures) == (Outcome.ROLLED_BACK, [])
    assert google.live() == [google.first]
    assert (application.keys[0], len(application.keys)) == (google.first, 2)


def test_an_emergency_ends_the_key_at_once_and_brings_another(google: Google) -> None:
    order = Order(goal=Goal.EMERGENCY, compromised=frozenset({google.first}), grace=0)
    ending = google.runner(Alone(google.clock)).run(order)
    assert ending.step.outcome is Outcome.ROTATED
    assert len(google.live()) == 1
    assert google.first not in google.live()


@pytest.mark.parametrize("lost", ["answer-lost", "unavailable"])
def test_a_key_whose_answer_was_lost_is_found_by_its_date_and_asked_about(google: Google, lost: str) -> None:
    google.server.plan(Fault(lost, "CreateServiceAccountKey", times=1))
    with pytest.raises(RotationError) as caught:
        google.runner(Alone(google.clock)).run(Order())
    assert "CANARY" not in f"{caught.value!r} {caught.value.hint} {caught.value.__context__}"
    assert len(google.server.asked("CreateServiceAccountKey")) == 1
    ending = google.runner(Alone(google.clock)).run(Order())
    if lost == "unavailable":
        assert ending.step.outcome is Outcome.ROTATED
        return
    assert isinstance(ending.step, Blocked)
    (orphan,) = set(google.live()) - {google.first}
    ending = google.runner(Alone(google.clock)).run(Order(discard=frozenset({orphan})))
    assert isinstance(ending.step, Done)
    assert orphan not in google.live()


def test_the_eleventh_key_is_not_asked_for(google: Google) -> None:
    for number in range(9):
        google.iam.put(google.account, f"more{number}", made=START)
    with pytest.raises(SlotsFullError):
        google.issuer.mint("t", frozenset())
    assert google.server.asked("CreateServiceAccountKey") == []


def test_revoking_a_key_that_is_gone_is_success(google: Google) -> None:
    google.issuer.revoke(google.first)
    google.issuer.revoke(google.first)
    assert google.live() == []
    google.server.deny("DisableServiceAccountKey")
    with pytest.raises(RotationError) as caught:
        google.issuer.revoke("any")
    assert "iam.serviceAccountKeys.disable" in str(caught.value.hint)
    assert "CANARY" not in f"{caught.value!r} {caught.value.__context__}"


def test_a_stored_file_is_recognised_by_the_id_in_it(google: Google) -> None:
    info = {"client_email": ACCOUNT, "private_key_id": google.first}
    assert google.issuer.recognise({"json": json.dumps(info)}, ()) == google.first
    others = info | {"client_email": "other@acme-prod.iam.gserviceaccount.com"}
    for text in (json.dumps(others), "no json", "[]", '"text"', "{}"):
        assert google.issuer.recognise({"json": text}, google.issuer.keys()) is None


def test_the_probe_tells_dead_from_not_known(google: Google) -> None:
    probe = opened("probe", {"kind": "google", "timeout": "5s"})
    minted = google.issuer.mint("t", frozenset())
    assert probe.ask(minted.parts) is Liveness.ALIVE
    google.issuer.revoke(minted.key_id)
    assert probe.ask(minted.parts) is Liveness.DEAD
    for text in ("no json", "{}", "[]"):
        assert probe.ask({"json": text}) is Liveness.UNKNOWN
    info = json.loads(minted.parts["json"])
    for uri in ("http://attacker.example/token", "file:///etc/passwd", "http://127.0.0.1:9/token"):
        assert probe.ask({"json": json.dumps(info | {"token_uri": uri})}) is Liveness.UNKNOWN
    away = opened("probe", {"kind": "google", "timeout": "5s", "token_uri": "http://127.0.0.1:9/token"})
    fresh = google.issuer.mint("t", frozenset())
    assert away.ask(fresh.parts) is Liveness.UNKNOWN
    lost = json.dumps(json.loads(fresh.parts["json"]) | {"token_uri": "https://nowhere.example/token"})
    here = opened("probe", {"kind": "google", "timeout": "5s", "token_uri": google.tokens.uri})
    assert here.ask({"json": lost}) is Liveness.ALIVE


def test_a_clock_that_is_off_says_nothing_of_the_key() -> None:
    told = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
    for description, liveness in ((told, "unknown"), ("Invalid JWT Signature.", "dead"), ("", "dead")):
        answer = {"error": "invalid_grant", "error_description": description}
        assert _meant(RefreshError("invalid_grant", answer)) == liveness
    assert _meant(RefreshError("no answer")) is Liveness.UNKNOWN
    assert _meant(RefreshError("x", {"error": "rate_limit_exceeded"})) is Liveness.UNKNOWN


def test_the_silence_ends_with_the_hour_of_a_use_and_three_hours_ago(google: Google) -> None:
    silence = opened("silence", {"kind": "google-service-account", **google.where}, clock=google.clock)
    now, since = google.clock(), google.clock() - 2 * DAY
    quiet = silence.ask(google.first, "1", since)
    assert (quiet.seen_until, quiet.last_used_at) == (now - 3 * HOUR, None)
    used = now - DAY - 20 * MINUTE
    google.iam.sign_in(google.account, google.first, used)
    google.iam.sign_in(google.account, "another", now - 5 * HOUR)
    quiet = silence.ask(google.first, "1", since)
    assert quiet.last_used_at is not None
    assert used <= quiet.last_used_at < used + HOUR
    google.iam.sign_in(google.account, google.first, now - HOUR)  # does not show yet
    assert silence.ask(google.first, "1", since) == quiet
    google.server.deny("ListTimeSeries")
    with pytest.raises(RotationError):
        silence.ask(google.first, "1", since)
    with pytest.raises(RotationError):
        silence.ask(None, "1", since)


def test_whoever_rotates_may_do_what_the_parties_declare_and_no_more(google: Google) -> None:
    google.runner(Alone(google.clock))
    role = least_privilege(vars_of(google))
    granted = {line.removeprefix("- ") for line in role.splitlines() if line.startswith("- ")}
    assert granted == set(permissions(vars_of(google)))
    assert "secretmanager.versions.destroy" not in granted
    assert granted <= set(NEEDED.values())
    dangerous = {each.partition("/")[2] for kind in NEVER.values() for each in kind}
    assert {each.partition(".")[2] for each in granted} & dangerous == {
        "serviceAccountKeys.create",
        "serviceAccountKeys.delete",
        "secrets.update",
        "versions.access",
        "versions.add",
        "versions.disable",
    }


def test_a_secret_whose_readers_take_the_latest_is_refused_before_anything_is_made(google: Google) -> None:
    google.manager.secrets[SECRET].version_aliases.clear()
    with pytest.raises(RotationError) as caught:
        google.runner(Alone(google.clock)).run(Order())
    assert "latest" in str(caught.value)
    assert "--update-version-aliases=current=" in str(caught.value.hint)
    assert google.live() == [google.first]
    assert len(google.manager.versions[SECRET]) == 1


def test_what_was_taken_off_is_destroyed_if_settings_say_so(google: Google) -> None:
    store = opened(
        "store",
        {"kind": "gcp-secret-manager", "secret": "worker-key", "destroy": True, **google.where},
        clock=google.clock,
    )
    from keyaudit.rotation.secret import Secret
    from rotation.stores.walking import WALKS, base_of, walk

    token = store.look().token
    store.stage(token, Secret("next"), "key-1", base=base_of(store, "key-0"))
    walk(store, token, *WALKS["forward"][1:])
    states = [version.state.name for version in google.manager.versions[SECRET]]
    assert states == ["DESTROYED", "ENABLED"]
    assert "secretmanager.versions.destroy" in store.calls["drop"]


def test_a_version_that_somebody_added_by_hand_before_is_left_alone(google: Google) -> None:
    client = google.client()
    client.add_secret_version(parent=SECRET, payload={"data": b"by hand"})
    google.runner(Alone(google.clock)).run(Order())
    states = [version.state.name for version in google.manager.versions[SECRET]]
    assert states == ["DISABLED", "ENABLED", "ENABLED"]
    assert google.manager.secrets[SECRET].version_aliases["current"] == 3
    client.transport.close()


def test_a_throttled_change_is_made_again(google: Google) -> None:
    google.server.plan(
        Fault("throttled", "UpdateSecret", times=2), Fault("throttled", "AddSecretVersion", times=1)
    )
    assert google.runner(Alone(google.clock)).run(Order()).step.outcome is Outcome.ROTATED
    assert len(google.manager.versions[SECRET]) == 2

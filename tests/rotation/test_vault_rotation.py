"""A database password in KV is rotated under an application that logs in throughout."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import hvac
import pytest
import requests

from keyaudit.errors import PolicyError, RotationError, SlotsFullError
from keyaudit.rotation.doors.vault_grants import capabilities, least_privilege
from keyaudit.rotation.journal import FileJournal, Request
from keyaudit.rotation.party import Means
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.settings import open_parties, read_settings
from keyaudit.rotation.sight import Liveness
from keyaudit.rotation.steps import Goal, Order, Outcome, Stage, Step
from keyaudit.sources import open_source
from keyaudit.times import DAY, HOUR, SECOND
from rotation.parties import Alone, listed, opened
from rotation.stores.walking import base_of
from servers.clock import Clock
from servers.database_server import DatabaseServer
from servers.vault import ROOT, VaultServer
from servers.vault_database import Database
from servers.vault_engines import CANARY, Kv2
from sources.contract import nobody

START = 1_767_225_600 * SECOND
PATH = "app/db"
ROLES = ["app-blue", "app-green"]
TOKEN = f"{CANARY}-rotating-token"


class Login:
    """Logs in with what it is given."""

    kind = "login"
    calls: tuple[str, ...] = ()

    def __init__(self, database: DatabaseServer) -> None:
        self._database = database

    def ask(self, parts: Parts) -> Liveness:
        status = requests.get(
            f"{self._database.url}/whoami", auth=(parts["username"], parts["password"]), timeout=20
        ).status_code
        return {200: Liveness.ALIVE, 401: Liveness.DEAD}.get(status, Liveness.UNKNOWN)


class Vault:
    """A Vault with a database of two users, and a secret that holds the first one's password."""

    def __init__(self, server: VaultServer, users: DatabaseServer, folder: Path) -> None:
        self.server, self.users, self.folder = server, users, folder
        self.clock: Clock = server.clock
        self.clock.set(START)
        server.mount("secret", Kv2())
        self.database = server.mount("database", Database(users))
        client = hvac.Client(url=server.url, token=ROOT)
        for role, user in zip(ROLES, ("svc-blue", "svc-green"), strict=True):
            body = {"username": user, "db_name": "orders", "rotation_period": 365 * 86_400}
            client.adapter.request("post", f"/v1/database/static-roles/{role}", json=body)
        self.kv = client.secrets.kv.v2
        creds = client.adapter.request("get", "/v1/database/static-creds/app-blue")
        found = (creds if isinstance(creds, dict) else creds.json())["data"]
        self.first = {"user": found["username"], "password": found["password"]}
        self.kv.create_or_update_secret(PATH, {**self.first, "host": "db.example"})
        self.clock.advance(30 * DAY)
        server.token(TOKEN, least_privilege(self.parties(ROOT)))
        server.log.clear()

    def settings(self, **issuer: Any) -> dict[str, Any]:
        where = {"address": self.server.url, "cluster": "test"}
        fields = {"username": "user", "password": "password"}
        return {
            "name": "db",
            "store": {"kind": "vault-kv", "path": PATH, "fields": fields, **where},
            "issuer": {"kind": "vault-database", "roles": ROLES, **where, **issuer},
            "probe": {"kind": "google"},
        }

    def parties(self, token: str = TOKEN) -> list[Any]:
        means = Means(self.clock, {"VAULT_TOKEN": token})
        found = open_parties(read_settings(self.settings()), means)
        self._parties = replace(found, probe=Login(self.users))
        return [found.store, found.issuer]

    def around(self, meanwhile: Callable[[], None] = lambda: None) -> Alone:
        """Let a second pass with each step: no two things happen at one instant in a database."""

        def step(_: Step) -> None:
            self.clock.advance(SECOND)
            meanwhile()

        return Alone(self.clock, step)

    def runner(self, around: Any) -> Runner:
        self.parties()
        self.journal = self.folder / "rotation.ndjson"
        credential = self._parties.store.credential
        return Runner(
            self._parties, FileJournal(self.journal, "db", credential, Request("me", "you")), around
        )

    def issuer(self, **settings: Any) -> Any:
        means = {"VAULT_TOKEN": ROOT}
        return opened("issuer", self.settings(**settings)["issuer"], clock=self.clock, environment=means)

    def served(self) -> Mapping[str, str]:
        answer = self.kv.read_secret_version(PATH, raise_on_deleted_version=True)
        found: Mapping[str, str] = answer["data"]["data"]
        return found

    def works(self, user: str, password: str) -> bool:
        return requests.get(f"{self.users.url}/whoami", auth=(user, password), timeout=20).status_code == 200


class Application:
    """Reads the newest version, logs in with what is there, and starts again."""

    def __init__(self, vault: Vault) -> None:
        self._vault, self._done = vault, threading.Event()
        self._answered = threading.Condition()
        self.count, self.failures, self.users = 0, [], []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._done.is_set():
            held = self._vault.served()
            if held["user"] not in self.users:
                self.users.append(held["user"])
            if held["host"] != "db.example" or not self._vault.works(held["user"], held["password"]):
                self.failures.append(held["user"])
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


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with DatabaseServer({"svc-blue": "a", "svc-green": "b"}) as users, VaultServer() as server:
        yield Vault(server, users, tmp_path)


SURE = Order(confirmed_silent=True, fresh=0)


def test_a_password_is_rotated_twice_and_no_login_fails(
    vault: Vault, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with Application(vault) as application:
        around = vault.around(application.more_answers)
        for _ in range(2):
            assert vault.runner(around).run(SURE).step.outcome is Outcome.ROTATED
            application.more_answers()
    assert application.failures == []
    assert application.users == ["svc-blue", "svc-green"]
    assert vault.served()["user"] == "svc-blue"
    assert vault.works(vault.served()["user"], vault.served()["password"])
    assert not vault.works(vault.first["user"], vault.first["password"])
    written = vault.journal.read_text() + caplog.text + "".join(capfd.readouterr())
    assert CANARY not in written


def test_a_password_is_taken_back_and_the_new_one_dies(vault: Vault) -> None:
    with Application(vault) as application:
        around = vault.around(application.more_answers)
        vault.runner(around).run(replace(SURE, until=Stage.PROMOTE))
        tried = vault.served()
        application.more_answers()
        ending = vault.runner(around).run(replace(SURE, goal=Goal.BACK))
    assert (ending.step.outcome, application.failures) == (Outcome.ROLLED_BACK, [])
    assert vault.served() == {**vault.first, "host": "db.example"}
    assert (tried["user"], vault.works(tried["user"], tried["password"])) == ("svc-green", False)


def test_an_emergency_ends_the_password_at_once_and_brings_the_other_role(vault: Vault) -> None:
    (stolen,) = [key.id for key in listed(vault.issuer()) if key.id.startswith("app-blue@")]
    order = Order(goal=Goal.EMERGENCY, compromised=frozenset({stolen}), grace=0)
    assert vault.runner(vault.around()).run(order).step.outcome is Outcome.ROTATED
    assert not vault.works(vault.first["user"], vault.first["password"])
    assert vault.served()["user"] == "svc-green"
    assert vault.works("svc-green", vault.served()["password"])


def pull(vault: Vault, **more: Any) -> Any:
    entry = {
        "name": "tested", "kind": "vault", "address": vault.server.url, "cluster": "test",
        "mounts": {"kv": ["secret"]}, "requests_per_second": 10_000, **more,
    }  # fmt: skip
    return open_source(entry, clock=vault.clock, environment={"VAULT_TOKEN": ROOT}).pull(nobody)


def test_the_audit_dates_a_value_that_was_taken_back_by_its_first_day(vault: Vault) -> None:
    around = vault.around()
    vault.runner(around).run(replace(SURE, until=Stage.PROMOTE))
    vault.clock.advance(HOUR)
    vault.runner(around).run(replace(SURE, goal=Goal.BACK))
    pulled = pull(vault)
    (row,) = pulled.rows
    assert [(each.id, each.state) for each in row.versions] == [
        ("1", "superseded"), ("2", "destroyed"), ("3", "current"),
    ]  # fmt: skip
    created = {each.id: each.created_at for each in row.versions}
    assert created["1"] == created["3"] == START
    assert created["2"] > START
    assert "2 entries say that they are notes of rotations" in (pulled.coverage[0].reason or "")


def test_a_label_never_makes_a_value_look_younger(vault: Vault) -> None:
    for label in ("1 2030-01-01T00:00:00Z", "1 soon", "2 2020-01-01T00:00:00Z", "soon"):
        vault.kv.update_metadata(PATH, custom_metadata={"keyaudit_value_since": label})
        (row,) = pull(vault).rows
        assert [each.created_at for each in row.versions] == [START]
    vault.kv.update_metadata(PATH, custom_metadata={"keyaudit_value_since": "1 2020-01-01T00:00:00Z"})
    (row,) = pull(vault).rows
    assert row.versions[0].created_at < START


def test_an_entry_that_only_calls_itself_staging_is_a_credential_while_it_holds_a_value(vault: Vault) -> None:
    vault.runner(vault.around()).run(replace(SURE, until=Stage.STAGE))
    beside = f"{PATH}.keyaudit"
    assert {row.name for row in pull(vault).rows} == {PATH, f"{beside}/pending"}
    distrusted = pull(vault, trust_labels=False).rows
    assert {row.name for row in distrusted} == {PATH, f"{beside}/pending", f"{beside}/note"}


def test_old_versions_are_kept_where_settings_say_so_and_labels_of_others_stay(vault: Vault) -> None:
    vault.kv.update_metadata(PATH, custom_metadata={"owner": "a@b.example"})
    settings = vault.settings()
    for mode, gone in (("keep", False), ("delete", True)):
        settings["store"]["old_versions"] = mode
        means = Means(vault.clock, {"VAULT_TOKEN": ROOT})
        parties = replace(open_parties(read_settings(settings), means), probe=Login(vault.users))
        journal = FileJournal(vault.folder / mode, "db", parties.store.credential, Request())
        assert Runner(parties, journal, vault.around()).run(SURE).step.outcome is Outcome.ROTATED
        metadata = vault.kv.read_secret_metadata(PATH)["data"]
        old = metadata["versions"][str(metadata["current_version"] - 1)]
        assert (bool(old["deletion_time"]), old["destroyed"]) == (gone, False)
        assert metadata["custom_metadata"]["owner"] == "a@b.example"
        assert metadata["custom_metadata"]["keyaudit_current_version"] == str(metadata["current_version"])


def test_a_secret_that_keeps_too_few_versions_is_refused_before_anything_is_made(vault: Vault) -> None:
    vault.kv.update_metadata(PATH, max_versions=2)
    with pytest.raises(RotationError) as caught:
        vault.runner(vault.around()).run(SURE)
    assert "-max-versions=10" in str(caught.value.hint)
    assert vault.works(vault.first["user"], vault.first["password"])


def test_whoever_rotates_may_do_what_the_parties_declare_and_no_more(vault: Vault) -> None:
    granted = capabilities(vault.parties())
    assert vault.runner(vault.around()).run(SURE).step.outcome is Outcome.ROTATED
    ours = [each for each in vault.server.log if each.headers["X-Vault-Token"] == TOKEN]
    assert ours
    assert all(each.needs[0] in granted[each.needs[1]] for each in ours)
    assert all(path.startswith(("secret/", "database/")) for path in granted)
    assert "secret/data/app/db" in granted
    assert not any("*" in path or "+" in path for path in granted)
    client = hvac.Client(url=vault.server.url, token=TOKEN)
    with pytest.raises(hvac.exceptions.Forbidden):
        client.secrets.kv.v2.read_secret_version("app/other", raise_on_deleted_version=True)


@pytest.mark.parametrize("roles", [["app-blue"], ["app-blue", "app-blue"], ["a", "b", "c"]])
def test_without_two_roles_there_is_no_overlap_and_the_settings_say_so(
    vault: Vault, roles: list[str]
) -> None:
    with pytest.raises(PolicyError, match="no overlap"):
        read_settings(vault.settings(roles=roles))


def test_a_failed_rotation_is_seen_even_if_an_older_server_says_nothing(vault: Vault) -> None:
    issuer = vault.issuer()
    keys = issuer.keys()
    vault.users.down = True
    for silent in (True, False):
        vault.database.silent_failures = silent
        with pytest.raises(RotationError) as caught:
            issuer.mint("t", {keys[0].id})
        assert CANARY not in f"{caught.value!r} {caught.value.hint} {caught.value.__context__}"
    assert issuer.keys() == keys
    assert len([each for each in vault.server.log if "rotate-role" in each.path]) == 2


def test_a_role_that_vault_itself_rotates_soon_is_refused(vault: Vault) -> None:
    issuer = vault.issuer(lasting="400d")
    with pytest.raises(RotationError, match="cut applications off"):
        issuer.mint("t", {issuer.keys()[0].id})
    assert not [each for each in vault.server.log if "rotate-role" in each.path]


def test_no_role_is_taken_that_is_in_use_or_not_known_to_be_free(vault: Vault) -> None:
    issuer = vault.issuer()
    blue, green = (key.id for key in listed(issuer))
    for in_use in ({blue, green}, {"stranger@x"}, frozenset()):
        with pytest.raises(SlotsFullError):
            issuer.mint("t", in_use)
    assert issuer.mint("t", {green}).key_id.startswith("app-blue@")


def test_a_password_that_was_replaced_meanwhile_is_not_set_again(vault: Vault) -> None:
    issuer = vault.issuer()
    blue, green = (key.id for key in listed(issuer))
    vault.clock.advance(HOUR)
    minted = issuer.mint("t", {blue})
    issuer.revoke(green)
    assert vault.works(minted.parts["username"], minted.parts["password"])
    vault.clock.advance(HOUR)
    issuer.revoke(minted.key_id)
    assert not vault.works(minted.parts["username"], minted.parts["password"])
    with pytest.raises(RotationError):
        issuer.revoke("stranger@x")


def test_a_stored_password_is_recognised_and_one_that_vault_replaced_is_known_to_be_dead(
    vault: Vault,
) -> None:
    issuer = vault.issuer()
    keys = issuer.keys()
    stored = {"username": vault.first["user"], "password": vault.first["password"]}
    assert issuer.recognise(stored, keys) == keys[0].id
    assert issuer.recognise({**stored, "password": "another"}, keys) == "app-blue@replaced"
    assert issuer.recognise({**stored, "username": "svc-other"}, keys) is None
    vault.clock.advance(HOUR)
    issuer.revoke(keys[0].id)
    assert issuer.recognise(stored, issuer.keys()) == keys[0].id


def test_other_fields_that_changed_since_the_value_was_read_are_not_written_back(vault: Vault) -> None:
    from keyaudit.rotation.secret import Secret
    from keyaudit.rotation.stores.protocol import LostRaceError

    store = vault.parties()[0]
    shelf = store.look()
    text = store.read(shelf.current.version).reveal()
    vault.kv.create_or_update_secret(PATH, {**vault.served(), "host": "new.example"})
    with pytest.raises(LostRaceError):
        store.stage(shelf.token, Secret(text), "app-green@x", base=base_of(store, "app-blue@y"))
    assert vault.served()["host"] == "new.example"

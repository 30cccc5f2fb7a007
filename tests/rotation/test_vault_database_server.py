"""What Vault's database engine does to whoever rotates, said through hvac and by logging in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hvac
import pytest
import requests
from hvac import exceptions

from keyaudit.times import HOUR, SECOND, parse_instant
from servers.database_server import DatabaseServer, Login
from servers.fault_proxy import Fault, FaultProxy
from servers.vault import ROOT, VaultServer, stamp
from servers.vault_database import Database
from servers.vault_dialect import VaultApi

NOW = parse_instant("2026-05-01T12:00:00Z")
ROLE, USER = "billing", "svc-billing"
DAILY = 86_400


@pytest.fixture
def database() -> Iterator[DatabaseServer]:
    with DatabaseServer({USER: "first"}) as database:
        yield database


@pytest.fixture
def server(database: DatabaseServer) -> Iterator[VaultServer]:
    with VaultServer() as server:
        server.clock.set(NOW)
        server.mount("database", Database(database))
        yield server


@pytest.fixture
def engine(server: VaultServer) -> Any:
    return hvac.Client(url=server.url, token=ROOT).secrets.database


def create(engine: Any, **fields: Any) -> Any:
    chosen = {"db_name": "postgres", "username": USER, "rotation_statements": [], **fields}
    return engine.create_static_role(ROLE, **chosen)


def password(engine: Any) -> str:
    return str(engine.get_static_credentials(ROLE)["data"]["password"])


def status(database: DatabaseServer, secret: str) -> int:
    return requests.get(f"{database.url}/whoami", auth=(USER, secret), timeout=5).status_code


def test_the_database_honours_the_password_it_was_last_given(database: DatabaseServer) -> None:
    assert requests.get(f"{database.url}/whoami", auth=(USER, "first"), timeout=5).json() == {"user": USER}
    database.set_password(USER, "second")
    assert (status(database, "first"), status(database, "second")) == (401, 200)
    assert requests.get(f"{database.url}/whoami", timeout=5).status_code == 401
    assert database.logins == [Login(USER, accepted=each) for each in (True, False, True)] + [
        Login("", accepted=False)
    ]


def test_making_a_role_rotates_its_password_at_once(engine: Any, database: DatabaseServer) -> None:
    assert create(engine).status_code == 204
    assert status(database, "first") == 401
    assert status(database, password(engine)) == 200
    told = engine.read_static_role(ROLE)["data"]
    assert (told["username"], told["last_vault_rotation"]) == (USER, stamp(NOW))
    assert "password" not in told


def test_rotating_ends_the_old_password_as_the_new_one_begins(
    engine: Any, server: VaultServer, database: DatabaseServer
) -> None:
    create(engine)
    old = password(engine)
    server.clock.advance(HOUR)
    assert engine.rotate_static_role_credentials(ROLE).status_code == 204
    new = password(engine)
    assert (status(database, old), status(database, new)) == (401, 200)
    found = engine.get_static_credentials(ROLE)["data"]
    assert (found["last_vault_rotation"], found["ttl"]) == (stamp(NOW + HOUR), DAILY)
    assert server.calls[:3] == ["WriteStaticRole", "ReadStaticCredentials", "RotateRole"]


def test_a_password_rotates_by_itself_when_its_period_is_over(
    engine: Any, server: VaultServer, database: DatabaseServer
) -> None:
    create(engine)
    old = password(engine)
    server.clock.advance((DAILY - 1) * SECOND)
    assert engine.get_static_credentials(ROLE)["data"]["ttl"] == 1
    assert password(engine) == old
    server.clock.advance(SECOND)
    assert status(database, password(engine)) == 200
    assert status(database, old) == 401


def test_what_does_not_exist_cannot_be_rotated(engine: Any) -> None:
    with pytest.raises(exceptions.InvalidRequest, match="no static role found"):
        engine.rotate_static_role_credentials(ROLE)
    with pytest.raises(exceptions.InvalidRequest, match="unknown role"):
        engine.get_static_credentials(ROLE)
    with pytest.raises(exceptions.InvalidPath):
        engine.read_static_role(ROLE)
    with pytest.raises(exceptions.InternalServerError):
        create(engine, username="nobody")
    with pytest.raises(exceptions.InvalidPath):
        engine.list_static_roles()


def test_a_role_keeps_its_user_and_its_password_when_it_is_changed(engine: Any) -> None:
    create(engine)
    before = password(engine)
    assert create(engine, rotation_period=3600).status_code == 204
    assert password(engine) == before
    with pytest.raises(exceptions.InvalidRequest, match="cannot update static account username"):
        create(engine, username="other")
    with pytest.raises(exceptions.InvalidRequest):
        create(engine, rotation_period=4)
    assert engine.read_static_role(ROLE)["data"]["rotation_period"] == 3600
    engine.delete_static_role(ROLE)
    with pytest.raises(exceptions.InvalidPath):
        engine.read_static_role(ROLE)


@pytest.mark.parametrize("silent", [False, True])
def test_a_failed_rotation_leaves_the_old_password_whatever_the_answer_says(
    engine: Any, server: VaultServer, database: DatabaseServer, silent: bool
) -> None:
    create(engine)
    old = password(engine)
    server.clock.advance(HOUR)
    server.spaces[""].mounts["database/"].silent_failures = silent
    database.down = True
    if silent:
        assert engine.rotate_static_role_credentials(ROLE).status_code == 204
    else:
        with pytest.raises(exceptions.InternalServerError):
            engine.rotate_static_role_credentials(ROLE)
    database.down = False
    assert engine.read_static_role(ROLE)["data"]["last_vault_rotation"] == stamp(NOW)
    assert (password(engine), status(database, old)) == (old, 200)


def test_a_rotation_whose_answer_is_lost_has_rotated(
    engine: Any, server: VaultServer, database: DatabaseServer
) -> None:
    create(engine)
    old = password(engine)
    with FaultProxy(server.url, VaultApi()) as proxy:
        proxy.plan(Fault("answer-lost", "RotateRole", times=1))
        through = hvac.Client(url=proxy.url, token=ROOT).secrets.database
        with pytest.raises(requests.ConnectionError):
            through.rotate_static_role_credentials(ROLE)
    assert (status(database, old), status(database, password(engine))) == (401, 200)


def test_rotating_is_a_permission_of_its_own(server: VaultServer, engine: Any) -> None:
    create(engine)
    server.token("reader", 'path "database/static-creds/*" { capabilities = ["read"] }')
    reader = hvac.Client(url=server.url, token="reader").secrets.database
    assert password(reader) == password(engine)
    with pytest.raises(exceptions.Forbidden):
        reader.rotate_static_role_credentials(ROLE)
    server.deny("RotateRole")
    with pytest.raises(exceptions.Forbidden):
        engine.rotate_static_role_credentials(ROLE)

"""What Google Secret Manager does to whoever rotates, said through Google's own client."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from keyaudit.times import DAY, SECOND, parse_instant
from servers.clock import Clock
from servers.crc32c import crc32c
from servers.fault_proxy import Fault
from servers.google_secret_manager import SecretManager
from servers.grpc_server import GrpcServer

NOW = parse_instant("2026-05-01T12:00:00Z")
PARENT = "projects/acme-prod"
NAME = "projects/424242/secrets/openai"
TOPIC = {"name": "projects/acme-prod/topics/rotate"}
State = sm.SecretVersion.State
Client = sm.SecretManagerServiceClient


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def server(clock: Clock) -> Iterator[GrpcServer]:
    with GrpcServer(SecretManager({"acme-prod": 424242}, clock=clock).methods()) as server:
        yield server


@pytest.fixture
def client(server: GrpcServer) -> Iterator[Client]:
    channel = grpc.insecure_channel(server.address)
    client = Client(transport=SecretManagerServiceGrpcTransport(channel=channel))
    yield client
    client.transport.close()


def create(client: Client, **fields: object) -> sm.Secret:
    secret = {"replication": {"automatic": {}}, **fields}
    return client.create_secret(parent=PARENT, secret_id="openai", secret=secret)


def add(client: Client, value: bytes) -> sm.SecretVersion:
    return client.add_secret_version(
        parent=NAME, payload=sm.SecretPayload(data=value, data_crc32c=crc32c(value))
    )


def update(client: Client, *paths: str, **fields: object) -> sm.Secret:
    return client.update_secret(secret={"name": NAME, **fields}, update_mask={"paths": list(paths)})


def value(client: Client, version: str | int) -> bytes:
    return client.access_secret_version(name=f"{NAME}/versions/{version}").payload.data


def test_the_checksum_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_a_secret_is_created_once_and_named_by_the_projects_number(client: Client) -> None:
    secret = create(client, labels={"team": "platform"})
    assert secret.name == NAME
    assert secret.create_time == dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
    assert dict(secret.labels) == {"team": "platform"}
    with pytest.raises(exceptions.AlreadyExists):
        create(client)
    with pytest.raises(exceptions.NotFound):
        value(client, "latest")


def test_versions_count_from_one_and_never_again(client: Client) -> None:
    create(client)
    names = [add(client, each).name for each in (b"one", b"two")]
    client.destroy_secret_version(name=names[1])
    names.append(add(client, b"three").name)
    assert names == [f"{NAME}/versions/{number}" for number in (1, 2, 3)]
    assert (value(client, 1), value(client, "latest")) == (b"one", b"three")


def test_a_payload_arrives_whole_or_not_at_all(client: Client) -> None:
    create(client)
    for payload in ({"data": b"one", "data_crc32c": 1}, {"data": b""}, {"data": b"x" * 65_537}):
        with pytest.raises(exceptions.InvalidArgument):
            client.add_secret_version(parent=NAME, payload=payload)
    assert add(client, b"one").client_specified_payload_checksum
    unchecked = client.add_secret_version(parent=NAME, payload={"data": b"two"})
    assert not unchecked.client_specified_payload_checksum
    assert client.access_secret_version(name=unchecked.name).payload.data_crc32c == crc32c(b"two")


def test_an_etag_of_before_fails_the_precondition_and_changes_nothing(client: Client) -> None:
    before = create(client).etag
    after = update(client, "labels", labels={"a": "1"}, etag=before)
    with pytest.raises(exceptions.FailedPrecondition):
        update(client, "labels", labels={"a": "2"}, etag=before)
    assert dict(client.get_secret(name=NAME).labels) == {"a": "1"}
    assert update(client, "labels", labels={"a": "1"}, etag=after.etag).etag != after.etag, (
        "even of no change"
    )
    update(client, "labels", labels={"a": "3"})
    assert dict(client.get_secret(name=NAME).labels) == {"a": "3"}, "no etag, no comparison"


def test_versions_leave_the_etag_of_their_secret_alone(client: Client) -> None:
    etag = create(client).etag
    version = add(client, b"one")
    disabled = client.disable_secret_version(request={"name": version.name, "etag": version.etag})
    assert client.get_secret(name=NAME).etag == etag
    assert disabled.etag != version.etag


@pytest.mark.parametrize("change", ["enable", "disable", "destroy"])
def test_a_version_is_changed_by_whoever_saw_it_last(client: Client, change: str) -> None:
    create(client)
    version = add(client, b"one")
    client.enable_secret_version(name=version.name)
    with pytest.raises(exceptions.FailedPrecondition):
        getattr(client, f"{change}_secret_version")(request={"name": version.name, "etag": version.etag})
    assert value(client, 1) == b"one"


def test_of_two_who_take_the_lock_at_once_one_has_it(client: Client) -> None:
    etag = create(client).etag
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def take(owner: int) -> None:
        start.wait()
        try:
            update(client, "annotations", annotations={"owner": str(owner)}, etag=etag)
            outcomes.append("taken")
        except exceptions.FailedPrecondition:
            outcomes.append("refused")

    runners = [threading.Thread(target=take, args=(each,)) for each in range(8)]
    for each in runners:
        each.start()
    for each in runners:
        each.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["taken"]


def test_an_alias_moves_and_what_it_names_moves_with_it(client: Client) -> None:
    etag = create(client).etag
    add(client, b"one")
    add(client, b"two")
    etag = update(client, "version_aliases", version_aliases={"current": 1}, etag=etag).etag
    assert value(client, "current") == b"one"
    update(client, "version_aliases", version_aliases={"current": 2, "previous": 1}, etag=etag)
    assert (value(client, "current"), value(client, "previous")) == (b"two", b"one")
    assert client.get_secret_version(name=f"{NAME}/versions/previous").name == f"{NAME}/versions/1"
    with pytest.raises(exceptions.NotFound):
        value(client, "pending")
    with pytest.raises(exceptions.InvalidArgument):
        client.disable_secret_version(name=f"{NAME}/versions/previous")


@pytest.mark.parametrize("alias", ["latest", "NEW", "1st", "", "a" * 64, "a.b"])
def test_not_every_word_is_an_alias(client: Client, alias: str) -> None:
    create(client)
    add(client, b"one")
    with pytest.raises(exceptions.InvalidArgument):
        update(client, "version_aliases", version_aliases={alias: 1})


def test_only_what_the_mask_names_changes_and_it_changes_whole(client: Client) -> None:
    create(client, labels={"a": "1"}, annotations={"note": "kept"})
    due = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    changed = update(
        client,
        "labels",
        "rotation",
        "topics",
        labels={"b": "2"},
        annotations={"note": "not named by the mask"},
        rotation={"next_rotation_time": due, "rotation_period": dt.timedelta(days=30)},
        topics=[TOPIC],
    )
    assert (dict(changed.labels), dict(changed.annotations)) == ({"b": "2"}, {"note": "kept"})
    assert changed.rotation.next_rotation_time == due
    cleared = update(client, "labels", "rotation")
    assert not cleared.labels
    assert "rotation" not in cleared
    for paths in ((), ("replication",), ("labels", "name"), ("labels.a",)):
        with pytest.raises(exceptions.InvalidArgument):
            update(client, *paths, labels={"a": "1"})
    with pytest.raises(exceptions.InvalidArgument):
        update(client, "rotation", "topics", rotation={"next_rotation_time": due})


def test_what_is_not_enabled_is_not_given_out_even_as_the_latest(client: Client) -> None:
    create(client)
    add(client, b"one")
    newest = add(client, b"two").name
    client.disable_secret_version(name=newest)
    for version in ("latest", 2):
        with pytest.raises(exceptions.FailedPrecondition):
            value(client, version)
    assert client.get_secret_version(name=f"{NAME}/versions/latest").state == State.DISABLED
    client.enable_secret_version(name=newest)
    assert value(client, "latest") == b"two"
    destroyed = client.destroy_secret_version(name=newest)
    assert (destroyed.state, "destroy_time" in destroyed) == (State.DESTROYED, True)
    for again in (client.enable_secret_version, client.disable_secret_version, client.destroy_secret_version):
        with pytest.raises(exceptions.FailedPrecondition):
            again(name=newest)


def test_a_delayed_destruction_disables_at_once_and_destroys_when_due(client: Client, clock: Clock) -> None:
    create(client, version_destroy_ttl=dt.timedelta(days=7))
    name = add(client, b"one").name
    scheduled = client.destroy_secret_version(name=name)
    assert scheduled.state == State.DISABLED
    assert scheduled.scheduled_destroy_time == dt.datetime(2026, 5, 8, 12, tzinfo=dt.UTC)
    clock.advance(7 * DAY - SECOND)
    assert client.get_secret_version(name=name).state == State.DISABLED
    clock.advance(SECOND)
    gone = client.get_secret_version(name=name)
    assert gone.state == State.DESTROYED
    assert "scheduled_destroy_time" not in gone


def test_enabling_again_saves_a_version_from_its_delayed_destruction(client: Client, clock: Clock) -> None:
    create(client, version_destroy_ttl=dt.timedelta(days=7))
    name = add(client, b"one").name
    client.destroy_secret_version(name=name)
    assert "scheduled_destroy_time" not in client.enable_secret_version(name=name)
    clock.advance(30 * DAY)
    assert value(client, 1) == b"one"
    with pytest.raises(exceptions.InvalidArgument):
        update(client, "version_destroy_ttl", version_destroy_ttl=dt.timedelta(hours=23))


def test_a_deleted_secret_takes_its_versions_along(client: Client) -> None:
    etag = create(client).etag
    add(client, b"one")
    with pytest.raises(exceptions.FailedPrecondition):
        client.delete_secret(request={"name": NAME, "etag": '"0"'})
    client.delete_secret(request={"name": NAME, "etag": etag})
    for ask in (lambda: client.get_secret(name=NAME), lambda: value(client, 1)):
        with pytest.raises(exceptions.NotFound):
            ask()


def test_a_call_fails_before_it_acts_or_after_as_a_test_wants(server: GrpcServer, client: Client) -> None:
    create(client)
    server.plan(Fault("unavailable", "AddSecretVersion", times=1))
    with pytest.raises(exceptions.ServiceUnavailable):
        add(client, b"one")
    with pytest.raises(exceptions.NotFound):
        client.get_secret_version(name=f"{NAME}/versions/1")
    server.plan(Fault("answer-lost", "AddSecretVersion", times=1, seconds=0))
    with pytest.raises(exceptions.ServiceUnavailable):
        add(client, b"two")
    assert client.get_secret_version(name=f"{NAME}/versions/1").state == State.ENABLED
    assert server.calls == ["AddSecretVersion", "GetSecretVersion"]


def test_who_is_denied_writes_still_reads(server: GrpcServer, client: Client) -> None:
    create(client)
    add(client, b"one")
    server.deny("AddSecretVersion", "UpdateSecret")
    with pytest.raises(exceptions.PermissionDenied):
        add(client, b"two")
    with pytest.raises(exceptions.PermissionDenied):
        update(client, "labels", labels={"a": "1"})
    server.deny()
    assert add(client, b"two").name.endswith("/versions/2")

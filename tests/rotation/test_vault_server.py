"""What Vault's KV store does to whoever rotates, said through hvac."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import hvac
import pytest
import requests
from hvac import exceptions

from keyaudit.times import DAY, MINUTE, SECOND, parse_instant
from servers.fault_proxy import Fault, FaultProxy
from servers.vault import MERGE_PATCH, ROOT, VaultServer, stamp
from servers.vault_dialect import VaultApi
from servers.vault_engines import Kv2

NOW = parse_instant("2026-05-01T12:00:00Z")
PATH = "app/openai"


class Store:
    """The KV store at `secret/`, as a client with a token sees it."""

    def __init__(self, url: str, token: str = ROOT) -> None:
        self.client = hvac.Client(url=url, token=token)
        self.kv = self.client.secrets.kv.v2

    def write(self, value: str, **how: Any) -> int:
        answer = self.kv.create_or_update_secret(PATH, {"api_key": value}, **how)
        return int(answer["data"]["version"])

    def read(self, version: int | None = None) -> str:
        answer = self.kv.read_secret_version(PATH, version=version, raise_on_deleted_version=True)
        return str(answer["data"]["data"]["api_key"])

    def metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = self.kv.read_secret_metadata(PATH)["data"]
        return found

    def patch(self, kind: str, body: dict[str, Any], content_type: str = MERGE_PATCH) -> Any:
        """Send a PATCH of its own, which hvac has not: its `patch` reads and writes."""
        headers = {"Content-Type": content_type}
        return self.client.adapter.request("patch", f"/v1/secret/{kind}/{PATH}", headers=headers, json=body)


@pytest.fixture
def server() -> Iterator[VaultServer]:
    with VaultServer() as server:
        server.clock.set(NOW)
        server.mount("secret", Kv2())
        yield server


@pytest.fixture
def store(server: VaultServer) -> Store:
    return Store(server.url)


def test_every_write_is_a_new_version_beside_the_others(store: Store) -> None:
    assert [store.write(value) for value in ("one", "two", "three")] == [1, 2, 3]
    assert (store.read(), store.read(1), store.read(2)) == ("three", "one", "two")
    with pytest.raises(exceptions.InvalidPath):
        store.read(4)


def test_check_and_set_lets_only_him_write_who_saw_the_current_version(store: Store) -> None:
    assert store.write("one", cas=0) == 1
    for stale in (0, 2):
        with pytest.raises(exceptions.InvalidRequest, match="did not match the current version"):
            store.write("other", cas=stale)
    assert store.write("two", cas=1) == 2
    store.kv.delete_latest_version_of_secret(PATH)
    with pytest.raises(exceptions.InvalidRequest):
        store.write("three", cas=0)
    assert store.write("three", cas=2) == 3, "a deleted version is still the current one"


def test_of_eight_who_write_at_once_one_does(server: VaultServer) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write(value: int) -> None:
        store = Store(server.url)
        start.wait()
        try:
            store.write(str(value), cas=0)
            outcomes.append("written")
        except exceptions.InvalidRequest:
            outcomes.append("refused")

    runners = [threading.Thread(target=write, args=(each,)) for each in range(8)]
    for each in runners:
        each.start()
    for each in runners:
        each.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["written"]


def test_check_and_set_can_be_required(store: Store) -> None:
    store.kv.update_metadata(PATH, cas_required=True)
    with pytest.raises(exceptions.InvalidRequest, match="parameter required"):
        store.write("one")
    assert store.write("one", cas=0) == 1


def test_a_deleted_version_is_a_404_with_metadata_until_it_is_undeleted(store: Store) -> None:
    store.write("one")
    store.write("two")
    store.kv.delete_secret_versions(PATH, [1])
    with pytest.raises(exceptions.InvalidPath) as refused:
        store.read(1)
    assert refused.value.json["data"]["data"] is None
    assert refused.value.json["data"]["metadata"]["deletion_time"] == stamp(NOW)
    about = store.kv.read_secret_version(PATH, version=1, raise_on_deleted_version=False)["data"]["metadata"]
    assert about["version"] == 1
    assert store.read() == "two"
    store.kv.undelete_secret_versions(PATH, [1])
    assert store.read(1) == "one"


def test_a_destroyed_version_never_comes_back(store: Store) -> None:
    store.write("one")
    store.write("two")
    store.kv.destroy_secret_versions(PATH, [1])
    store.kv.undelete_secret_versions(PATH, [1])
    with pytest.raises(exceptions.InvalidPath) as refused:
        store.read(1)
    assert refused.value.json["data"]["metadata"]["destroyed"] is True
    assert store.metadata()["versions"]["1"]["destroyed"] is True


def test_ten_versions_are_kept_and_the_number_can_only_be_raised(server: VaultServer, store: Store) -> None:
    for number in range(1, 10):
        store.write(str(number))
    assert (store.metadata()["oldest_version"], len(store.metadata()["versions"])) == (0, 9)
    store.write("10")
    assert (store.metadata()["oldest_version"], len(store.metadata()["versions"])) == (1, 10)
    store.write("11")
    assert (store.metadata()["oldest_version"], min(map(int, store.metadata()["versions"]))) == (2, 2)
    with pytest.raises(exceptions.InvalidPath):
        store.read(1)
    server.spaces[""].mounts["secret/"].versions.max_versions = 5
    store.kv.update_metadata(PATH, max_versions=3)
    assert len(store.metadata()["versions"]) == 10, "what is too much goes with the next write"
    store.write("12")
    assert sorted(map(int, store.metadata()["versions"])) == [8, 9, 10, 11, 12]


def test_metadata_does_not_move_the_time_of_the_value(server: VaultServer, store: Store) -> None:
    store.write("one")
    server.clock.advance(DAY)
    store.kv.update_metadata(PATH, custom_metadata={"owner": "a@acme.example"})
    assert store.metadata()["updated_time"] == stamp(NOW)
    store.write("two")
    found = store.metadata()
    assert (found["created_time"], found["updated_time"]) == (stamp(NOW), stamp(NOW + DAY))
    assert found["versions"]["2"]["created_time"] == stamp(NOW + DAY)


def test_posting_custom_metadata_replaces_it_and_patching_merges_it(store: Store) -> None:
    with pytest.raises(exceptions.InvalidPath):
        store.patch("metadata", {"custom_metadata": {"a": "1"}})
    store.kv.update_metadata(PATH, custom_metadata={"a": "1", "b": "2"}, max_versions=20)
    assert (store.metadata()["current_version"], store.metadata()["versions"]) == (0, {})
    store.kv.update_metadata(PATH, custom_metadata={"b": "3"})
    assert store.metadata()["custom_metadata"] == {"b": "3"}
    assert store.patch("metadata", {"custom_metadata": {"c": "4", "b": None}}).status_code == 204
    assert store.metadata()["custom_metadata"] == {"c": "4"}
    assert store.metadata()["max_versions"] == 20
    store.write("one")
    assert store.kv.read_secret_version(PATH, raise_on_deleted_version=True)["data"]["metadata"][
        "custom_metadata"
    ] == {"c": "4"}
    with pytest.raises(exceptions.UnexpectedError):
        store.patch("metadata", {"custom_metadata": {"d": "5"}}, content_type="application/json")


@pytest.mark.parametrize(
    "wrong",
    [
        {f"key{number}": "x" for number in range(65)},
        {"k" * 129: "x"},
        {"": "x"},
        {"key": ""},
        {"key": "v" * 513},
        {"key": "a\nb"},
    ],
    ids=["65 keys", "long key", "no key", "no value", "long value", "unprintable"],
)
def test_custom_metadata_has_limits(store: Store, wrong: dict[str, str]) -> None:
    store.kv.update_metadata(PATH, custom_metadata={"k" * 128: "v" * 512})
    with pytest.raises(exceptions.InvalidRequest, match="custom_metadata validation failed"):
        store.kv.update_metadata(PATH, custom_metadata=wrong)
    with pytest.raises(exceptions.InvalidRequest):
        store.patch("metadata", {"custom_metadata": wrong})
    assert store.metadata()["custom_metadata"] == {"k" * 128: "v" * 512}


def test_patching_data_merges_into_a_new_version(store: Store) -> None:
    with pytest.raises(exceptions.InvalidPath):
        store.patch("data", {"data": {"api_key": "new"}})
    store.kv.create_or_update_secret(PATH, {"api_key": "one", "api_key_previous": "zero", "url": "x"})
    store.patch(
        "data", {"data": {"api_key": "two", "api_key_previous": "one", "url": None}, "options": {"cas": 1}}
    )
    found = store.kv.read_secret_version(PATH, raise_on_deleted_version=True)["data"]
    assert found["data"] == {"api_key": "two", "api_key_previous": "one"}
    assert found["metadata"]["version"] == 2
    with pytest.raises(exceptions.InvalidRequest, match="did not match"):
        store.patch("data", {"data": {"api_key": "three"}, "options": {"cas": 1}})
    store.kv.delete_latest_version_of_secret(PATH)
    with pytest.raises(exceptions.InvalidPath):
        store.patch("data", {"data": {"api_key": "three"}})


def test_versions_can_be_given_an_end_when_they_are_written(server: VaultServer, store: Store) -> None:
    store.write("endless")
    store.kv.update_metadata(PATH, delete_version_after="1h30m")
    assert store.metadata()["delete_version_after"] == "1h30m0s"
    store.write("two")
    assert store.metadata()["versions"]["2"]["deletion_time"] == stamp(NOW + 90 * MINUTE)
    assert store.read() == "two"
    server.clock.advance(90 * MINUTE)
    with pytest.raises(exceptions.InvalidPath):
        store.read()
    assert store.read(1) == "endless"
    with pytest.raises(exceptions.InvalidRequest):
        store.kv.update_metadata(PATH, delete_version_after="soon")


def test_deleted_metadata_takes_the_versions_and_the_count_along(store: Store) -> None:
    store.write("one")
    store.kv.delete_metadata_and_all_versions(PATH)
    with pytest.raises(exceptions.InvalidPath):
        store.read()
    with pytest.raises(exceptions.InvalidPath):
        store.metadata()
    assert store.write("again", cas=0) == 1


def test_the_first_write_needs_create_and_the_next_update(server: VaultServer, store: Store) -> None:
    server.token("creator", 'path "secret/data/*" { capabilities = ["create"] }')
    server.token("updater", 'path "secret/data/*" { capabilities = ["update"] }')
    creator, updater = Store(server.url, "creator"), Store(server.url, "updater")
    with pytest.raises(exceptions.Forbidden):
        updater.write("one")
    assert creator.write("one") == 1
    with pytest.raises(exceptions.Forbidden):
        creator.write("two")
    assert updater.write("two") == 2
    for denied in (creator, updater):
        with pytest.raises(exceptions.Forbidden):
            denied.patch("data", {"data": {"api_key": "three"}})
    assert store.read() == "two"


def test_a_request_fails_before_it_acts_or_after_as_a_test_wants(server: VaultServer, store: Store) -> None:
    with FaultProxy(server.url, VaultApi()) as proxy:
        through = Store(proxy.url)
        proxy.plan(Fault("reset", "WriteSecret", times=1))
        with pytest.raises(requests.ConnectionError):
            through.write("one", cas=0)
        with pytest.raises(exceptions.InvalidPath):
            store.read()
        proxy.plan(Fault("answer-lost", "WriteSecret", times=1))
        with pytest.raises(requests.ConnectionError):
            through.write("two", cas=0)
        assert store.read() == "two"
        assert through.patch("metadata", {"custom_metadata": {"a": "1"}}).status_code == 204
    assert server.calls == ["ReadSecret", "WriteSecret", "ReadSecret", "PatchMetadata"]


def test_who_is_denied_writes_still_reads(server: VaultServer, store: Store) -> None:
    store.write("one")
    server.deny("WriteSecret", "PatchMetadata")
    with pytest.raises(exceptions.Forbidden):
        store.write("two")
    with pytest.raises(exceptions.Forbidden):
        store.patch("metadata", {"custom_metadata": {"a": "1"}})
    assert store.read() == "one"
    server.deny()
    assert store.write("two") == 2


def test_time_passes_only_as_the_test_says(server: VaultServer, store: Store) -> None:
    store.write("one")
    server.clock.advance(90 * SECOND)
    store.write("two")
    times = [each["created_time"] for each in store.metadata()["versions"].values()]
    assert times == [stamp(NOW), stamp(NOW + 90 * SECOND)]

"""Servers that contradict themselves, hide, or never end: nothing vanishes, and every list ends."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from keyaudit.sources import Pulled, open_source
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.sources.vault.finding import every_namespace
from keyaudit.sources.vault.scope import DEEPEST, MOST_FOLDERS
from keyaudit.times import DAY
from servers.vault import ROOT, Space, VaultServer, fleet, metadata, stamp
from servers.vault_engines import AppRole, Engine, Kv1, Kv2, Roles, Transit, aws, database, gcp, ldap
from sources.vault_case import NOW

KEY = {"type": "aes256-gcm96", "keys": {"1": 1}, "latest_version": 1}


@pytest.fixture
def server() -> Iterator[VaultServer]:
    with VaultServer(openbao=True) as server:
        yield server


def pull(server: VaultServer, **settings: object) -> Pulled:
    entry = {
        "name": "tested",
        "kind": "vault",
        "address": server.url,
        "cluster": "test",
        "requests_per_second": 10_000,
        "attempts": 2,
        **settings,
    }
    return open_source(entry, clock=lambda: NOW, environment={"VAULT_TOKEN": ROOT}).pull(lambda report: None)


def only(pulled: Pulled) -> tuple[str, str | None]:
    (coverage,) = pulled.coverage
    return str(coverage.status), coverage.reason


class TestBulkList:
    @pytest.mark.parametrize("most", [1, 7, 10])
    def test_a_page_shorter_than_was_asked_for_is_not_the_last(self, most: int) -> None:
        with fleet(30, openbao=True) as server:
            server.spaces[""].mounts["secret/"].most = most
            pulled = pull(server, mounts={"kv": ["secret"]}, scan=True, scan_page=10)
            assert len(pulled.rows) == 30
            assert only(pulled) == ("complete", None)

    def test_a_first_page_with_nothing_on_it_is_not_taken_for_an_empty_mount(
        self, server: VaultServer
    ) -> None:
        kv = server.mount("secret", Kv2())
        kv.entries["a"] = metadata(NOW)
        kv._detailed = lambda verb, folder, query: {"keys": [], "key_info": {}}
        assert [row.name for row in pull(server, scan=True).rows] == ["a"]

    @pytest.mark.parametrize("scan_page", [1, 2])
    def test_a_last_key_that_does_not_advance_ends_the_list(
        self, server: VaultServer, scan_page: int
    ) -> None:
        kv = server.mount("secret", Kv2())
        kv.entries |= {"a": metadata(NOW), "b": metadata(NOW)}
        answer = kv._detailed
        kv._detailed = lambda verb, folder, query: answer(verb, folder, {"limit": query["limit"]})
        status, reason = only(pull(server, scan=True, scan_page=scan_page))
        assert status == "partial"
        assert "came twice" in (reason or "")

    def test_pages_without_end_of_what_cannot_be_read_end(self, server: VaultServer) -> None:
        kv = server.mount("secret", Kv2())
        numbers = itertools.count()
        kv._detailed = lambda verb, folder, query: {"keys": [f"a//{next(numbers)}"], "key_info": {}}
        status, reason = only(pull(server, scan=True))
        assert status == "partial"
        assert "1,000 pages in a row held no secret" in (reason or "")


def kv(engine: Engine) -> None:
    engine.entries |= {f"{folder}/{name}": metadata(NOW) for folder in "ab" for name in "xyz"}


def roles(engine: Engine) -> None:
    engine.entries |= {name: {"rotation_period": 60, "last_vault_rotation": stamp(NOW)} for name in "xyz"}


def keys(engine: Engine) -> None:
    engine.entries |= dict.fromkeys("xyz", KEY)


ENGINES: list[tuple[str, Callable[[], Engine], Callable[[Engine], None], list[str], str, int]] = [
    ("secret", Kv2, kv, ["a/x", "b/y"], "secrets", 6),
    ("database", database, roles, ["x", "y"], "roles", 3),
    ("ldap", ldap, roles, ["x", "y"], "roles", 3),
    ("aws", aws, roles, ["x", "y"], "roles", 3),
    ("gcp", gcp, roles, ["x", "y"], "roles", 3),
    ("transit", Transit, keys, ["x", "y"], "keys", 3),
]


class TestHidden:
    """Listed a moment ago, and not found: its list is asked for once more."""

    @pytest.mark.parametrize(
        ("path", "engine", "fill", "hidden", "noun", "count"), ENGINES, ids=[each[0] for each in ENGINES]
    )
    def test_what_is_still_listed_is_there_and_not_known(
        self, server: VaultServer, path: str, engine: Any, fill: Any, hidden: list[str], noun: str, count: int
    ) -> None:
        mounted = server.mount(path, engine())
        fill(mounted)
        mounted.hidden = set(hidden)
        before = pull(server)
        assert only(before) == ("partial", f"2 of {count} {noun} are listed and cannot be found")
        assert sorted(row.name for row in before.rows) == sorted(mounted.entries)
        assert {row.name for row in before.rows if row.rotation is None} >= set(hidden)

    def test_a_list_that_is_not_given_again_leaves_it_open(self, server: VaultServer) -> None:
        secret = server.mount("secret", Kv2())
        secret.entries |= {"a": metadata(NOW), "b": metadata(NOW)}
        secret.hidden = {"b"}
        answer, asked = server.answer, itertools.count()

        def once(request, query, body):
            if request.verb == "LIST" and next(asked):
                server.tokens.clear()
            return answer(request, query, body)

        server.answer = once
        assert only(pull(server, mounts={"kv": ["secret"]}, calls_per_scope=1)) == (
            "partial",
            "1 of 2 secrets is listed and cannot be found",
        )

    def test_a_second_look_costs_one_list_a_folder(self, server: VaultServer) -> None:
        secret = server.mount("secret", Kv2())
        kv(secret)
        secret.hidden = {"a/x", "a/y", "b/z"}
        pull(server)
        folders = ["secret/metadata/a", "secret/metadata/a", "secret/metadata/b", "secret/metadata/b"]
        assert sorted(server.asked("LIST")) == ["secret/metadata", *folders]

    def test_a_folder_that_is_listed_and_cannot_be_found_is_a_gap(self, server: VaultServer) -> None:
        secret = server.mount("secret", Kv2())
        secret.entries |= {"a/x": metadata(NOW), "b/x": metadata(NOW)}
        handle = secret.handle
        secret.handle = lambda verb, path, query, body: handle(
            verb, path.replace("metadata/b", "metadata/none"), query, body
        )
        assert only(pull(server)) == ("partial", "1 of 2 folders is listed and cannot be found")

    def test_when_all_are_gone_the_list_is_not_believed(self, server: VaultServer) -> None:
        secret = server.mount("secret", Kv2())
        for name in "abc":
            secret.entries[name] = metadata(NOW)
        entry = secret.entry

        def gone(name: str) -> dict:
            secret.entries.clear()
            return entry(name)

        secret.entry = gone
        assert only(pull(server)) == ("partial", "all 3 secrets were gone when they were asked for")

    def test_a_secret_id_that_is_listed_and_cannot_be_found_leaves_its_role_unknown(
        self, server: VaultServer
    ) -> None:
        approle = server.mount("auth/approle", AppRole())
        approle.entries |= {
            "a": {"a1": {"creation_time": stamp(NOW)}, "a2": {"creation_time": stamp(NOW)}},
            "b": {"b1": {"creation_time": stamp(NOW)}},
            "c": {},
            "d": {},
            "e": {},
        }
        approle.hidden = {"a2"}
        pulled = pull(server)
        assert only(pulled) == ("partial", "1 of 3 secret ids is listed and cannot be found")
        assert [row.versions if row.versions is None else len(row.versions) for row in pulled.rows] == [
            None,
            1,
            0,
            0,
            0,
        ]

    @pytest.mark.parametrize(
        ("twice", "reason"),
        [
            ("role", "1 entries were listed twice, so others may have been left out"),
            ("role/a/secret-id", "1 of 1 lists of secret ids: the answer could not be read"),
        ],
    )
    def test_what_is_listed_twice_is_a_gap(self, server: VaultServer, twice: str, reason: str) -> None:
        approle = server.mount("auth/approle", AppRole())
        approle.entries["a"] = {"a1": {"creation_time": stamp(NOW)}}
        handle = approle.handle

        def doubled(verb, path, query, body):
            found = handle(verb, path, query, body)
            return {"keys": found["keys"] * 2} if path.strip("/") == twice else found

        approle.handle = doubled
        status, said = only(pull(server))
        assert status == "partial"
        assert reason in (said or "")

    def test_a_secret_id_that_is_gone_is_left_out_and_said(self, server: VaultServer) -> None:
        approle = server.mount("auth/approle", AppRole())
        approle.entries["a"] = {name: {"creation_time": stamp(NOW - DAY)} for name in ("a1", "a2")}
        handle = approle.handle

        def deleting(verb, path, query, body):
            if body.get("secret_id_accessor") == "a2":
                approle.entries["a"].pop("a2", None)
            return handle(verb, path, query, body)

        approle.handle = deleting
        pulled = pull(server)
        assert only(pulled) == ("complete", "1 of 2 secret ids was deleted while they were listed")
        assert len(pulled.rows[0].versions) == 1


class TestOddNames:
    def test_mounts_that_cannot_be_asked_for_are_counted_where_they_would_be_listed(
        self, server: VaultServer
    ) -> None:
        server.mount("secret", Kv2()).entries["a"] = metadata(NOW)
        for path in ("a//b", "x\x1b[31m", "..", "*", "long" * 2000):
            server.mount(path, Kv2())
        server.mount("auth/../x", AppRole())
        server.mount("pki/..", Roles("pki", "", "", ""))
        pulled = pull(server)
        said = {each.scope: (str(each.status), each.reason) for each in pulled.coverage}
        assert said == {
            "test/*": ("failed", "6 mounts have names that cannot be asked for"),
            "test/secret": ("complete", "mounts beside it that are not listed: 1 pki"),
        }

    def test_one_beside_a_list_that_was_denied_does_not_hide_the_denial(self, server: VaultServer) -> None:
        server.mount("a//b", Kv1())
        system = server._system

        def denied(request, space, policy):
            return system(request, space, {"other": {"read"}} if request.path == "sys/mounts" else policy)

        server._system = denied
        status, reason = only(pull(server))
        assert status == "failed"
        assert "there may be more than the token can see" in (reason or "")
        assert "; 1 mount has a name that cannot be asked for" in (reason or "")

    def test_namespaces_that_cannot_be_asked_for_are_counted(self, server: VaultServer) -> None:
        server.mount("secret", Kv2(), "good").entries["a"] = metadata(NOW)
        for name in (" x", "x ", "\x07", "..", "*"):
            server.mount("secret", Kv2(), name)
        pulled = pull(server, namespaces="all")
        assert {each.scope: str(each.status) for each in pulled.coverage} == {
            "test/*": "complete",
            "test/*//*": "failed",
            "test/good//secret": "complete",
        }
        assert pulled.coverage[1].reason == "5 namespaces have names that cannot be asked for"


class Everywhere(dict):
    """Every namespace is there."""

    def get(self, key, default=None):
        return self[""]


def gave(found: dict[str, list[str]], **limits: int) -> tuple[list[str], dict[str, str]]:
    lost: dict[str, str] = {}
    return list(every_namespace(lambda name: found.get(name, []), lost, **limits)), lost


class TestEndless:
    def test_namespaces_in_namespaces_end_after_twenty_levels(self, server: VaultServer) -> None:
        server.spaces = Everywhere({"": Space(), "x": Space()})
        server.mount("secret", Kv2()).entries["a"] = metadata(NOW)
        server._namespaces = lambda namespace: {"keys": ["x/"]}
        pulled = pull(server, namespaces="all", engines=["kv"])
        deepest = "/".join("x" * 20)
        lost = {each.scope: each.reason for each in pulled.coverage if each.status == "failed"}
        assert lost == {f"test/{deepest}/*//*": "namespaces lie more than 20 deep, which seems endless"}
        assert len(pulled.rows) == 21

    def test_twenty_levels_are_no_gap(self) -> None:
        chain = {"/".join("x" * depth): ["x/"] for depth in range(20)}
        found, lost = gave(chain)
        assert (len(found), lost) == (21, {})

    def test_namespaces_end_after_ten_thousand(self) -> None:
        names = [f"{number}/" for number in range(20_000)]
        found, lost = gave({"": names, "0": ["a/"]})
        assert (len(found), lost) == (10_000, {"": "more than 10,000 namespaces, which seems endless"})

    def test_a_namespace_that_is_listed_twice_is_one(self) -> None:
        assert gave({"": ["a/", "a/", "b"], "a": ["c/", "c/d/"]}) == (
            ["", "a", "b", "a/c"],
            {"a": "1 namespace has a name that cannot be asked for"},
        )

    def test_a_level_that_is_refused_is_said_and_the_others_go_on(self) -> None:
        def ask(namespace: str) -> list[str]:
            if namespace == "a":
                raise RefusedError(Kind.DENIED)
            return [] if namespace else ["a/", "b/"]

        lost: dict[str, str] = {}
        assert list(every_namespace(ask, lost)) == ["", "a", "b"]
        assert lost == {"a": "the namespaces in it could not be listed: denied"}

    @pytest.mark.parametrize("engine", [Kv2, Kv1])
    def test_folders_in_folders_end(self, server: VaultServer, engine: type[Engine]) -> None:
        secret = server.mount("secret", engine())
        secret.handle = lambda verb, path, query, body: (
            metadata(NOW) if verb == "GET" else {"keys": ["x", "x/"] if path.count("/") < 3 else ["x/"]}
        )
        status, reason = only(pull(server))
        assert status == "partial"
        assert f"1 folders lie more than {DEEPEST} deep, which seems endless" in (reason or "")
        assert len(server.asked("LIST")) == DEEPEST + 1

    def test_more_folders_than_anybody_has_end_the_list(self, server: VaultServer) -> None:
        whole = {"keys": ["app", *[f"{number:x}/" for number in range(MOST_FOLDERS + 1)]]}
        server.mount("secret", Kv1()).handle = lambda verb, path, query, body: whole
        status, reason = only(pull(server))
        assert status == "failed"
        assert reason is not None
        assert "more than 1,000,000 folders, which seems endless" in reason


class TestNesting:
    DEEP = "[" * 3000 + "]" * 3000

    @pytest.mark.parametrize("scan", [False, True])
    def test_labels_without_end_cost_only_their_secret(self, server: VaultServer, scan: bool) -> None:
        secret = server.mount("secret", Kv2())
        secret.entries |= {"a": metadata(NOW), "b": metadata(NOW, custom={"x": "DEEP"})}
        server.written = lambda text: text.replace('"DEEP"', self.DEEP)
        pulled = pull(server, mounts={"kv": ["secret"]}, scan=scan)
        assert only(pulled) == ("partial", "1 of 2 secrets: the answer could not be read")
        assert [(row.name, row.versions is None) for row in pulled.rows] == [("a", False), ("b", True)]

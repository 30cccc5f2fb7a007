"""Namespaces, mounts, calls, standbys: what only this source has, over real HTTP with the real hvac."""

from __future__ import annotations

import types
from collections.abc import Iterator

import pytest

from keyaudit.errors import SourceError
from keyaudit.sources import Pulled, check_settings, least_privilege, open_source
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.sources.vault.client import Vault
from keyaudit.sources.vault.settings import VaultSettings
from keyaudit.times import DAY
from servers.fault_proxy import Fault
from servers.vault import ROOT, VaultServer, fleet, metadata, stamp
from servers.vault_engines import AppRole, Engine, Kv1, Kv2, Roles, Transit, database
from sources.vault_case import NOW, VaultCase


@pytest.fixture
def server() -> Iterator[VaultServer]:
    with VaultServer() as server:
        yield server


def entry(url: str, **settings: object) -> dict:
    return {
        "name": "tested",
        "kind": "vault",
        "address": url,
        "cluster": "test",
        "requests_per_second": 10_000,
        "attempts": 2,
        **settings,
    }


def pull(url: str, token: str = ROOT, **settings: object) -> Pulled:
    environment = {"VAULT_TOKEN": token}
    return open_source(entry(url, **settings), clock=lambda: NOW, environment=environment).pull(
        lambda report: None
    )


def statuses(pulled: Pulled) -> dict[str, str]:
    assert len({each.scope for each in pulled.coverage}) == len(pulled.coverage)
    return {each.scope: str(each.status) for each in pulled.coverage}


def reasons(pulled: Pulled) -> dict[str, str | None]:
    return {each.scope: each.reason for each in pulled.coverage}


def filled(server: VaultServer, path: str, engine: Engine | None = None, namespace: str = "") -> Engine:
    kv = server.mount(path, engine or Kv2(), namespace)
    kv.entries["key"] = metadata(NOW - DAY)
    return kv


class TestMounts:
    def test_all_means_every_mount_that_keeps_something_we_list(self, server: VaultServer) -> None:
        filled(server, "secret")
        filled(server, "team/kv", Kv1())
        server.mount("auth/approle", AppRole())
        server.mount("pki", Roles("pki", "", "", ""))
        server.mount("pki-old", Roles("pki", "", "", ""))
        server.mount("ssh", Roles("ssh", "", "", ""))
        server.mount("auth/userpass", Roles("userpass", "", "", ""))
        pulled = pull(server.url)
        # An empty mount that nobody declared is complete where others of the cluster have something.
        assert statuses(pulled) == {
            "test/auth/approle": "complete",
            "test/secret": "complete",
            "test/team/kv": "complete",
        }
        assert "mounts beside it that are not listed: 2 pki, 1 ssh" in {*reasons(pulled).values()}

    def test_engines_narrow_all_down(self, server: VaultServer) -> None:
        filled(server, "secret")
        server.mount("auth/approle", AppRole())
        assert statuses(pull(server.url, engines=["kv"])) == {"test/secret": "complete"}
        assert "sys/auth" not in server.asked("GET")

    def test_a_list_of_mounts_that_is_denied_is_a_gap_and_the_visible_ones_are_listed(
        self, server: VaultServer
    ) -> None:
        filled(server, "secret")
        filled(server, "hidden")
        server.token("t", 'path "secret/metadata/*" { capabilities = ["read", "list"] }')
        pulled = pull(server.url, "t")
        assert statuses(pulled) == {"test/*": "failed", "test/secret": "complete"}
        assert "there may be more than the token can see" in reasons(pulled)["test/*"]

    def test_a_declared_mount_that_is_not_there_fails_by_name(self, server: VaultServer) -> None:
        filled(server, "secret")
        filled(server, "old", Kv1())
        server.mount("auth/ldap", Roles("ldap", "", "", ""))
        pulled = pull(server.url, mounts={"kv": ["secret", "gone", "old"], "approle": ["auth/ldap"]})
        assert statuses(pulled) == {
            "test/auth/ldap": "failed",
            "test/gone": "failed",
            "test/old": "failed",
            "test/secret": "complete",
        }
        assert reasons(pulled)["test/gone"] == "there is no such mount, or the token may do nothing with it"
        assert reasons(pulled)["test/old"] == "its engine is not kv but kv-v1"
        assert reasons(pulled)["test/auth/ldap"] == "its engine is not approle"

    def test_a_sealed_server_fails_every_declared_mount(self, server: VaultServer) -> None:
        server.sealed = True
        pulled = pull(server.url, mounts={"kv": ["a", "b"]})
        assert statuses(pulled) == {"test/a": "failed", "test/b": "failed"}
        assert set(reasons(pulled).values()) == {"the server is sealed or in maintenance (HTTP 503)"}
        assert len(server.log) == 1

    def test_a_sealed_server_of_which_no_mount_is_declared_is_one_gap(self, server: VaultServer) -> None:
        server.sealed = True
        assert statuses(pull(server.url)) == {"test/*": "failed"}

    @pytest.mark.parametrize("how", ["denied", "gone", "bad-json", "no-list"])
    def test_where_nobody_says_which_engines_there_are_nothing_below_a_mount_is_asked(
        self, vault: VaultCase, how: str
    ) -> None:
        vault.server.mount("old", Kv1()).entries["metadata/db"] = {"password": "CANARY"}
        vault.proxy.plan(Fault(how, "GET", scope="sys"))
        pulled = vault.pull(mounts={"kv": ["secret", "old"], "database": ["database"]})
        assert statuses(pulled) == dict.fromkeys(("test/database", "test/old", "test/secret"), "failed")
        said = "the server does not say which engine this is: "
        assert all((each or "").startswith(said) for each in reasons(pulled).values())
        assert {each.path for each in vault.server.log} <= {"sys/internal/ui/mounts"}

    @pytest.mark.parametrize("chosen", [{}, {"mounts": {"kv": ["secret"]}}], ids=["all", "declared"])
    def test_a_version_of_kv_that_nobody_knows_is_not_taken_for_another(
        self, server: VaultServer, chosen: dict
    ) -> None:
        filled(server, "secret").options = {"version": "3"}
        pulled = pull(server.url, **chosen)
        assert reasons(pulled) == {"test/secret": "the server does not say which engine this is"}
        assert statuses(pulled) == {"test/secret": "failed"}
        assert not [each for each in server.log if each.path.startswith("secret/")]

    def test_an_engine_too_old_for_a_list_is_a_gap_and_not_empty(self, server: VaultServer) -> None:
        server.mount("aws", Roles("aws", "lists-nothing", "static-roles", "static-creds"))
        filled(server, "secret")
        pulled = pull(server.url)
        assert statuses(pulled) == {"test/aws": "failed", "test/secret": "complete"}
        assert reasons(pulled)["test/aws"] == "the server has nothing at this path (HTTP 404)"

    def test_the_host_and_its_port_name_the_cluster_if_nobody_does(self, server: VaultServer) -> None:
        filled(server, "secret")
        host = server.url.removeprefix("http://")
        assert statuses(pull(server.url, cluster=None)) == {f"{host}/secret": "complete"}

    @pytest.mark.parametrize(
        ("address", "place"),
        [
            ("https://vault.example", "vault.example"),
            ("https://vault.example:443", "vault.example"),
            ("https://vault.example:8200/prefix", "vault.example"),
            ("https://Vault.example:8201", "vault.example:8201"),
            ("https://[2001:db8::1]:8200", "2001:db8::1"),
            ("https://[2001:db8::1]:9200", "[2001:db8::1]:9200"),
        ],
    )
    def test_usual_ports_are_not_part_of_the_name(self, address: str, place: str) -> None:
        assert VaultSettings.model_validate(entry(address, cluster=None)).place == place

    def test_a_mount_may_be_called_like_a_route(self, server: VaultServer) -> None:
        for path in ("data", "metadata", "sys-tem", "a b/ü%2f"):
            filled(server, path)
        assert {row.id for row in pull(server.url).rows} == {
            "data/key",
            "metadata/key",
            "sys-tem/key",
            "a b/ü%2f/key",
        }


class TestNamespaces:
    @pytest.fixture
    def spaces(self, server: VaultServer) -> VaultServer:
        filled(server, "secret")
        filled(server, "secret", namespace="team-a")
        filled(server, "kv/web", namespace="team-a/web")
        filled(server, "secret", namespace="tëam-b")
        return server

    def test_without_a_word_only_the_tokens_own_is_listed(self, spaces: VaultServer) -> None:
        assert statuses(pull(spaces.url)) == {"test/secret": "complete"}
        assert not [each for each in spaces.log if "X-Vault-Namespace" in each.headers]

    def test_named_ones_are_listed_by_header(self, spaces: VaultServer) -> None:
        pulled = pull(spaces.url, namespaces=["root", "team-a/web"])
        assert statuses(pulled) == {"test/secret": "complete", "test/team-a/web//kv/web": "complete"}

    def test_all_are_found_level_by_level(self, spaces: VaultServer) -> None:
        assert statuses(pull(spaces.url, namespaces="all")) == {
            "test/secret": "complete",
            "test/team-a//secret": "complete",
            "test/team-a/web//kv/web": "complete",
            "test/tëam-b//secret": "complete",
        }
        assert spaces.asked("LIST").count("sys/namespaces") == 4

    def test_one_that_does_not_exist_fails(self, spaces: VaultServer) -> None:
        assert statuses(pull(spaces.url, namespaces=["nowhere"])) == {"test/nowhere//*": "failed"}

    def test_a_denied_list_of_namespaces_is_a_gap(self, spaces: VaultServer) -> None:
        spaces.token(
            "t",
            'path "sys/mounts" { capabilities = ["read"] }\npath "sys/auth" { capabilities = ["read"] }\n'
            'path "secret/metadata/*" { capabilities = ["read", "list"] }',
        )
        pulled = pull(spaces.url, "t", namespaces="all")
        assert statuses(pulled) == {"test/*//*": "failed", "test/secret": "complete"}

    def test_two_places_never_have_one_name(self, server: VaultServer) -> None:
        filled(server, "web/kv", namespace="team").entries["theirs"] = metadata(NOW)
        filled(server, "kv", namespace="team/web").entries["ours"] = metadata(NOW)
        filled(server, "team/web/kv").entries["own"] = metadata(NOW)
        pulled = pull(server.url, namespaces="all")
        assert {(row.scope, row.name) for row in pulled.rows if row.name != "key"} == {
            ("test/team/web/kv", "own"),
            ("test/team//web/kv", "theirs"),
            ("test/team/web//kv", "ours"),
        }

    def test_a_named_one_without_a_mount_that_is_listed_is_empty_and_says_what_it_has(
        self, spaces: VaultServer
    ) -> None:
        spaces.mount("pki", Roles("pki", "", "", ""), "other")
        pulled = pull(spaces.url, namespaces=["root", "other", "team-a"])
        assert statuses(pulled) == {
            "test/other//*": "empty",
            "test/secret": "complete",
            "test/team-a//secret": "complete",
        }
        assert reasons(pulled)["test/other//*"] == (
            "no engine that is listed here is mounted; mounts beside it that are not listed: 1 pki"
        )

    def test_of_all_one_without_a_mount_that_is_listed_is_covered_too(self, spaces: VaultServer) -> None:
        spaces.mount("pki", Roles("pki", "", "", ""), "other")
        pulled = pull(spaces.url, namespaces="all")
        assert statuses(pulled)["test/other//*"] == "complete"
        assert len(pulled.coverage) == 5

    def test_nothing_mounted_at_all_is_empty(self, server: VaultServer) -> None:
        assert statuses(pull(server.url)) == {"test/*": "empty"}
        assert statuses(pull(server.url, namespaces="all")) == {"test/*": "empty"}


class TestCalls:
    """Calls for N items, as the cost table has them; one more finds the mounts, one who asks."""

    def test_a_tree_costs_a_list_a_folder_and_a_read_a_secret(self) -> None:
        with fleet(300, folders=20) as server:
            pulled = pull(server.url, mounts={"kv": ["secret"]})
            assert (pulled.coverage[0].calls, pulled.coverage[0].pages) == (1 + 20 + 300, 21)
            assert len(server.log) == 1 + 1 + 1 + 20 + 300

    @pytest.mark.parametrize(("secrets", "calls"), [(95, 11), (100, 11)])
    def test_the_bulk_list_costs_a_call_a_page_and_one_more_that_finds_nothing(
        self, secrets: int, calls: int
    ) -> None:
        with fleet(secrets, openbao=True) as server:
            bulk = pull(server.url, mounts={"kv": ["secret"]}, scan=True, scan_page=10)
            assert (bulk.coverage[0].calls, bulk.coverage[0].pages) == (calls, calls)
            assert bulk.coverage[0].reason is None
            one_by_one = pull(server.url, mounts={"kv": ["secret"]})
            assert list(bulk.rows) == list(one_by_one.rows)

    def test_an_empty_mount_costs_one_more_if_the_bulk_list_is_wanted(self) -> None:
        with fleet(0, openbao=True) as server:
            pulled = pull(server.url, mounts={"kv": ["secret"]}, scan=True)
            assert (pulled.coverage[0].status, pulled.coverage[0].calls) == ("empty", 2)

    def test_roles_keys_and_secret_ids_cost_one_each(self, server: VaultServer) -> None:
        for path, engine, names in (("db", database(), 7), ("transit", Transit(), 5)):
            server.mount(path, engine)
            for number in range(names):
                engine.entries[str(number)] = {
                    "type": "aes256-gcm96",
                    "keys": {"1": 1},
                    "latest_version": 1,
                    "rotation_period": 60,
                }
        approle = server.mount("auth/approle", AppRole())
        approle.entries |= {
            role: {f"{role}-{each}": {"creation_time": stamp(NOW)} for each in range(3)} for role in "ab"
        }
        pulled = pull(server.url)
        assert {each.scope: each.calls for each in pulled.coverage} == {
            "test/db": 1 + 7,
            "test/transit": 1 + 5,
            "test/auth/approle": 1 + 2 + 6,
        }

    def test_a_rate_limit_stops_all_scopes_for_as_long_as_the_server_says(self, server: VaultServer) -> None:
        filled(server, "secret")
        server.limited = [{"Retry-After": "1"}] * 2
        pulled = pull(server.url, attempts=5, mounts={"kv": ["secret"]})
        assert pulled.coverage[0].status == "complete"

    def test_many_denials_in_a_row_do_not_end_the_list(self, server: VaultServer) -> None:
        kv = server.mount("secret", Kv2())
        for number in range(60):
            kv.entries[f"hidden/{number}"] = metadata(NOW)
        kv.entries["open/key"] = metadata(NOW)
        server.token(
            "t",
            'path "secret/metadata/*" { capabilities = ["read", "list"] }\n'
            'path "secret/metadata/hidden/*" { capabilities = ["list"] }\n'
            'path "secret/metadata/hidden/+" { capabilities = ["deny"] }\n'
            'path "secret/metadata/hidden" { capabilities = ["list"] }\n',
        )
        pulled = pull(server.url, "t", mounts={"kv": ["secret"]})
        assert pulled.coverage[0].reason == "60 of 61 secrets: denied (HTTP 403)"
        known = [row.name for row in pulled.rows if row.versions is not None]
        assert (known, len(pulled.rows)) == (["open/key"], 61)

    def test_a_denied_folder_is_named(self, server: VaultServer) -> None:
        kv = server.mount("secret", Kv2())
        kv.entries |= {"open/key": metadata(NOW), "hidden/key": metadata(NOW)}
        server.token(
            "t",
            'path "secret/metadata/*" { capabilities = ["read", "list"] }\n'
            'path "secret/metadata/hidden/*" { capabilities = ["deny"] }\n'
            'path "secret/metadata/hidden" { capabilities = ["deny"] }\n',
        )
        pulled = pull(server.url, "t", mounts={"kv": ["secret"]})
        assert pulled.coverage[0].status == "partial"
        assert pulled.coverage[0].reason == "1 of 2 folders: denied (HTTP 403); not listed: hidden/"


class TestToken:
    def test_a_token_that_ends_half_way_is_told_from_a_denial_and_no_more_is_asked(self) -> None:
        with fleet(200, folders=1) as server:
            server.token("t", least_privilege("vault", [entry(server.url, mounts={"kv": ["secret"]})]))
            answer = server.answer

            def until_it_ends(request, query, body):
                if request.path.endswith("/app-100"):
                    del server.tokens["t"]
                return answer(request, query, body)

            server.answer = until_it_ends
            pulled = pull(server.url, "t", mounts={"kv": ["secret"]}, calls_per_scope=1)
            assert pulled.coverage[0].status == "partial"
            assert "the token is not valid, or no longer (HTTP 403)" in pulled.coverage[0].reason
            assert "were then not asked for" in pulled.coverage[0].reason
            assert pulled.coverage[0].calls < 200


class TestInterrupted:
    def test_a_killed_pull_asks_again_only_for_what_it_had_not_heard(self, tmp_path) -> None:
        def reads(server: VaultServer) -> int:
            return len([path for path in server.asked("GET") if path.startswith("secret/metadata/")])

        def interrupt(report) -> None:
            if report.credentials >= 500:
                raise KeyboardInterrupt

        def opened(server: VaultServer):
            return open_source(
                entry(server.url, mounts={"kv": ["secret"]}),
                clock=lambda: NOW,
                cache_dir=tmp_path,
                environment={"VAULT_TOKEN": ROOT},
            )

        with fleet(1200, folders=1) as server:
            with pytest.raises(KeyboardInterrupt):
                opened(server).pull(interrupt)
            kept = [file.read_text() for file in tmp_path.rglob("*.json")]
            assert kept
            assert not [text for text in kept if "CANARY" in text]
            first = reads(server)
            again = opened(server).pull(lambda report: None)
            assert len(again.rows) == 1200
            # What was in flight when it was killed was heard by nobody.
            assert 600 <= reads(server) - first <= 700


class TestStandby:
    def test_a_standby_that_names_the_active_node_is_followed_once_and_remembered(
        self, server: VaultServer
    ) -> None:
        filled(server, "secret")
        with VaultServer() as standby:
            standby.redirect = server.url
            pulled = pull(standby.url, mounts={"kv": ["secret"]})
        assert statuses(pulled) == {"test/secret": "complete"}
        assert {each.headers["X-Vault-Token"] for each in server.log} == {ROOT}
        assert len(standby.log) == 2  # one for each door: to find the mounts, and to the mount

    @pytest.mark.parametrize(
        ("elsewhere", "reason"),
        [
            (
                "http://localhost:{port}",
                "sent on to another address, which `standbys` does not name (HTTP 307)",
            ),
            ("http://[::1", "sent on to another address (HTTP 307)"),
            ("http://127.0.0.1:99999", "sent on to another address (HTTP 307)"),
            ("http://127.0.0.1:{port}/other", "sent on to another address (HTTP 307)"),
            ("http://127.0.0.1:{port}/v1/secret/data/key?", "sent on to another address (HTTP 307)"),
            ("http://user@127.0.0.1:{port}", "sent on to another address (HTTP 307)"),
        ],
    )
    def test_no_token_goes_anywhere_else(self, server: VaultServer, elsewhere: str, reason: str) -> None:
        with VaultServer() as standby:
            standby.redirect = elsewhere.format(port=server.url.rpartition(":")[2])
            pulled = pull(standby.url)
        assert reasons(pulled) == {"test/*": reason}
        assert server.log == []

    def test_two_that_send_to_each_other_end_at_once(self) -> None:
        with VaultServer() as one, VaultServer() as other:
            one.redirect, other.redirect = other.url, one.url
            assert reasons(pull(one.url)) == {"test/*": "refused (HTTP 307)"}
            assert len(one.log) + len(other.log) == 2

    @pytest.mark.parametrize(
        "target",
        [
            "http://vault.example:8200",
            "http://other.example:8200",
            "http://127.0.0.1:8200",
            "ftp://vault.example",
        ],
    )
    def test_tls_is_never_given_up(self, target: str) -> None:
        standbys = ["https://active.example:8200", "http://127.0.0.1:8200"]
        settings = VaultSettings.model_validate(entry("https://vault.example:8200", standbys=standbys))
        vault = Vault(settings, "token", "", (), Meter(None))
        path = "/v1/sys/mounts"
        answer = types.SimpleNamespace(
            url=f"https://vault.example:8200{path}", status_code=307, headers={"Location": target + path}
        )
        with pytest.raises(RefusedError, match="without TLS"):
            vault._follow(answer)
        assert vault._adapter.base_uri == "https://vault.example:8200"
        for elsewhere in ("https://active.example", "https://other.example:8200", "https://[::1]:8200"):
            answer.headers["Location"] = elsewhere + path
            with pytest.raises(RefusedError, match="`standbys` does not name"):
                vault._follow(answer)
        assert vault._adapter.base_uri == "https://vault.example:8200"
        for known in ("https://active.example:8200", "https://vault.example:8201"):
            answer.headers["Location"] = known + path
            vault._follow(answer)
            assert vault._adapter.base_uri == known

    def test_a_standby_that_is_named_is_followed_to(self, server: VaultServer) -> None:
        filled(server, "secret")
        with VaultServer() as standby:
            standby.redirect = server.url.replace("127.0.0.1", "localhost")
            pulled = pull(standby.url, standbys=standby.redirect)
        assert statuses(pulled) == {"test/secret": "complete"}


class TestSettings:
    def test_the_token_comes_from_the_variable_that_is_named(self, server: VaultServer) -> None:
        filled(server, "secret")
        source = open_source(
            entry(server.url, token_variable="AUDIT_TOKEN"),
            clock=lambda: NOW,
            environment={"AUDIT_TOKEN": f"{ROOT}\n", "VAULT_TOKEN": "another"},
        )
        assert statuses(source.pull(lambda report: None)) == {"test/secret": "complete"}

    def test_without_a_token_nothing_begins(self, server: VaultServer) -> None:
        with pytest.raises(SourceError, match="VAULT_TOKEN is not set"):
            open_source(entry(server.url), clock=lambda: NOW).pull(lambda report: None)
        assert server.log == []

    def test_a_token_that_no_header_can_carry_is_not_printed(self, server: VaultServer) -> None:
        with pytest.raises(SourceError) as caught:
            pull(server.url, "CANARY\ntoken")
        assert "CANARY" not in str(caught.value)

    def test_a_missing_authority_is_said(self, server: VaultServer) -> None:
        with pytest.raises(SourceError, match=r"no file /nowhere/ca\.pem"):
            pull(server.url, ca_cert="/nowhere/ca.pem")

    def test_the_environment_decides_nothing(
        self, server: VaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path
    ) -> None:
        filled(server, "secret")
        (tmp_path / ".vault-token").write_text("another")
        for name, value in {
            "VAULT_ADDR": "http://127.0.0.1:9",
            "VAULT_TOKEN": "another",
            "VAULT_NAMESPACE": "elsewhere",
            "VAULT_CACERT": "/nowhere",
            "VAULT_CLIENT_CERT": "/nowhere",
            "HOME": str(tmp_path),
        }.items():
            monkeypatch.setenv(name, value)
        assert statuses(pull(server.url)) == {"test/secret": "complete"}

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"address": "http://vault.example:8200"}, "neither https"),
            ({"token_variable": "hvs.CAESIJ"}, "not the name of an environment variable"),
            ({"cluster": "a/b"}, "not a name"),
            ({"address": "https://vault.example:port"}, "no such host or port"),
            ({"address": "https://vault.example:99999"}, "no such host or port"),
            ({"address": "https://[vault"}, "no such host or port"),
            ({"standbys": ["http://vault.example"]}, "neither https"),
            ({"standbys": ["https://vault.example/v1"]}, "its paths are those of `address`"),
            ({"standbys": ["https://vault.example:0x1"]}, "no such host or port"),
            ({"namespaces": ["team/+"]}, "in a policy"),
            ({"namespaces": ["team*"]}, "in a policy"),
            ({"namespaces": ["team", " x"]}, "blanks"),
            ({"mounts": {"kv": ["+/secret"]}}, "in a policy"),
            ({"mounts": {"kv": ["team/sec*"]}}, "in a policy"),
            ({"mounts": {"kv": ["*"]}}, "in a policy"),
            ({"namespaces": ["../root"]}, "not a path"),
            ({"namespaces": []}, "name at least one"),
            ({"mounts": {}}, "names none"),
            ({"mounts": {"kv": []}}, "name at least one"),
            ({"mounts": {"kv": ["a/../b"]}}, "not a path"),
            ({"mounts": {"kv": ["a", "/a/"]}}, "twice"),
            ({"mounts": {"kv": ["a"], "transit": ["a"]}}, "twice"),
            ({"mounts": {"kv": ["auth/approle"]}}, "does not begin with auth/"),
            ({"mounts": {"approle": ["approle"]}}, "begins with auth/"),
            ({"mounts": {"pki": ["pki"]}}, "Input should be"),
            ({"mounts": {"kv": ["a"]}, "engines": ["kv"]}, "leave `engines` out"),
            ({"engines": ["kv", "kv"]}, "twice"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, settings: dict, message: str) -> None:
        problems = check_settings(entry("https://vault.example", **settings))
        assert [problem for problem in problems if message in problem.message], problems

    def test_the_least_is_an_address(self) -> None:
        assert check_settings({"name": "v", "kind": "vault", "address": "https://vault.example/prefix"}) == []


class TestIdentity:
    def test_every_scope_says_as_whom_it_was_asked(self, server: VaultServer) -> None:
        filled(server, "secret")
        filled(server, "kv", namespace="team/a")
        server.token("t", least_privilege("vault", [entry(server.url, namespaces=["root", "team/a"])]))
        server.called["t"] = "approle"
        pulled = pull(server.url, "t", namespaces=["root", "team/a"])
        assert {each.identity for each in pulled.coverage} == {"approle"}
        assert {each.identity for each in pull(server.url).coverage} == {"root"}
        asked = [each.namespace for each in server.log if each.path == "auth/token/lookup-self"]
        assert asked == ["", ""], "one call a pull, in the first namespace"

    def test_where_it_is_not_granted_it_is_not_known_and_nothing_else_is_missing(
        self, server: VaultServer
    ) -> None:
        filled(server, "secret")
        policy = least_privilege("vault", [entry(server.url, mounts={"kv": ["secret"]})])
        lines = policy.splitlines()
        assert 'path "auth/token/lookup-self" { capabilities = ["read"] }' in lines
        server.token("t", "\n".join(line for line in lines if "lookup-self" not in line))
        pulled = pull(server.url, "t", mounts={"kv": ["secret"]})
        (seen,) = pulled.coverage
        assert (seen.status, seen.identity, seen.reason, len(pulled.rows)) == ("complete", None, None, 1)

    @pytest.mark.parametrize(
        "how", ["denied", "gone", "bad-json", "wrong-shape", "server-error", "expired", "reset"]
    )
    def test_an_answer_that_is_none_is_not_a_failure(self, vault: VaultCase, how: str) -> None:
        vault.proxy.plan(Fault(how, "GET", scope="auth"))
        pulled = vault.pull()
        assert {(str(each.status), each.identity) for each in pulled.coverage} == {("complete", None)}

    @pytest.mark.parametrize("called", ["", 5, None, "x" * 201, "a\u202eb", "a\nb", f"token-{ROOT}"])
    def test_what_is_no_name_is_not_kept(self, server: VaultServer, called: object) -> None:
        filled(server, "secret")
        server.called[ROOT] = called
        pulled = pull(server.url)
        assert [(str(each.status), each.identity) for each in pulled.coverage] == [("complete", None)]

    def test_nothing_else_that_a_token_is_told_of_itself_is_kept(self, vault: VaultCase) -> None:
        pulled = vault.pull()
        assert {each.identity for each in pulled.coverage} == {"token"}
        assert "CANARY" not in repr(pulled)

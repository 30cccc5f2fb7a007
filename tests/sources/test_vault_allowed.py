"""Nothing leaves for Vault but what is on the list, and the shipped policy grants that and no more."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from keyaudit.sources import least_privilege, open_source
from keyaudit.sources.protocol import OperationRefusedError
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.vault.allowed import allowed
from keyaudit.sources.vault.client import Vault
from keyaudit.sources.vault.grants import NEVER, USUAL
from keyaudit.sources.vault.mounts import Mount
from keyaudit.sources.vault.settings import ENGINES, VaultSettings
from servers.vault import ROOT, VaultServer, metadata, stamp
from servers.vault_engines import AppRole, Kv1, Kv2, Transit, aws, database, gcp, ldap
from servers.vault_policy import PolicyError, allows, granted, parse
from sources.vault_case import NOW

ACCESSOR = "84896a0c-1347-aa90-a4f6-aca8b7558780"
MOUNTS = [Mount("test", "", USUAL[engine], engine) for engine in ENGINES]


@pytest.fixture
def server() -> Iterator[VaultServer]:
    """Every engine where it usually is, with one thing in it."""
    with VaultServer(openbao=True) as server:
        server.mount("secret", Kv2()).entries["app/db"] = metadata(NOW)
        server.mount("kv", Kv1()).entries["metadata/db"] = {"password": "CANARY"}
        role = {"last_vault_rotation": stamp(NOW), "rotation_period": 60}
        for path, engine in (("database", database()), ("ldap", ldap()), ("aws", aws()), ("gcp", gcp())):
            server.mount(path, engine).entries["role"] = role
        server.mount("transit", Transit()).entries["key"] = {
            "type": "aes256-gcm96",
            "keys": {"1": 1},
            "latest_version": 1,
        }
        server.mount("auth/approle", AppRole()).entries["role"] = {ACCESSOR: {"creation_time": stamp(NOW)}}
        yield server


def settings(server: VaultServer, **others: object) -> dict:
    return {
        "name": "tested",
        "kind": "vault",
        "address": server.url,
        "cluster": "test",
        "requests_per_second": 10_000,
        "scan": True,
        **others,
    }


def door(server: VaultServer, *mounts: Mount, finding: bool = False) -> Vault:
    checked = VaultSettings.model_validate(settings(server))
    meter = Meter(Pace(10_000, threading.Event()))
    return Vault(checked, ROOT, "", allowed(server.url, mounts or MOUNTS, finding=finding), meter)


REFUSED = [
    ("GET", "secret/data/app/db"),
    ("GET", "secret/subkeys/app/db"),
    ("GET", "secret/metadata"),
    ("GET", "secret/metadata/"),
    ("GET", "secret/config"),
    ("GET", "secret/metadata/../data/app/db"),
    ("GET", "secret/metadata/x/../../data/app/db"),
    ("GET", "secret/metadata/%2e%2e/data/app/db"),
    ("GET", "secret/metadata/%2E%2E/data/app/db"),
    ("GET", "secret/metadata/.%2e/data/app/db"),
    ("GET", "secret/metadata/..%2fdata%2fapp%2fdb"),
    ("GET", "secret/metadata/%2e%2e%2Fdata%2Fapp%2Fdb"),
    ("GET", "secret/metadata/app/.."),
    ("GET", "secret/metadata//..//data/app/db"),
    ("GET", "secret//data/app/db"),
    ("GET", "secret/metadata\\..\\data"),
    ("GET", "secret/metadata/app%00"),
    ("GET", "secret/metadata/app%0a"),
    ("GET", "other/metadata/app/db"),
    ("GET", "secret/metadatax/app/db"),
    ("POST", "secret/metadata/app/db"),
    ("PUT", "secret/metadata/app/db"),
    ("PATCH", "secret/metadata/app/db"),
    ("DELETE", "secret/metadata/app/db"),
    ("HEAD", "secret/metadata/app/db"),
    ("SCAN", "secret/metadata"),
    ("LIST", "secret/detailed-metadata"),
    ("LIST", "secret/data"),
    ("GET", "kv/metadata/db"),
    ("GET", "kv"),
    ("SCAN", "kv"),
    ("GET", "database/static-creds/role"),
    ("GET", "database/creds/role"),
    ("GET", "database/config/pg"),
    ("GET", "database/static-roles/a/b"),
    ("GET", "database/static-roles/%2e%2e/static-creds/role"),
    ("POST", "database/rotate-role/role"),
    ("GET", "ldap/static-cred/role"),
    ("GET", "ldap/creds/role"),
    ("GET", "ldap/static-role/../static-cred/role"),
    ("GET", "aws/creds/role"),
    ("GET", "aws/static-creds/role"),
    ("GET", "aws/sts/role"),
    ("GET", "gcp/static-account/role/key"),
    ("GET", "gcp/static-account/role/token"),
    ("GET", "gcp/key/role"),
    ("GET", "gcp/roleset/role"),
    ("GET", "transit/export/encryption-key/key"),
    ("GET", "transit/backup/key"),
    ("GET", "transit/keys/key/../../export/encryption-key/key"),
    ("POST", "transit/keys/key/rotate"),
    ("POST", "transit/decrypt/key"),
    ("POST", "auth/approle/role/role/secret-id"),
    ("POST", "auth/approle/role/role/secret-id/lookup"),
    ("POST", "auth/approle/role/role/secret-id-accessor/destroy"),
    ("POST", "auth/approle/role/../login/secret-id-accessor/lookup"),
    ("GET", "auth/approle/role/role/role-id"),
    ("GET", "auth/approle/role/role"),
    ("POST", "auth/approle/login"),
    ("POST", "auth/token/create"),
    ("LIST", "auth/token/accessors"),
    ("GET", "sys/mounts"),
    ("GET", "sys/raw/core/keyring"),
    ("PUT", "sys/seal"),
    ("GET", "../../etc/passwd"),
]


@pytest.mark.parametrize(("verb", "path"), REFUSED, ids=[f"{verb} {path}" for verb, path in REFUSED])
def test_other_requests_are_refused_and_the_server_hears_nothing(
    server: VaultServer, verb: str, path: str
) -> None:
    vault = door(server)
    with pytest.raises(OperationRefusedError, match="nothing was sent") as caught:
        vault.ask(verb, path)
    with pytest.raises(OperationRefusedError):
        vault._session.request(verb, f"{server.url}/v1/{path}")
    assert server.log == []
    assert caught.value.exit_code == 4


LISTED = [
    ("LIST", "secret/metadata"),
    ("LIST", "secret/metadata/app"),
    ("GET", "secret/metadata/app/db"),
    ("SCAN", "secret/detailed-metadata"),
    ("LIST", "kv"),
    ("LIST", "kv/metadata"),
    ("LIST", "database/static-roles"),
    ("GET", "database/static-roles/role"),
    ("LIST", "ldap/static-role"),
    ("GET", "ldap/static-role/role"),
    ("LIST", "aws/static-roles"),
    ("LIST", "gcp/static-accounts"),
    ("GET", "gcp/static-account/role"),
    ("LIST", "transit/keys"),
    ("GET", "transit/keys/key"),
    ("LIST", "auth/approle/role"),
    ("LIST", "auth/approle/role/role/secret-id"),
    ("POST", "auth/approle/role/role/secret-id-accessor/lookup"),
]


@pytest.mark.parametrize(("verb", "path"), LISTED, ids=[f"{verb} {path}" for verb, path in LISTED])
def test_listed_requests_pass_and_hold_no_value(server: VaultServer, verb: str, path: str) -> None:
    options = {"json": {"secret_id_accessor": ACCESSOR}} if verb == "POST" else {}
    assert b"CANARY" not in door(server).ask(verb, path, **options)
    assert [(each.verb, each.path) for each in server.log] == [(verb, path)]


def test_what_finds_mounts_asks_nothing_else(server: VaultServer) -> None:
    vault = Vault(
        VaultSettings.model_validate(settings(server)),
        ROOT,
        "",
        allowed(server.url, finding=True),
        Meter(Pace(10_000, threading.Event())),
    )
    for verb, path in [("GET", "sys/mounts"), ("GET", "sys/auth"), ("GET", "sys/internal/ui/mounts")]:
        vault.ask(verb, path)
    for verb, path in LISTED:
        with pytest.raises(OperationRefusedError):
            vault.ask(verb, path)
    assert len(server.log) == 3
    vault.ask("GET", "auth/token/lookup-self")
    others = [
        ("GET", "auth/token/lookup"),
        ("POST", "auth/token/lookup-self"),
        ("LIST", "auth/token/accessors"),
    ]
    for verb, path in [*others, ("POST", "auth/token/renew-self"), ("POST", "auth/token/revoke-self")]:
        with pytest.raises(OperationRefusedError):
            vault.ask(verb, path)


def test_a_mount_called_data_is_listed_and_its_values_are_not(server: VaultServer) -> None:
    server.mount("data", Kv2()).entries["data/db"] = metadata(NOW)
    vault = door(server, Mount("test", "", "data", "kv"))
    vault.ask("GET", "data/metadata/data/db")
    for path in ("data/data/data/db", "data/metadata/../data/data/db", "data/data"):
        with pytest.raises(OperationRefusedError):
            vault.ask("GET", path)


def test_an_address_with_a_path_of_its_own_is_where_every_path_begins() -> None:
    paths = [pattern for _, pattern in allowed("https://gateway.example/vault/", MOUNTS[:1])]
    assert any(pattern.fullmatch("/vault/v1/secret/metadata/a") for pattern in paths)
    assert not any(pattern.fullmatch("/v1/secret/metadata/a") for pattern in paths)
    assert not any(pattern.fullmatch("/vault/vault/v1/secret/metadata/a") for pattern in paths)


VALUES = [
    ("secret/data/app/db", None),
    ("secret/subkeys/app/db", None),
    ("kv/metadata/db", None),
    ("database/static-creds/role", None),
    ("ldap/static-cred/role", None),
    ("aws/static-creds/role", None),
    ("gcp/static-account/role/key", None),
    ("transit/export/encryption-key/key", None),
    ("auth/approle/role/role/role-id", None),
    ("auth/approle/role/role/secret-id", b"{}"),
]


def fetch(server: VaultServer, path: str, token: str, body: bytes | None) -> tuple[int, bytes]:
    request = urllib.request.Request(f"{server.url}/v1/{path}", body, {"X-Vault-Token": token})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize(("path", "body"), VALUES, ids=[path for path, _ in VALUES])
def test_the_shipped_policy_keeps_values_from_whoever_holds_its_token(
    server: VaultServer, path: str, body: bytes | None
) -> None:
    server.token("audit", least_privilege("vault", [settings(server)]))
    assert b"CANARY" in fetch(server, path, ROOT, body)[1]
    assert fetch(server, path, "audit", body)[0] == 403


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"mounts": {engine: [USUAL[engine]] for engine in ENGINES}},
        {"scan": False},
        {"namespaces": "all"},
        {"namespaces": ["root", "team/a"]},
    ],
    ids=["all", "declared", "one-by-one", "every-namespace", "named-namespaces"],
)
def test_a_pull_under_the_shipped_policy_makes_only_requests_that_it_grants(
    server: VaultServer, chosen: dict
) -> None:
    server.mount("secret", Kv2(), "team/a").entries["theirs"] = metadata(NOW)
    entry = settings(server, **chosen)
    text = least_privilege("vault", [entry])
    server.token("audit", text)
    source = open_source(entry, clock=lambda: NOW, environment={"VAULT_TOKEN": "audit"})
    pulled = source.pull(lambda report: None)
    here = {each.scope: str(each.status) for each in pulled.coverage if "team" not in each.scope}
    assert here == {f"test/{path}": "complete" for path in USUAL.values()}
    policy = parse(text, openbao=True)
    # Which mounts a token can see is told to every token; only namespaces of others may be refused.
    made = [each for each in server.log if not each.namespace or chosen.get("namespaces") != "all"]
    assert [each for each in made if not allows(policy, *each.needs)] == []
    if chosen.get("namespaces") == ["root", "team/a"]:
        assert [row.name for row in pulled.rows if "team" in row.scope] == ["theirs"]


def test_every_denied_path_is_denied_whatever_is_asked_of_it() -> None:
    policy = parse(least_privilege("vault"))
    for engine, paths in NEVER.items():
        for path in paths:
            asked = f"{USUAL[engine]}/{path.replace('+', 'x').replace('*', 'x')}"
            assert "deny" in granted(policy, asked), asked


def test_vault_takes_the_policy_as_it_is_and_openbao_with_its_bulk_list_too(server: VaultServer) -> None:
    parse(least_privilege("vault"))
    parse(least_privilege("vault", [settings(server, scan=False)]))
    wanted = least_privilege("vault", [settings(server)])
    assert 'path "secret/detailed-metadata" { capabilities = ["scan"] }' in wanted.splitlines()
    parse(wanted, openbao=True)
    with pytest.raises(PolicyError, match="scan"):
        parse(wanted)


def test_the_policy_of_declared_mounts_names_no_others(server: VaultServer) -> None:
    chosen = settings(server, mounts={"kv": ["team/secret"]}, namespaces=["", 'a"b'], scan=False)
    rules = set(parse(least_privilege("vault", [chosen])))
    assert all(
        rule.removeprefix('a"b/').startswith(("team/secret/", "sys/internal/", "auth/token/lookup-self"))
        for rule in rules
    )
    assert not {rule for rule in rules if rule.startswith('a"b/auth')}, "one namespace says who asks"
    assert {"team/secret/metadata/*", 'a"b/team/secret/metadata/*'} <= rules
    assert "sys/mounts" not in rules


def test_policies_of_several_sources_come_together_once_each(server: VaultServer) -> None:
    one = settings(server, mounts={"kv": ["a"]})
    other = settings(server, mounts={"kv": ["a", "b"]})
    text = least_privilege("vault", [one, other])
    assert text.count('path "a/metadata/*"') == 1
    assert text.count('path "b/metadata/*"') == 1


class TestPolicyEngine:
    """The fake decides as the server's documentation says; what is proved with it is worth that much."""

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("secret/metadata/", {"list"}),
            ("secret/metadata/app", {"list"}),
            ("secret/data/app", {"read"}),
            ("secret/data/app/db", {"deny"}),
            ("secret/x/db", {"update"}),
            ("secret/x/y/db", set()),
            ("secret", set()),
            ("exact", {"read"}),
            ("exact/", {"read"}),
            ("exactly", {"patch"}),
        ],
    )
    def test_the_most_specific_rule_decides(self, path: str, expected: set[str]) -> None:
        policy = parse(
            """
            # the comment of an operator
            path "secret/metadata/*" { capabilities = ["list"] }
            path "secret/data/*" { capabilities = ["read"] }
            path "secret/data/app/*" { capabilities = ["deny"] }
            path "secret/+/db" { capabilities = ["update"] }
            path "exact" { capabilities = ["read"] }
            path "exact*" { capabilities = ["patch"] }
            """
        )
        assert granted(policy, path) == expected

    @pytest.mark.parametrize("text", ['path "a" {}', "path a", 'path "a" { capabilities = ["fly"] }'])
    def test_what_the_server_would_refuse_is_refused(self, text: str) -> None:
        with pytest.raises(PolicyError):
            parse(text)

"""Every field and every trap of Vault's engines, as the exact row that comes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.sources import Pulled, open_source
from keyaudit.times import DAY, HOUR, MINUTE, SECOND, parse_instant
from servers.vault import ROOT, VaultServer, metadata, stamp
from servers.vault_engines import AppRole, Engine, Kv1, Kv2, Transit, aws, database, gcp, ldap
from sources.vault_case import NOW

OFF = Rotation(enabled=False)


@pytest.fixture
def server() -> Iterator[VaultServer]:
    with VaultServer() as server:
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
    source = open_source(entry, clock=lambda: NOW, environment={"VAULT_TOKEN": ROOT})
    return source.pull(lambda report: None)


def only(server: VaultServer, path: str, engine: Engine, name: str, entry: dict) -> Credential:
    server.mount(path, engine).entries[name] = entry
    pulled = pull(server)
    assert [str(each.status) for each in pulled.coverage] == ["complete"]
    (row,) = pulled.rows
    return row


def version(version: str, state: str, created: int | None, **others: object) -> Version:
    return Version(id=version, state=state, created_at=created, **others)


def deleting(engine: Engine, name: str):
    """Have an entry deleted just before it is read."""

    def entry(asked: str, there=engine.entry) -> dict:
        if asked == name:
            engine.entries.pop(name, None)
        return there(asked)

    return entry


class TestKv:
    def test_a_secret_is_its_path_its_labels_and_its_versions(self, server: VaultServer) -> None:
        first, second = NOW - 200 * DAY, NOW - 100 * DAY
        labels = {"owner": "a@acme.example", "env": "production", "keyaudit_tier": "1", "team": "web"}
        entry = metadata(first, second, custom=labels)
        assert only(server, "team/secret", Kv2(), "app/db", entry) == Credential(
            source="vault",
            scope="test/team/secret",
            id="team/secret/app/db",
            name="app/db",
            environment="production",
            tier=1,
            owner="a@acme.example",
            labels=labels,
            created_at=first,
            last_changed_at=second,
            rotation=OFF,
            versions=[
                version("1", "superseded", first, superseded_at=second, stages=[]),
                version("2", "current", second, stages=[]),
            ],
        )

    def test_nanoseconds_are_cut_to_the_microsecond_and_never_rounded(self, server: VaultServer) -> None:
        entry = metadata(NOW)
        entry["versions"]["1"]["created_time"] = "2026-04-30T23:59:59.999999999Z"
        row = only(server, "secret", Kv2(), "a", entry)
        assert row.versions[0].created_at == parse_instant("2026-05-01T00:00:00Z") - 1

    def test_deletions_count_from_their_time_and_destruction_at_once(self, server: VaultServer) -> None:
        entry = metadata(*(NOW - days * DAY for days in (50, 40, 30, 20, 10)))
        versions = entry["versions"]
        versions["1"] |= {"destroyed": True, "deletion_time": stamp(NOW - 5 * DAY)}
        versions["2"]["deletion_time"] = stamp(NOW - 1, 0)
        versions["3"]["deletion_time"] = stamp(NOW, 0)
        versions["4"]["deletion_time"] = stamp(NOW + 1, 0)
        versions["5"]["deletion_time"] = "0001-01-01T00:00:00Z"
        row = only(server, "secret", Kv2(), "a", entry)
        states = ["destroyed", "disabled", "disabled", "superseded", "current"]
        assert [each.state for each in row.versions] == states

    def test_a_secret_whose_newest_version_was_deleted_has_no_current_one(self, server: VaultServer) -> None:
        entry = metadata(NOW - 9 * DAY, NOW - 8 * DAY)
        entry["versions"]["2"]["deletion_time"] = stamp(NOW - DAY)
        row = only(server, "secret", Kv2(), "a", entry)
        assert [each.state for each in row.versions] == ["superseded", "disabled"]

    def test_a_version_list_may_begin_late_and_is_in_the_order_of_numbers(self, server: VaultServer) -> None:
        created = [NOW - days * DAY for days in (13, 12, 11)]
        row = only(server, "secret", Kv2(), "a", metadata(*created, oldest=9))
        assert [(each.id, each.created_at) for each in row.versions] == list(
            zip(["9", "10", "11"], created, strict=True)
        )

    def test_labels_may_name_the_versions_that_are_current_and_previous(self, server: VaultServer) -> None:
        custom = {"keyaudit_current_version": "1", "keyaudit_previous_version": "2"}
        row = only(server, "secret", Kv2(), "a", metadata(NOW - DAY, NOW - HOUR, custom=custom))
        assert [each.stages for each in row.versions] == [["current"], ["previous"]]

    def test_fields_of_newer_servers_are_left_alone(self, server: VaultServer) -> None:
        entry = metadata(NOW - DAY, last_updated_by={"actor": "CANARY"})
        entry["versions"]["1"]["created_by"] = {"actor": "CANARY", "client_id": "CANARY"}
        assert "CANARY" not in repr(only(server, "secret", Kv2(), "a", entry))

    def test_an_entry_with_labels_only_is_no_credential_and_is_said(self, server: VaultServer) -> None:
        kv = server.mount("secret", Kv2())
        kv.entries["note"] = metadata(NOW, current_version=0, versions={})
        kv.entries["key"] = metadata(NOW)
        pulled = pull(server)
        assert [row.name for row in pulled.rows] == ["key"]
        assert pulled.coverage[0].reason == "1 entries hold labels and no secret"
        assert pulled.coverage[0].status == "complete"

    def test_a_secret_and_a_folder_may_have_the_same_name(self, server: VaultServer) -> None:
        kv = server.mount("secret", Kv2())
        for name in ("app", "app/db", "app/db/x y?#%2f", "ünï/kлюч"):
            kv.entries[name] = metadata(NOW)
        pulled = pull(server)
        assert sorted(row.name for row in pulled.rows) == sorted(kv.entries)
        assert pulled.coverage[0].reason is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"current_version": 1},
            {"current_version": 3},
            {"current_version": 0},
            {"versions": {}},
            {"versions": {"1": {"created_time": stamp(NOW)}}},
            {"versions": {"2": {"created_time": stamp(NOW)}, "02": {"created_time": stamp(NOW)}}},
            {"versions": {"2": {"created_time": stamp(NOW)}, "-1": {"created_time": stamp(NOW)}}},
        ],
    )
    def test_versions_of_which_the_newest_is_not_the_current_one_make_no_sense(
        self, server: VaultServer, changes: dict
    ) -> None:
        server.mount("secret", Kv2()).entries["a"] = metadata(NOW - DAY, NOW, **changes)
        pulled = pull(server)
        assert (pulled.rows[0].name, pulled.rows[0].versions) == ("a", None)
        assert pulled.coverage[0].reason == "the metadata of 1 secrets could not be read"

    def test_a_secret_that_goes_while_it_is_listed_is_no_gap(self, server: VaultServer) -> None:
        kv = server.mount("secret", Kv2())
        kv.entries["stays"] = metadata(NOW)
        kv.entries["goes"] = metadata(NOW)
        kv.entry = deleting(kv, "goes")
        pulled = pull(server)
        assert [row.name for row in pulled.rows] == ["stays"]
        assert pulled.coverage[0].status == "complete"
        assert pulled.coverage[0].reason == "1 of 2 secrets was deleted while they were listed"

    def test_version_1_has_names_only_and_nothing_of_it_is_read(self, server: VaultServer) -> None:
        kv = server.mount("kv", Kv1())
        kv.entries |= {"app/db": {"password": "CANARY"}, "metadata/x": {"password": "CANARY"}}
        pulled = pull(server)
        assert list(pulled.rows) == [
            Credential(source="vault", scope="test/kv", id=f"kv/{name}", name=name, rotation=OFF)
            for name in ("app/db", "metadata/x")
        ]
        (coverage,) = pulled.coverage
        assert (coverage.status, coverage.reason) == (
            "complete",
            "KV version 1 keeps no dates and no versions",
        )
        assert {"created_at", "last_changed_at", "versions"} <= set(coverage.cannot_know)
        assert not [path for path in server.asked("GET") if path.startswith("kv/")]


def role(**fields: object) -> dict:
    return {
        "credential_type": "password",
        "db_name": "pg",
        "username": "svc",
        "rotation_period": 86400,
        **fields,
    }


class TestStaticRoles:
    def test_a_database_role_is_as_old_as_its_last_rotation(self, server: VaultServer) -> None:
        rotated = NOW - 5 * HOUR
        entry = role(last_vault_rotation=stamp(rotated, 999))
        assert only(server, "database", database(), "orders", entry) == Credential(
            source="vault",
            scope="test/database",
            id="database/static-roles/orders",
            name="orders",
            cls="service-password",
            labels={},
            last_rotated_at=rotated,
            rotation=Rotation(enabled=True, schedule="86400s", next_at=rotated + DAY + MINUTE, by="service"),
            versions=[version("current", "current", rotated)],
        )

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"last_openbao_rotation": stamp(NOW - DAY), "last_vault_rotation": None}, (NOW - DAY, "86400s")),
            ({"last_vault_rotation": None}, (None, "86400s")),
            ({"rotation_period": "24h"}, (NOW - HOUR, "86400s")),
            ({"rotation_period": "3600"}, (NOW - HOUR, "3600s")),
            ({"rotation_period": 86400.0}, (NOW - HOUR, "86400s")),
            ({"rotation_period": 0}, (NOW - HOUR, None)),
            ({"disable_automated_rotation": True}, (NOW - HOUR, None)),
        ],
    )
    def test_dates_and_durations_come_in_several_spellings(
        self, server: VaultServer, fields: dict, expected: tuple
    ) -> None:
        row = only(
            server, "db", database(), "a", role(**{"last_vault_rotation": stamp(NOW - HOUR), **fields})
        )
        assert (row.last_rotated_at, row.rotation.schedule) == expected
        assert row.rotation.enabled is (expected[1] is not None)
        assert row.versions == [version("current", "current", expected[0])]

    @pytest.mark.parametrize(
        ("schedule", "window", "next_at"),
        [
            ("0 0 * * SAT", None, "2026-05-02T00:01:00Z"),
            ("0 0 * * SAT", 3600, "2026-05-02T01:01:00Z"),
            ("*/30 * * * *", "10m", "2026-05-01T11:41:00Z"),
            ("every full moon", None, None),
        ],
    )
    def test_a_schedule_is_read_in_utc_from_the_last_rotation_and_has_its_window(
        self, server: VaultServer, schedule: str, window: object, next_at: str | None
    ) -> None:
        entry = role(
            rotation_period=0,
            rotation_schedule=schedule,
            rotation_window=window,
            last_vault_rotation="2026-05-01T13:00:00.000000001+02:00",
        )
        row = only(server, "db", database(), "a", entry)
        wanted = next_at and parse_instant(next_at)
        assert row.rotation == Rotation(enabled=True, schedule=schedule, next_at=wanted, by="service")

    @pytest.mark.parametrize(
        ("kind", "cls"), [("rsa_private_key", None), ("client_certificate", "certificate")]
    )
    def test_a_role_may_have_something_else_than_a_password(
        self, server: VaultServer, kind: str, cls: str | None
    ) -> None:
        assert only(server, "db", database(), "a", role(credential_type=kind)).cls == cls

    @pytest.mark.parametrize("said", [{}, {"last_vault_rotation": stamp(NOW)}, {"username": "svc"}])
    def test_a_role_that_does_not_say_how_it_rotates_is_not_known(
        self, server: VaultServer, said: dict
    ) -> None:
        server.mount("database", database()).entries["a"] = said
        pulled = pull(server)
        assert (pulled.rows[0].name, pulled.rows[0].rotation, pulled.rows[0].versions) == ("a", None, None)
        assert pulled.coverage[0].reason == "1 roles could not be read"

    def test_ldap_roles_may_lie_in_folders_and_write_other_offsets(self, server: VaultServer) -> None:
        entry = {
            "dn": "cn=bob,dc=acme",
            "last_vault_rotation": "2020-02-19T11:31:53.7812-05:00",
            "rotation_period": 86400,
            "username": "bob",
        }
        row = only(server, "ldap", ldap(), "org/bob", entry)
        assert (row.id, row.name, row.cls) == ("ldap/static-role/org/bob", "org/bob", "service-password")
        assert row.last_rotated_at == parse_instant("2020-02-19T16:31:53.7812Z")

    def test_aws_roles_tell_no_dates(self, server: VaultServer) -> None:
        row = only(server, "aws", aws(), "ci", {"name": "ci", "username": "ci", "rotation_period": 604800})
        assert row == Credential(
            source="vault",
            scope="test/aws",
            id="aws/static-roles/ci",
            name="ci",
            cls="api-key",
            provider="aws",
            labels={},
            rotation=Rotation(enabled=True, schedule="604800s", by="service"),
        )

    @pytest.mark.parametrize(
        ("kind", "cls"), [("access_token", "api-key"), ("service_account_key", "dynamic-secret")]
    )
    def test_google_accounts_tell_no_dates_and_may_mint_keys(
        self, server: VaultServer, kind: str, cls: str
    ) -> None:
        row = only(server, "gcp", gcp(), "ci", {"secret_type": kind, "service_account_email": "x@y.example"})
        assert (row.id, row.cls, row.provider, row.rotation) == ("gcp/static-account/ci", cls, "gcp", None)

    def test_a_slash_in_a_name_that_has_none_is_not_followed(self, server: VaultServer) -> None:
        roles = server.mount("database", database())
        roles.entries |= {"good": role(), "folder/bad": role()}
        pulled = pull(server)
        assert [row.name for row in pulled.rows] == ["good"]
        assert (pulled.coverage[0].status, pulled.coverage[0].reason) == (
            "partial",
            "1 entries could not be read",
        )

    @pytest.mark.parametrize("period", ["soon", -1, 10**15, "9" * 30, "9" * 5000])
    def test_a_duration_that_is_none_leaves_the_name(self, period, server: VaultServer) -> None:
        server.mount("database", database()).entries["a"] = role(rotation_period=period)
        pulled = pull(server)
        assert (pulled.rows[0].name, pulled.rows[0].versions, pulled.rows[0].rotation) == ("a", None, None)
        assert pulled.coverage[0].reason == "1 roles could not be read"


def key(*made: int, **fields: object) -> dict:
    return {
        "type": "aes256-gcm96",
        "keys": {str(number): each // SECOND for number, each in enumerate(made, 1)},
        "latest_version": len(made),
        "min_available_version": 0,
        "min_decryption_version": 1,
        "min_encryption_version": 0,
        "auto_rotate_period": 0,
        "exportable": False,
        **fields,
    }


class TestTransit:
    MADE = (NOW - 300 * DAY, NOW - 200 * DAY, NOW - 100 * DAY)

    def test_older_versions_may_encrypt_unless_a_minimum_forbids_it(self, server: VaultServer) -> None:
        first, second, third = self.MADE
        assert only(server, "transit", Transit(), "orders", key(*self.MADE)) == Credential(
            source="vault",
            scope="test/transit",
            id="transit/keys/orders",
            name="orders",
            cls="encryption-key",
            labels={},
            created_at=first,
            rotation=OFF,
            versions=[
                version("1", "superseded", first, superseded_at=second, authenticates=True),
                version("2", "superseded", second, superseded_at=third, authenticates=True),
                version("3", "current", third, authenticates=True),
            ],
        )

    def test_a_minimum_leaves_older_versions_to_decrypt_only(self, server: VaultServer) -> None:
        row = only(server, "transit", Transit(), "a", key(*self.MADE, min_encryption_version=3))
        assert [each.authenticates for each in row.versions] == [False, False, True]
        assert [each.state for each in row.versions] == ["superseded", "superseded", "current"]

    def test_versions_that_are_not_listed_any_more_were_still_there(self, server: VaultServer) -> None:
        entry = key(*self.MADE, min_decryption_version=3, min_available_version=2)
        entry["keys"] = {"3": entry["keys"]["3"]}
        row = only(server, "transit", Transit(), "a", entry)
        assert row.created_at is None
        assert row.versions == [
            version("1", "destroyed", None, authenticates=False),
            version("2", "disabled", None, authenticates=False),
            version("3", "current", self.MADE[2], authenticates=True),
        ]

    def test_key_pairs_have_their_dates_beside_the_public_half(self, server: VaultServer) -> None:
        entry = key(*self.MADE[:1], type="ed25519")
        entry["keys"] = {
            "1": {
                "name": "ed25519",
                "public_key": "CANARY",
                "creation_time": "2026-01-02T03:04:05.417755123Z",
            }
        }
        row = only(server, "transit", Transit(), "a", entry)
        assert row.cls == "signing-key"
        assert row.versions[0].created_at == parse_instant("2026-01-02T03:04:05.417755Z")

    @pytest.mark.parametrize(
        ("kind", "cls"),
        [
            ("aes128-gcm96", "encryption-key"),
            ("xchacha20-poly1305", "encryption-key"),
            ("rsa-4096", "encryption-key"),
            ("ecdsa-p256", "signing-key"),
            ("ml-dsa", "signing-key"),
            ("hmac", "signing-key"),
            ("aes256-cmac", "signing-key"),
            ("managed_key", None),
        ],
    )
    def test_the_type_says_what_a_key_is_for(self, server: VaultServer, kind: str, cls: str | None) -> None:
        assert only(server, "transit", Transit(), "a", key(NOW, type=kind)).cls == cls

    @pytest.mark.parametrize("period", [2592000, "720h", "720h0m0s"])
    def test_a_key_that_rotates_by_itself_is_late_an_hour_after(
        self, server: VaultServer, period: object
    ) -> None:
        row = only(server, "transit", Transit(), "a", key(*self.MADE, auto_rotate_period=period))
        due = self.MADE[2] + 30 * DAY + HOUR
        assert row.rotation == Rotation(enabled=True, schedule="2592000s", next_at=due, by="service")

    def test_a_key_that_was_deleted_softly_does_nothing(self, server: VaultServer) -> None:
        row = only(server, "transit", Transit(), "a", key(*self.MADE[:2], soft_deleted=True))
        assert [(each.state, each.authenticates) for each in row.versions] == [("disabled", False)] * 2

    @pytest.mark.parametrize(
        "changes",
        [
            {"latest_version": 0},
            {"latest_version": 1},
            {"latest_version": 4},
            {"latest_version": 10**12},
            {"keys": {}},
            {"keys": {"1": 1, "3": 3}},
            {"keys": {"1": 1, "2": 2}},
            {"min_decryption_version": 4},
        ],
    )
    def test_versions_that_cannot_be_leave_the_name(self, server: VaultServer, changes: dict) -> None:
        server.mount("transit", Transit()).entries["a"] = key(*self.MADE, **changes)
        pulled = pull(server)
        assert (pulled.rows[0].name, pulled.rows[0].versions) == ("a", None)
        assert pulled.coverage[0].reason == "1 keys could not be read"


def secret_id(created: int, expires: int | None = None) -> dict:
    return {
        "creation_time": stamp(created),
        "expiration_time": "0001-01-01T00:00:00Z" if expires is None else stamp(expires, 0),
        "last_updated_time": stamp(created),
        "secret_id_num_uses": 0,
        "secret_id_ttl": 0,
        "metadata": {"note": "CANARY"},
        "cidr_list": [],
    }


class TestAppRole:
    def test_all_secret_ids_that_have_not_expired_log_in(self, server: VaultServer) -> None:
        ids = {
            "accessor-a": secret_id(NOW - 90 * DAY),
            "accessor-b": secret_id(NOW - 60 * DAY, NOW),
            "accessor-c": secret_id(NOW - 30 * DAY, NOW + DAY),
        }
        row = only(server, "auth/approle", AppRole(), "web", ids)
        assert (row.id, row.name, row.scope) == ("auth/approle/role/web", "web", "test/auth/approle")
        assert (row.cls, row.expires_at, row.rotation) == ("service-password", NOW + DAY, OFF)
        assert [(each.state, each.authenticates) for each in row.versions] == [
            ("superseded", True),
            ("disabled", False),
            ("current", True),
        ]
        assert [each.created_at for each in row.versions] == [NOW - days * DAY for days in (90, 60, 30)]
        assert [each.superseded_at for each in row.versions] == [NOW - 30 * DAY, None, None]

    def test_a_secret_id_ends_at_the_very_instant_that_it_names(self, server: VaultServer) -> None:
        ids = {f"accessor-{by}": secret_id(NOW - DAY + by, NOW + by) for by in (-1, 0, 1)}
        row = only(server, "auth/approle", AppRole(), "web", ids)
        assert [each.state for each in row.versions] == ["disabled", "disabled", "current"]

    def test_accessors_are_kept_as_a_hash_only(self, server: VaultServer) -> None:
        row = only(server, "auth/approle", AppRole(), "web", {"accessor-a": secret_id(NOW)})
        assert "accessor-a" not in repr(row)
        assert len(row.versions[0].id) == 16

    def test_never_expiring_is_no_expiry_and_no_secret_id_is_none(self, server: VaultServer) -> None:
        server.mount("auth/approle", AppRole()).entries |= {"a": {"x": secret_id(NOW)}, "b": {}}
        first, second = pull(server).rows
        assert (first.expires_at, len(first.versions)) == (None, 1)
        assert second.versions == []

    @pytest.mark.parametrize("odd", [secret_id(NOW) | {"creation_time": ""}, {"creation_time": ""}])
    def test_a_secret_id_without_a_time_leaves_the_role_unknown(self, server: VaultServer, odd: dict) -> None:
        server.mount("auth/approle", AppRole()).entries["a"] = {"x": odd, "y": secret_id(NOW)}
        pulled = pull(server)
        assert pulled.rows[0].versions is None
        assert pulled.coverage[0].reason == "the secret ids of 1 roles could not be read"

    def test_nothing_is_ever_minted(self, server: VaultServer) -> None:
        roles = server.mount("auth/approle", AppRole())
        roles.entries["a"] = {"x": secret_id(NOW)}
        pull(server)
        assert roles.minted == 0
        assert server.asked("POST") == ["auth/approle/role/a/secret-id-accessor/lookup"]

from __future__ import annotations

from pathlib import Path
from typing import Any

from history.logs.exports import CANARY, events_of, listed, written
from keyaudit.history.logs import placed, read_logs
from keyaudit.inventory.rows import Credential, Version
from keyaudit.model import Coverage, ScopeStatus

HMAC = "hmac-sha256:24ad0e3ed6fbb2706039aab0becacb0a3a2c0651bc62fb1fdf57e5a037033c75"


def line(operation: str, path: str, *, day: int = 1, namespace: str = "", **more: Any) -> dict[str, Any]:
    mount = path.split("/", maxsplit=1)[0]
    request = {
        "id": f"{operation}-{path}-{day}-{namespace}",
        "client_token": HMAC,
        "operation": operation,
        "mount_point": f"{namespace}{mount}/",
        "mount_type": "kv",
        "namespace": {"id": "eUSed", "path": namespace} if namespace else {"id": "root"},
        "path": path,
        "remote_address": "198.51.100.7",
    }
    request |= more.pop("request", {})
    return {
        "time": f"2026-03-0{day}T10:00:00.123456789Z",
        "type": "response",
        "auth": {"display_name": "token"},
        "request": request,
        "response": {"mount_type": "kv", "data": more.pop("answer", None)},
        **more,
    }


def write(number: object, *, day: int = 1, operation: str = "update", **more: Any) -> dict[str, Any]:
    answer = {"created_time": HMAC, "custom_metadata": None, "deletion_time": HMAC, "destroyed": False}
    asked = {"data": {"data": {"password": CANARY}, "options": {}}}
    return line(
        operation, "kv/data/team/db", day=day, answer=answer | {"version": number}, request=asked, **more
    )


def secret(*numbers: int, scope: str = "vault.acme.example/kv") -> Credential:
    versions = [Version(id=str(number), state="current") for number in numbers]
    return Credential(source="vault", scope=scope, id="kv/team/db", name="team/db", versions=versions)


def test_every_way_to_write_makes_the_version_that_the_store_counted(tmp_path: Path) -> None:
    entries = [write(day, day=day, operation=how) for day, how in enumerate(("create", "update", "patch"), 1)]
    assert [each.split(maxsplit=1)[1] for each in events_of(tmp_path, entries, listed(secret(3)))] == [
        "kv/team/db 1 created", "kv/team/db 1 in-use",
        "kv/team/db 2 created", "kv/team/db 2 in-use",
        "kv/team/db 3 created", "kv/team/db 3 in-use",
    ]  # fmt: skip


def test_versions_are_told_where_their_numbers_are_in_the_clear(tmp_path: Path) -> None:
    def several(action: str, day: int, versions: list[object]) -> dict[str, Any]:
        return line("update", f"kv/{action}/team/db", day=day, request={"data": {"versions": versions}})

    entries = [
        several("delete", 1, [1, "2"]),
        several("undelete", 2, ["2"]),
        several("destroy", 3, [HMAC]),
        line("delete", "kv/data/team/db", day=4),
        line("delete", "kv/metadata/team/db", day=5),
    ]
    logs = read_logs([written(tmp_path, entries, "audit.log")])
    said = [(event.version, str(event.told)) for event in placed(logs, listed(secret(3))).events]
    assert said == [("1", "retired"), ("2", "retired"), ("2", "restored"), (None, "deleted")]
    assert (logs.silent, logs.files[0].items) == (2, 5)


def test_reads_requests_refusals_and_other_engines_tell_nothing(tmp_path: Path) -> None:
    entries = [
        line("read", "kv/data/team/db", answer={"data": {"password": HMAC}, "metadata": {"version": 3}}),
        write(4) | {"type": "request"},
        write(4, day=2) | {"error": "permission denied"},
        line("update", "database/rotate-role/app", request={"mount_type": "database"}),
        line("update", "kv/metadata/team/db"),
        line("update", "sys/mounts/kv", request={"mount_type": "system"}),
    ]
    assert events_of(tmp_path, entries, listed(secret(3)), "audit.log") == []


def test_a_namespace_is_no_part_of_the_mount(tmp_path: Path) -> None:
    inside = secret(1, scope="vault.acme.example/admin//kv")
    outside = secret(1)
    logs = read_logs([written(tmp_path, [write(2, namespace="admin/")], "audit.log")])
    result = placed(logs, listed(inside, outside))
    assert {event.scope for event in result.events} == {"vault.acme.example/admin//kv"}


def test_the_log_of_one_of_two_clusters_is_of_neither(tmp_path: Path) -> None:
    logs = read_logs([written(tmp_path, [write(2)], "audit.log")])
    result = placed(logs, listed(secret(1), secret(1, scope="other.acme.example/kv")))
    assert (result.events, result.ambiguous) == ((), 1)


def test_a_secret_that_is_listed_no_longer_is_one_of_the_mount_that_is(tmp_path: Path) -> None:
    seen = Coverage("vault", "vault.acme.example/kv", ScopeStatus.COMPLETE)
    logs = read_logs([written(tmp_path, [write(2)], "audit.log")])
    assert {event.scope for event in placed(logs, listed(coverage=[seen])).events} == {
        "vault.acme.example/kv"
    }
    assert placed(logs, listed()).unknown == 1


def test_what_a_caller_puts_in_place_of_numbers_spoils_nothing(tmp_path: Path) -> None:
    strange = [{"versions": CANARY}, {"versions": {"a": 1}}, {"versions": [1.5]}, [CANARY], CANARY]
    entries = [
        line("update", "kv/destroy/team/db", day=day, request={"data": data})
        for day, data in enumerate(strange, 1)
    ]
    logs = read_logs([written(tmp_path, [*entries, write(4, day=6), write("x", day=7)], "audit.log")])
    assert [(each.items, each.problem) for each in logs.files] == [(7, None)]
    assert [str(event.told) for event in placed(logs, listed(secret(4))).events] == ["created", "in-use"]
    assert CANARY not in repr(logs)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from history.logs.exports import listed
from keyaudit.audit import audit
from keyaudit.history.recorded import recorded
from keyaudit.history.widening import widen
from keyaudit.inventory.rows import Credential, Version
from keyaudit.model import Inventory
from keyaudit.policy import load
from keyaudit.rotation.journal import Entry, FileJournal, Request
from keyaudit.rotation.stores.protocol import Credential as Place
from keyaudit.rotation_record import read_files
from keyaudit.rules import CATALOGUE
from keyaudit.times import format_instant, parse_instant

DB = Place("vault", "vault.acme.example/kv", "kv/db", "db")
NOW = parse_instant("2026-07-01T00:00:00Z")
BOT = "arn:aws:iam::111122223333:user/bot"


class Log:
    """Writes a record as a rotation does, a minute a line."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "db.ndjson"
        self._journal = FileJournal(self.file, "db", DB, Request("sam@acme.example"))
        self._at = parse_instant("2026-03-01T10:00:00Z")

    def say(self, event: str, step: str, token: str = "t1", **detail: Any) -> None:
        self._journal.append(Entry(self._at, event, token, step, detail=detail))
        self._at += 60_000_000

    def wait(self, until: str) -> None:
        self._at = parse_instant(until)

    def done(self, step: str, token: str = "t1", **detail: Any) -> None:
        changes = detail if step in {"promote", "restore"} else {}
        self.say("intent", step, token, **changes)
        self.say("result", step, token, **detail)

    def told(self, inventory: Inventory) -> list[str]:
        return [
            f"{format_instant(each.at)[11:16]} {each.source} {each.version} {each.told}"
            for each in recorded(read_files([self.file]), inventory)
        ]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def value(version: str, key: str) -> dict[str, str]:
    return {"version": version, "key_id": key}


def known(*keys: str, id_: str = BOT) -> Inventory:
    here = Credential(source=DB.source, scope=DB.scope, id=DB.id, name="db", versions=[])
    versions = [Version(id=key, state="current") for key in keys]
    return listed(
        here, Credential(source="aws-iam", scope="111122223333", id=id_, name="bot", versions=versions)
    )


def rotated(log: Log, token: str, old: int, new: int) -> None:
    log.done("provision", token, key_id=f"K{new}", old_key_id=f"K{old}")
    log.done("promote", token, current=value(str(old), f"K{old}"), pending=value(str(new), f"K{new}"))
    log.done("revoke", token, key_id=f"K{old}")


def test_a_rotation_tells_of_the_store_and_of_the_provider_that_forgot_the_old_key(log: Log) -> None:
    rotated(log, "t1", 1, 2)
    assert log.told(known("K2")) == [
        "10:00 aws-iam K2 created", "10:00 vault 2 created",
        "10:03 aws-iam K1 superseded", "10:03 aws-iam K2 in-use",
        "10:03 vault 1 superseded", "10:03 vault 2 in-use",
        "10:05 aws-iam K1 retired", "10:05 vault 1 retired",
    ]  # fmt: skip


def test_keys_of_rotations_before_belong_to_the_same_credential(log: Log) -> None:
    rotated(log, "t1", 1, 2)
    rotated(log, "t2", 2, 3)
    found = [said for said in log.told(known("K3")) if "aws-iam" in said]
    assert [said.split(maxsplit=2)[2] for said in found] == [
        "K2 created", "K1 superseded", "K2 in-use", "K1 retired",
        "K3 created", "K2 superseded", "K3 in-use", "K2 retired",
    ]  # fmt: skip


def test_a_key_that_may_be_of_two_credentials_is_of_neither(log: Log) -> None:
    rotated(log, "t1", 1, 2)
    rotated(log, "t2", 2, 3)
    two = Credential(
        source="gcp-iam", scope="p", id="bot", name="bot", versions=[Version(id="K1", state="current")]
    )
    here = Credential(
        source="aws-iam", scope="1", id=BOT, name="bot", versions=[Version(id="K3", state="current")]
    )
    said = [each.split()[1:3] for each in log.told(listed(two, here))]
    assert ["aws-iam", "K3"] in said
    assert ["gcp-iam", "K1"] in said
    assert not {"K2"} & {version for source, version in said if source != "vault"}


def test_a_provider_that_lists_each_key_by_itself_has_no_older_versions_of_it(log: Log) -> None:
    rotated(log, "t1", 1, 2)
    assert not [said for said in log.told(known("K2", id_="K2")) if "aws-iam" in said]


def test_a_value_that_was_taken_back_is_superseded_and_its_key_is_in_use_again(log: Log) -> None:
    log.done("promote", current=value("1", "K1"), pending=value("2", "K2"))
    log.done("restore", current=value("2", "K2"), previous=value("1", "K1"))
    assert [said for said in log.told(known("K1")) if said >= "10:02"] == [
        "10:03 aws-iam K1 in-use", "10:03 aws-iam K2 superseded", "10:03 vault 2 superseded",
    ]  # fmt: skip


def test_a_run_that_was_killed_in_a_promotion_had_said_what_it_was_about_to_do(log: Log) -> None:
    log.say("intent", "promote", current=value("1", "K1"), pending=value("2", "K2"))
    assert log.told(known()) == ["10:00 vault 1 superseded", "10:00 vault 2 in-use"]


@pytest.mark.parametrize("step", ["void", "drop"])
def test_a_promotion_that_failed_or_was_given_up_did_not_take_place(log: Log, step: str) -> None:
    log.say("intent", "promote", "t0", current=value("1", "K1"), pending=value("2", "K2"))
    log.say("failed", "promote", "t0")
    log.say("intent", "promote", "t1", current=value("1", "K1"), pending=value("3", "K3"))
    log.done(step, "t1", place="pending")
    assert log.told(known()) == []


def test_a_file_with_a_problem_tells_nothing(log: Log) -> None:
    rotated(log, "t1", 1, 2)
    lines = log.file.read_bytes().splitlines(keepends=True)
    log.file.write_bytes(b"".join(lines[:1] + lines[2:]))
    assert log.told(known("K2")) == []


def test_what_a_provider_forgot_is_no_longer_unknown_in_a_period(log: Log) -> None:
    """Without the record nobody knows which key the user had before the one that is listed."""
    rotated(log, "t1", 0, 1)
    log.wait("2026-05-30T00:00:00Z")
    rotated(log, "t2", 1, 2)
    key = Version(
        id="K2", state="current", created_at=parse_instant("2026-05-30T00:00:00Z"), authenticates=True
    )
    bot = Credential(
        source="aws-iam", scope="111122223333", id=BOT, name="bot", cls="api-key", environment="production",
        created_at=parse_instant("2025-01-01T00:00:00Z"), versions=[key],
    )  # fmt: skip
    period = (parse_instant("2026-04-01T00:00:00Z"), parse_instant("2026-06-30T00:00:00Z"))
    found = []
    for records in (None, read_files([log.file])):
        widened = widen(listed(bot), None, None, records).inventory
        ledger = audit(
            widened, load(None, rules=CATALOGUE, frameworks={}), (), NOW, period, records=records
        ).ledger
        assert ledger is not None
        (row,) = ledger.rows
        found.append(
            (str(row.operation), [(each.version, str(each.result), each.basis) for each in row.entries])
        )
    assert found[0][0] == "unknown"
    assert found[1] == ("operated", [("K1", "on-time", "record"), ("K2", "not-due", "store")])

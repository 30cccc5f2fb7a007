"""One value has several names in a record and in a list, and is one value in the ledger: worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from history.test_recorded import BOT, DB, NOW, Log, rotated, value
from keyaudit.audit import audit
from keyaudit.history.events import Told
from keyaudit.history.recorded import recorded
from keyaudit.history.widening import widen
from keyaudit.inventory import from_rows
from keyaudit.inventory.rows import Credential, Version
from keyaudit.model import Inventory, LedgerRow
from keyaudit.policy import load
from keyaudit.rotation_record import read_files
from keyaudit.rules import CATALOGUE
from keyaudit.times import format_instant, parse_instant

PERIOD = (parse_instant("2026-02-01T00:00:00Z"), parse_instant("2026-06-30T00:00:00Z"))
FIRST, SECOND = "2025-12-01T00:00:00Z", "2026-03-01T10:03:00Z"
"""When the first value was made, and when the record says that the second one took over."""


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def version(name: str, state: str, made: str | None, ended: str | None = None) -> Version:
    return Version(
        id=name,
        state=state,
        created_at=parse_instant(made) if made else None,
        superseded_at=parse_instant(ended) if ended else None,
    )


def store(*versions: Version, more: Sequence[Credential] = ()) -> Inventory:
    here = Credential(
        source=DB.source, scope=DB.scope, id=DB.id, name="db", cls="service-password",
        environment="production", created_at=parse_instant(FIRST), versions=list(versions),
    )  # fmt: skip
    said = [f"versions.{name}" for name in ("id", "state", "created_at", "superseded_at")]
    columns = ["class", "environment", "created_at", "versions", *said]
    return from_rows([here, *more], [], NOW, columns)


def of_store(log: Log, inventory: Inventory) -> list[str]:
    return [each for each in log.told(inventory) if DB.source in each]


def ledger(log: Log, inventory: Inventory) -> tuple[list[LedgerRow], str]:
    """Give the ledger's rows, and the worst that KA701 says of any."""
    records = read_files([log.file])
    widened = widen(inventory, None, None, records).inventory
    policy = load(None, rules=CATALOGUE, frameworks={})
    report = audit(widened, policy, (), NOW, PERIOD, records=records)
    assert report.ledger is not None
    [undocumented] = [rule for rule in report.rules if rule.id == "KA701"]
    found = [name for name in ("failed", "unknown", "passed") if getattr(undocumented, name)]
    return list(report.ledger.rows), found[0] if found else "not asked"


def row_of(log: Log, inventory: Inventory) -> LedgerRow:
    (row,), _ = ledger(log, inventory)
    return row


@pytest.mark.parametrize(
    ("old", "new"),
    [("1", "2"), ("K1", "K2"), ("token-of-another", "t1"), ("1", "2026-03")],
    ids=["by its version", "by its key", "by its token", "by no name, made when it was promoted"],
)
def test_a_value_that_is_listed_by_any_of_its_names_is_one_value(log: Log, old: str, new: str) -> None:
    log.done("provision", "t0", key_id="K1", old_key_id="K0")
    log.done("promote", "t0", current=value("0", "K0"), pending=value("1", "K1"))
    log.wait("2026-03-01T10:00:00Z")
    rotated(log, "t1", 1, 2)
    listed_old = "t0" if old == "token-of-another" else old
    zero = version("0", "superseded", FIRST, "2026-03-01T10:00:00Z")
    inventory = store(
        zero,
        version(listed_old, "superseded", "2026-03-01T10:00:00Z", SECOND),
        version(new, "current", SECOND),
    )
    names = {each.split()[2] for each in of_store(log, inventory)}
    assert names == {"0", listed_old, new}
    (row,), undocumented = ledger(log, inventory)
    assert [each.version for each in row.entries] == ["0", listed_old, new]
    assert undocumented == "passed"


def test_a_value_that_nobody_lists_is_added_once_by_the_name_that_its_store_gave_it(log: Log) -> None:
    """What was staged as `staged-1` was served as 2, and the store has forgotten both."""
    log.done("provision", "t1", key_id="K2", old_key_id="K1")
    log.done("promote", "t1", current=value("1", "K1"), pending=value("staged-1", "K2"))
    log.done("revoke", "t1", key_id="K1")
    log.wait("2026-05-01T10:00:00Z")
    log.done("provision", "t2", key_id="K3", old_key_id="K2")
    log.done("promote", "t2", current=value("2", "K2"), pending=value("staged-2", "K3"))
    log.done("revoke", "t2", key_id="K2")
    inventory = store(version("3", "current", "2026-05-01T10:03:00Z"))
    assert of_store(log, inventory) == [
        "10:00 vault 2 created",
        "10:03 vault 1 superseded",
        "10:03 vault 2 in-use",
        "10:05 vault 1 retired",
        "10:03 vault 2 superseded",
        "10:03 vault 3 in-use",
        "10:05 vault 2 retired",
    ]
    row = row_of(log, inventory)
    assert [(each.version, each.basis) for each in row.entries] == [
        ("1", "record"),
        ("2", "record"),
        ("3", "store"),
    ]
    assert [each.replaced_by for each in row.entries] == [None, "3", None]


def test_one_that_was_made_much_later_than_the_promotion_is_another_value(log: Log) -> None:
    log.done("promote", "t1", current=value("1", "K1"), pending=value("staged-1", "K2"))
    inventory = store(
        version("1", "superseded", FIRST, "2026-03-01T10:11:00.000001Z"),
        version("2", "current", "2026-03-01T10:11:00.000001Z"),
    )
    assert [each.split()[2] for each in of_store(log, inventory)] == ["1", "staged-1"]
    nearer = store(
        version("1", "superseded", FIRST, "2026-03-01T10:11:00Z"),
        version("2", "current", "2026-03-01T10:11:00Z"),
    )
    assert [each.split()[2] for each in of_store(log, nearer)] == ["1", "2"]


def test_a_version_that_another_record_names_is_not_taken_for_one_of_no_name(log: Log) -> None:
    rotated(log, "t1", 1, 2)
    log.done("promote", "t2", current=value("2", "K2"), pending=value("staged-9", "K9"))
    inventory = store(version("1", "superseded", FIRST, SECOND), version("2", "current", SECOND))
    assert "staged-9" in {each.split()[2] for each in of_store(log, inventory)}


def test_a_value_that_was_taken_back_is_one_value_and_so_is_its_copy(log: Log) -> None:
    log.done("promote", "t1", current=value("1", "K1"), pending=value("staged-1", "K2"))
    log.done("restore", "t1", current=value("2", "K2"), previous=value("1", "K1"))
    log.done("revoke", "t1", key_id="K2")
    back = "2026-03-01T10:03:00Z"
    inventory = store(
        version("1", "superseded", FIRST, "2026-03-01T10:01:00Z"),
        version("2", "superseded", "2026-03-01T10:01:00Z", back),
        version("3", "current", FIRST),
    )
    assert of_store(log, inventory) == [
        "10:01 vault 1 superseded",
        "10:01 vault 2 in-use",
        "10:03 vault 2 superseded",
        "10:05 vault 2 retired",
    ]
    row = row_of(log, inventory)
    assert sorted({each.version for each in row.entries}) == ["1", "2", "3"]


def test_a_value_that_was_given_up_is_added_to_nothing(log: Log) -> None:
    log.done("provision", "t1", key_id="K2", old_key_id="K1")
    log.say("intent", "promote", "t1", current=value("1", "K1"), pending=value("2", "K2"))
    log.done("drop", "t1", place="pending", version="2")
    inventory = store(version("1", "current", FIRST))
    assert of_store(log, inventory) == []
    row = row_of(log, inventory)
    assert [each.version for each in row.entries] == ["1"]


def test_an_emergency_that_revokes_first_is_of_the_values_that_are_listed(log: Log) -> None:
    log.say("intent", "revoke", key_id="K1", emergency=True)
    log.say("result", "revoke", key_id="K1", emergency=True)
    log.done("provision", "t1", key_id="K2", old_key_id="K1")
    log.done("promote", "t1", current=value("0", "K1"), pending=value("1", "K2"))
    inventory = store(version("K1", "destroyed", FIRST), version("K2", "current", "2026-03-01T10:05:00Z"))
    assert of_store(log, inventory) == [
        "10:01 vault K1 retired", "10:02 vault K2 created", "10:05 vault K1 superseded", "10:05 vault K2 in-use",
    ]  # fmt: skip
    row = row_of(log, inventory)
    assert [each.version for each in row.entries] == ["K1", "K2"]


def test_the_old_key_is_known_by_the_key_that_the_rotation_was_for(log: Log) -> None:
    """A store that did not know which key its value is says it of the new one only."""
    log.done("provision", "t1", key_id="K2", old_key_id="K1")
    log.done("promote", "t1", current={"version": "0", "key_id": None}, pending=value("1", "K2"))
    inventory = store(version("K1", "superseded", FIRST, SECOND), version("K2", "current", SECOND))
    assert {each.split()[2] for each in of_store(log, inventory)} == {"K1", "K2"}


def test_a_key_that_its_provider_forgot_was_in_use_since_its_store_has_it(log: Log) -> None:
    """So it took over before the period, although nothing says when it was made."""
    rotated(log, "t1", 1, 2)
    bot = Credential(
        source="aws-iam", scope="111122223333", id=BOT, name="bot", cls="api-key", environment="production",
        created_at=parse_instant("2024-01-01T00:00:00Z"), versions=[version("K2", "current", SECOND)],
    )  # fmt: skip

    def undocumented(*versions: Version) -> str:
        inventory = store(*versions, version("2", "current", SECOND), more=[bot])
        found = [each for each in recorded(read_files([log.file]), inventory) if each.version == "K1"]
        seen = [format_instant(each.at) for each in found if each.told is Told.IN_USE]
        return f"{seen} {ledger(log, inventory)[1]}"

    assert undocumented(version("1", "superseded", FIRST, SECOND)) == f"['{FIRST}'] passed"
    assert undocumented(version("1", "superseded", None, SECOND)) == "[] unknown"
    # Where the store does not say when the one before was replaced, it may have waited for its turn.
    before = version("0", "superseded", "2025-11-01T00:00:00Z")
    assert undocumented(before, version("1", "superseded", FIRST, SECOND)) == "[] unknown"

"""What earlier inventories prove, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from history.days import day, past, recalled, row_of, version, write
from keyaudit import history, inventory
from keyaudit.columns import recalled_schema
from keyaudit.history.events import Event, Told


@pytest.fixture
def days(tmp_path: Path) -> Path:
    folder = tmp_path / "days"
    folder.mkdir()
    return folder


def test_a_version_that_the_store_forgot_was_in_use_until_between_two_looks(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    write(days, "b.json", 5, {"k": [version("1", made=-40)]})
    today = write(days, "c.json", 9, {"k": [version("2", made=7)]})
    found = recalled(days, today)
    assert past(found, "k") == [
        {
            "id": "1",
            "state": "current",
            "created_at": -40,
            "in_use_at": 5,
            "gone_by": 9,
            "basis": "inventory",
        },
        {"id": "2", "state": "current", "created_at": 7, "in_use_at": 9, "basis": "store"},
    ]
    assert found.history is not None
    assert (found.history.recalled, found.history.vanished) == (1, 0)
    assert found.history.looks == (day(1), day(5), day(9))
    assert found.parquet == ()


def test_the_last_word_on_a_version_is_the_last_list_that_had_it(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    write(
        days, "b.json", 5, {"k": [version("1", "superseded", made=-40, superseded_at="2026-01-04T00:00:00Z")]}
    )
    today = write(days, "c.json", 9, {"k": [version("2", made=4)]})
    assert past(recalled(days, today), "k")[0] == {
        "id": "1",
        "state": "superseded",
        "created_at": -40,
        "superseded_at": 4,
        "in_use_at": 1,
        "gone_by": 5,
        "basis": "inventory",
    }


@pytest.mark.parametrize("status", ["partial", "failed", "none"])
def test_what_was_not_seen_completely_proves_no_absence(days: Path, status: str) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)], "l": [version("1", made=-9)]})
    today = write(days, "c.json", 9, {"k": [version("2", made=7)]}, status=status)
    found = recalled(days, today)
    assert past(found, "k")[0] == {
        "id": "1", "state": "current", "created_at": -40, "in_use_at": 1, "basis": "inventory",
    }  # fmt: skip
    assert "gone_by" not in past(found, "l")[0]
    assert row_of(found, "l")["last_seen_at"] == day(1)


def test_an_empty_scope_proves_no_absence_either(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    today = write(days, "c.json", 9, {}, status="empty")
    assert "gone_by" not in past(recalled(days, today), "k")[0]


def test_a_version_listed_as_replaced_is_replaced_even_where_not_all_was_seen(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    today = write(days, "c.json", 9, {"k": [version("1", "superseded", made=-40)]}, status="partial")
    [only] = past(recalled(days, today), "k")
    assert (only["in_use_at"], only["gone_by"]) == (1, 9)


def test_a_later_complete_look_proves_what_an_incomplete_one_did_not(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    write(days, "b.json", 5, {"k": [version("2", made=3)]}, status="partial")
    today = write(days, "c.json", 9, {"k": [version("2", made=3)]})
    assert past(recalled(days, today), "k")[0]["gone_by"] == 9


def test_versions_that_were_not_asked_for_are_not_absent(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)], "l": [version("1", made=-9)]})
    today = write(days, "c.json", 9, {"k": None})
    found = recalled(days, today)
    assert "gone_by" not in past(found, "k")[0]
    assert past(found, "l")[0]["gone_by"] == 9, "the credential itself is missing from a complete list"


def test_a_credential_that_is_listed_no_longer_follows_the_others_and_has_no_versions(days: Path) -> None:
    write(days, "a.json", 1, {"z": [], "gone": [version("1", made=-40)], "a": []})
    write(days, "b.json", 5, {"z": [], "a": []})
    today = write(days, "c.json", 9, {"z": [], "a": []})
    found = recalled(days, today)
    table = found.credentials.collect()
    assert table["id"].to_list() == ["z", "a", "gone"]
    assert table["row"].to_list() == [0, 1, 2]
    assert table["last_seen_at"].to_list() == [None, None, day(1)]
    assert table.schema["past"] == recalled_schema()["past"]
    gone = row_of(found, "gone")
    assert (gone["versions"], gone["name"], gone["class"]) == ([], "gone", "api-key")
    # Today's list carries no version at all; what is known of those of the past was collected once.
    own = found.collections[gone["collection"]].columns
    assert own - found.collections[0].columns == {"versions.created_at", "versions.superseded_at"}
    assert past(found, "gone")[0]["gone_by"] == 5
    assert found.history is not None
    assert found.history.vanished == 1


def test_a_credential_that_comes_back_is_one_credential(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    write(days, "b.json", 5, {})
    today = write(days, "c.json", 9, {"k": [version("1", made=-40)]})
    found = recalled(days, today)
    assert past(found, "k") == [
        {"id": "1", "state": "current", "created_at": -40, "in_use_at": 9, "basis": "store"},
    ]
    assert found.credentials.collect().height == 1


def test_an_id_that_a_store_gave_again_is_another_version(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    today = write(days, "c.json", 9, {"k": [version("1", made=6)]})
    first, second = past(recalled(days, today), "k")
    assert (first["created_at"], first["in_use_at"], first["gone_by"], first["basis"]) == (
        -40,
        1,
        9,
        "inventory",
    )
    assert (second["created_at"], second["in_use_at"], second["basis"]) == (6, 9, "store")


def test_a_date_that_one_list_leaves_out_another_one_says(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1")]})
    write(days, "b.json", 5, {"k": [version("1", made=-40)]})
    today = write(days, "c.json", 9, {"k": [version("1")]})
    assert past(recalled(days, today), "k") == [
        {"id": "1", "state": "current", "created_at": -40, "in_use_at": 9, "basis": "store"},
    ]


def test_a_value_that_is_back_in_use_is_not_gone(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    write(
        days, "b.json", 5, {"k": [version("1", "superseded", made=-40, superseded_at="2026-01-03T00:00:00Z")]}
    )
    today = write(days, "c.json", 9, {"k": [version("1", made=-40)]})
    assert past(recalled(days, today), "k") == [
        {"id": "1", "state": "current", "created_at": -40, "in_use_at": 9, "basis": "store"},
    ]


@pytest.mark.parametrize(("source", "unusable_by"), [("openai", 9), ("vault", None)])
def test_only_a_provider_proves_by_absence_that_a_key_is_revoked(
    days: Path, source: str, unusable_by: int | None
) -> None:
    old = version("1", "superseded", made=-40, authenticates=True)
    write(days, "a.json", 1, {"k": [old]}, source=source)
    today = write(days, "c.json", 9, {"k": [version("2", made=0)]}, source=source)
    first = past(recalled(days, today), "k")[0]
    assert first["usable_at"] == 1
    assert first.get("unusable_by") == unusable_by
    assert first["gone_by"] == 1, "it was listed as replaced by then"


def test_what_was_switched_off_cannot_be_used(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40, authenticates=True)]})
    today = write(days, "c.json", 9, {"k": [version("1", "disabled", made=-40)]})
    [only] = past(recalled(days, today), "k")
    assert (only["usable_at"], only["unusable_by"], only["in_use_at"], only["gone_by"]) == (1, 9, 1, 9)


def test_a_list_that_took_an_hour_dates_what_it_saw_by_its_beginning_and_the_rest_by_its_end(
    days: Path,
) -> None:
    def took(at: str) -> dict[str, str]:
        return {"started_at": f"2026-01-{at}T00:00:00Z", "finished_at": f"2026-01-{at}T12:00:00Z"}

    write(days, "a.json", 1.25, {"k": [version("1", made=-40)]}, **took("01"))
    today = write(days, "c.json", 9.25, {"k": [version("2", made=9.1)]}, **took("09"))
    first, second = past(recalled(days, today), "k")
    assert (first["in_use_at"], first["gone_by"]) == (1, 9.5)
    assert second["in_use_at"] == 9


def test_today_without_an_instant_is_the_last_word_but_no_look(days: Path, tmp_path: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)], "l": [version("1", made=-9)]})
    today = write(tmp_path, "today.json", None, {"k": [version("1", "superseded", made=-40)]})
    found = recalled(days, today)
    [only] = past(found, "k")
    assert (only["state"], only["in_use_at"], only["basis"]) == ("superseded", 1, "store")
    assert "gone_by" not in only
    assert "gone_by" not in past(found, "l")[0]


def test_a_scope_that_is_not_asked_any_more_keeps_what_was_known_of_it(days: Path, tmp_path: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]}, scope="other")
    today = write(tmp_path, "today.json", 9, {"l": None})
    found = recalled(days, today)
    assert "gone_by" not in past(found, "k")[0]
    own = found.collections[row_of(found, "k")["collection"]]
    assert {"name", "class", "versions", "versions.created_at"} <= own.columns
    assert "last_used_at" not in own.columns
    assert row_of(found, "l")["past"] is None, "nobody asked for its versions, ever"


def test_hostile_names_are_data(days: Path) -> None:
    name = "../x\n\u202e\"'; DROP TABLE\\ 🔑 {{7*7}} =cmd()"
    write(days, "a.json", 1, {name: [version("é\u2028\x1b[31m", made=-40)]})
    today = write(days, "c.json", 9, {})
    chronicle = history.read([days])
    (days / "h.ndjson").write_bytes(history.write(chronicle))
    found = history.recall(inventory.read([today]), history.read([days / "h.ndjson"]))
    assert past(found, name)[0]["id"] == "é\u2028\x1b[31m"
    assert row_of(found, name)["name"] == name


def event(told: Told, at: float, name: str | None = "1", basis: str = "audit-log") -> Event:
    return Event("vault", "kv", "k", name, told, day(at), basis, "trail.json", f"{told}-{at}")


def test_events_know_a_version_that_no_list_had(days: Path) -> None:
    today = write(days, "c.json", 9, {"k": [version("3", made=7)]})
    events = [
        event(Told.CREATED, 2, "2"),
        event(Told.IN_USE, 3, "2"),
        event(Told.SUPERSEDED, 7, "2"),
        event(Told.RETIRED, 8, "2"),
        Event("vault", "kv", "somebody-elses", "9", Told.CREATED, day(2), "audit-log", "t", "x"),
    ]
    found = recalled(days, today, [*reversed(events), events[0]])
    assert past(found, "k")[0] == {
        "id": "2",
        "state": "disabled",
        "created_at": 2,
        "superseded_at": 7,
        "retired_at": 8,
        "in_use_at": 3,
        "gone_by": 7,
        "unusable_by": 8,
        "basis": "audit-log",
    }
    assert found.credentials.collect()["id"].to_list() == ["k"]
    assert found.history is not None
    assert (found.history.recalled, found.history.contradictions) == (1, 0)


def test_an_event_fills_what_the_store_does_not_say_and_contradicts_what_it_says(days: Path) -> None:
    first = version("1", "superseded", made=-40)
    second = version("2", "superseded", made=2, superseded_at="2026-01-04T00:00:00Z")
    today = write(days, "c.json", 9, {"k": [first, second, version("3", made=4)]})
    events = [
        event(Told.SUPERSEDED, 2, "1", "record"),
        event(Told.SUPERSEDED, 5.5, "2"),
        event(Told.CREATED, 2.5, "2"),
    ]
    found = recalled(days, today, events)
    one, two, _ = past(found, "k")
    assert (one["superseded_at"], one["basis"]) == (2, "record")
    assert (two["superseded_at"], two["created_at"], two["basis"]) == (4, 2, "store")
    assert found.history is not None
    assert found.history.contradictions == 1, "half a day is no contradiction, a day and a half is one"


def test_a_deletion_closes_everything_that_no_list_had_after_it(days: Path, tmp_path: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", "superseded", made=-40), version("2", made=0)]})
    today = write(tmp_path, "today.json", 9, {})
    found = recalled(days, today, [event(Told.DELETED, 4, None)])
    one, two = past(found, "k")
    assert (two["state"], two["superseded_at"], two["retired_at"], two["gone_by"]) == ("destroyed", 4, 4, 4)
    assert (one["state"], one["retired_at"], one["gone_by"]) == ("destroyed", 4, 1)
    undone = recalled(days, today, [event(Told.DELETED, 4, None), event(Told.RESTORED, 5, None)])
    assert [each["gone_by"] for each in past(undone, "k")] == [1, 9]


def test_a_log_about_what_is_listed_after_its_deletion_is_about_another_life(days: Path) -> None:
    today = write(days, "c.json", 9, {"k": [version("1", made=6)]})
    found = recalled(days, today, [event(Told.DELETED, 4, None)])
    assert past(found, "k") == [
        {"id": "1", "state": "current", "created_at": 6, "in_use_at": 9, "basis": "store"},
    ]


def test_events_alone_are_a_history(tmp_path: Path) -> None:
    today = write(tmp_path, "today.json", 9, {"k": [version("2", made=7)]})
    found = history.recall(inventory.read([today]), None, [event(Told.IN_USE, 3, "1")])
    _, undated = past(found, "k")
    assert undated == {"id": "1", "state": "current", "in_use_at": 3, "gone_by": 9, "basis": "audit-log"}
    assert found.history is not None
    assert found.history.looks == ()


def test_two_engines_give_the_same_report_of_the_same_past(days: Path) -> None:
    from keyaudit import formats, policy
    from keyaudit.audit import audit
    from keyaudit.rules import CATALOGUE

    write(days, "a.json", 1, {"k": [version("1", made=-80)], "gone": [version("1", made=-200)]})
    today = write(days, "c.json", 9, {"k": [version("2", made=7)]})
    found = recalled(days, today)
    rules = policy.load(None, rules=CATALOGUE, frameworks={})
    polars, duckdb = (
        audit(found, rules, [], day(40), (day(1), day(30)), engine=engine) for engine in ("polars", "duckdb")
    )
    assert formats.render("json", polars) == formats.render("json", duckdb)
    assert polars.ledger is not None
    assert {row.id for row in polars.ledger.rows} == {"k", "gone"}
    assert polars.ledger.history is not None
    assert polars.ledger.history.vanished == 1


def test_who_looks_at_one_scope_sees_nothing_of_another(days: Path) -> None:
    for at in (3, 5, 7):
        write(days, f"{at}.json", at, {"x": []}, scope="other")
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    write(days, "empty.json", 4, {}, scope="empty")
    today = write(days, "c.json", 9, {"k": [version("1", made=-40)]})
    found = recalled(days, today)
    assert found.history is not None
    assert found.history.by_scope == ((day(1), day(9)), (day(3), day(5), day(7)))

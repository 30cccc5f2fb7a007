"""How plans look, whatever strangers called their credentials."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyaudit import model, planning
from keyaudit.cli import plan as cli_plan
from keyaudit.planning import Candidate, Terms
from keyaudit.times import DAY
from tests.planning.icalendar_parser import parse
from tests.trend.saved_reports import Held, make

REPORT = make("2026-06-01", Held("a", "2026-01-01"))
NOW = REPORT.as_of
HOSTILE = "=cmd|'/c calc'!A1\x1b[31m\r\nBEGIN:VEVENT\r\nX:\u202e;,\\n" + "ü" * 90
ROOT = Path(__file__).parents[2]


def held(name: str, days: int, **more) -> Candidate:
    due = NOW + days * DAY
    of = {
        "due_from": due,
        "due_by": due,
        "made_at": due - 90 * DAY,
        "owner": "o",
        "environment": "production",
    }
    return Candidate(
        more.pop("source", "vault"),
        more.pop("scope", "s"),
        name,
        name,
        rotation_period=90 * DAY,
        **{**of, **more},
    )


def rendered(form: str, *held_: Candidate, report: model.Report = REPORT, **options) -> bytes:
    terms = options.pop("terms", Terms(NOW, apart=7 * DAY))
    return planning.render(form, planning.schedule(held_, terms), report, **options)


def test_the_command_line_knows_the_formats() -> None:
    assert tuple(planning.FORMATS) == cli_plan.FORMATS


class TestCalendar:
    def test_an_event_for_each_rotation_on_its_day(self) -> None:
        many = [held("late", -3), held("b", 30, command="vault write -f x, y; z"), held("c", 60, lineage="l")]
        calendar = parse(rendered("ics", *many, held("copy", 70, lineage="l")))
        events = [event.properties for event in calendar.parts]
        assert [event["SUMMARY"] for event in events] == [
            "Rotate late (production) (overdue)", "Rotate b (production)", "Rotate c (production)",
        ]  # fmt: skip
        assert [(event["DTSTART"], event["DTEND"]) for event in events] == [
            ("20260601", "20260602"), ("20260624", "20260625"), ("20260724", "20260725"),
        ]  # fmt: skip
        assert {event["DTSTAMP"] for event in events} == {"20260601T000000Z"}
        assert events[1]["DESCRIPTION"].split("\n") == [
            "due 2026-07-01T00:00:00Z; owner o", "7 d before it falls due", "vault write -f x, y; z", "vault s b",
        ]  # fmt: skip
        assert events[2]["DESCRIPTION"].endswith("vault s c\nvault s copy")

    def test_an_event_keeps_its_name_when_its_day_or_the_plan_is_another(self) -> None:
        def names(*candidates: Candidate, terms: Terms) -> list[str]:
            return [
                event.properties["UID"] for event in parse(rendered("ics", *candidates, terms=terms)).parts
            ]

        both = (held("a", 30), held("b", 30))
        first = names(*both, terms=Terms(NOW))
        assert names(*both, terms=Terms(NOW + DAY, per_day=1, ahead=9 * DAY))[::-1] == first
        assert len(set(first)) == 2
        assert names(held("a", 120), terms=Terms(NOW, within=200 * DAY)) != first[:1], (
            "the next value's is another"
        )

    def test_a_calendar_of_nothing_is_a_calendar(self) -> None:
        assert [part.kind for part in parse(rendered("ics")).parts] == ["VTIMEZONE"]

    @given(st.text(max_size=120), st.text(max_size=120), st.text(max_size=200))
    @settings(max_examples=150, deadline=None)
    def test_whatever_it_is_called_it_stays_one_event(self, name, owner, command) -> None:
        one = replace(held("x", 30), name=name, owner=owner, id=name, command=command, environment=owner)
        (event,) = parse(rendered("ics", one)).parts
        assert event.kind == "VEVENT"


def test_the_document_holds_all_of_it() -> None:
    found = json.loads(
        rendered("json", held("a", 30, rotation="r", command="run"), held("late", -3, theirs=True), held("b", 300),
                 Candidate("vault", "s", "u", "u", unscheduled=True), Candidate("vault", "s", "d", "d"))
    )  # fmt: skip
    assert found["schema"] == "keyaudit/plan/1"
    assert (found["as_of"], found["until"]) == ("2026-06-01T00:00:00Z", "2026-08-30T00:00:00Z")
    assert found["terms"] == {"within": "90d", "ahead": None, "per_day": None, "apart": "7d"}
    assert found["counts"] == {
        "overdue": 1, "does_not_fit": 0, "by_store": 0, "planned": 1, "unplanned": 1, "later": 1,
        "without_due_date": 1,
    }  # fmt: skip
    late, one = found["rotations"]
    assert (late["kind"], late["says"], late["commands"]) == ("overdue", "overdue by 3 d", [])
    assert (one["day"], one["due_at"], one["commands"]) == ("2026-06-24", "2026-07-01T00:00:00Z", ["run"])
    assert one["credentials"][0]["rotation_period"] == "90d"
    assert found["unplanned"][0]["why"] == "no schedule applies, so nothing says when it falls due"
    assert found["exit_code"] == 3


def test_a_date_that_is_only_a_bound_is_said_to_be_one() -> None:
    bounded = held("a", 30, due_by=NOW + 60 * DAY, made_at=None)
    (one,) = json.loads(rendered("json", bounded))["rotations"]
    assert (one["due_at_is_exact"], one["says"]) == (False, "due no earlier than 2026-07-01T00:00:00Z")
    surely = held("a", -30, due_by=NOW - 5 * DAY, made_at=None)
    assert b"overdue by at least 5 d" in rendered("terminal", surely)


def test_hostile_names_run_nowhere_and_move_nothing() -> None:
    nasty = held(HOSTILE, 30, owner=HOSTILE, environment=HOSTILE, scope=HOSTILE, command=HOSTILE)
    nobody = replace(nasty, id="2", due_from=None, due_by=None)
    for width in (60, 110, 160):
        shown = rendered("terminal", nasty, nobody, width=width).decode()
        assert not any(sign in shown for sign in ("\x1b", "\r", "\u202e")), "nothing that a terminal obeys"
    rows = list(csv.reader(io.StringIO(rendered("csv", nasty, nobody).decode(), newline="")))
    assert len(rows) == 3
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    (event,) = parse(rendered("ics", nasty)).parts
    assert event.kind == "VEVENT"
    assert json.loads(rendered("json", nasty))["rotations"][0]["credentials"][0]["name"] == HOSTILE


def test_a_row_for_each_credential_and_the_same_rotation_for_copies() -> None:
    content = rendered(
        "csv",
        held("a", 30, lineage="l"),
        held("b", 40, lineage="l"),
        held("c", 30),
        held("u", 30, due_from=None, due_by=None),
    )
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert [(row["name"], row["day"], row["kind"]) for row in rows] == [
        ("a", "2026-06-24", "planned"), ("b", "2026-06-24", "planned"), ("c", "2026-06-24", "planned"), ("u", "", "unplanned"),
    ]  # fmt: skip
    assert rows[0]["rotation"] == rows[1]["rotation"] != rows[2]["rotation"]
    assert (rows[3]["why"], rows[3]["rotation"]) == ("age not known", "")


def test_a_terminal_shows_days_commands_in_one_piece_and_what_was_not_seen() -> None:
    long = "gcloud secrets versions add " + "x" * 200
    report = make("2026-06-01", Held("a", "2026-01-01"), scopes={"s": "complete", "hole": "failed"})
    shown = rendered(
        "terminal", held("a", 30, command=long), held("late", -1), report=report, width=70
    ).decode()
    assert "2026-06-01 (today): 1 rotation" in shown
    assert f"      $ {long}\n" in shown
    assert "not seen: vault hole (failed)" in shown
    assert all(len(line) <= 70 for line in shown.splitlines() if "$ " not in line)
    assert rendered("terminal", held("a", 30), ascii_only=True).isascii()
    assert b"\x1b[" in rendered("terminal", held("a", 30), colour=True)


@pytest.mark.parametrize(("status", "code"), [("complete", 0), ("partial", 3), ("failed", 3), ("empty", 3)])
def test_a_scope_that_was_not_seen_makes_the_exit_code_3(status, code) -> None:
    report = make("2026-06-01", Held("a", "2026-05-01"), scopes={"s": status})
    assert json.loads(rendered("json", held("a", 30), report=report))["exit_code"] == code

"""keyaudit trend from the outside: which files it takes, which it refuses, and what it prints."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from trend.saved_reports import Held, make, save

LATE = Held("a", "2026-01-01", fails=("KA101",))
FINE = Held("a", "2026-04-05")
SHORT = (make("2026-04-01", LATE), make("2026-04-02", LATE), make("2026-04-06", FINE))


def document(ending) -> dict:
    assert ending.returncode == 0, ending.stderr
    return json.loads(ending.stdout)


def overdue(found: dict) -> list[int | None]:
    return [slot["point"] and slot["point"]["total"]["overdue"] for slot in found["slots"]]


def test_folders_at_any_depth_and_files_by_name_are_one_history(command, tmp_path) -> None:
    save(tmp_path / "audits" / "deep" / "er", *SHORT[:2])
    save(tmp_path / "audits", SHORT[2])
    (tmp_path / "audits" / "000.json").rename(tmp_path / "audits" / "Any Name.JSON")
    (tmp_path / "audits" / "report.pdf").write_bytes(b"%PDF")
    (tmp_path / "audits" / ".half-written.json").write_bytes(b"{")
    assert overdue(document(command("trend", "audits", "--format", "json"))) == [1, 1, None, None, None, 0]
    named = command("trend", "audits/deep/er/000.json", "audits/Any Name.JSON", "audits", "--format", "json")
    assert overdue(document(named)) == [1, 1, None, None, None, 0], "each file once"


def test_names_orders_and_hash_seeds_change_no_byte(keyaudit, tmp_path) -> None:
    save(tmp_path / "a", *SHORT)
    save(tmp_path / "b", *reversed(SHORT))
    for form in ("json", "html", "csv", "terminal"):
        first = keyaudit("trend", "a", "--format", form, PYTHONHASHSEED="1", TZ="Asia/Tokyo")
        second = keyaudit("trend", "b", "--format", form, PYTHONHASHSEED="2", LC_ALL="C.UTF-8")
        assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
        assert first.stdout == second.stdout, form


def test_a_report_indented_sorted_or_on_one_line_is_the_same(command, tmp_path) -> None:
    save(tmp_path / "a", *SHORT)
    for number, path in enumerate(sorted((tmp_path / "a").iterdir())):
        content = json.loads(path.read_bytes())
        (tmp_path / "b").mkdir(exist_ok=True)
        text = json.dumps(content, sort_keys=bool(number), separators=(",", ":"))
        (tmp_path / "b" / path.name).write_text(text)
    one, two = (command("trend", name, "--format", "json").stdout for name in "ab")
    assert one == two


def test_a_beginning_longer_than_what_is_looked_at_first_is_read_whole(command, tmp_path) -> None:
    save(tmp_path / "a", *SHORT[:1])
    path = tmp_path / "a" / "000.json"
    content = json.loads(path.read_bytes())
    as_of = content.pop("as_of")
    path.write_text(json.dumps({"frameworks": [], "padding": "x" * 9000, **content, "as_of": as_of}))
    assert overdue(document(command("trend", "a", "--format", "json"))) == [1]


def test_of_two_reports_of_one_instant_the_one_that_saw_more_is_used_and_the_other_named(
    command, tmp_path
) -> None:
    less = make("2026-04-01", scopes={"s": "failed"})
    save(tmp_path / "a", less, SHORT[0], SHORT[0])
    found = document(command("trend", "a", "--format", "json"))
    assert overdue(found) == [1]
    assert (len(found["reports"]), len(found["left_out"])) == (1, 1), "a copy is the same report"
    assert b"1 report left out" in command("trend", "a").stdout


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda content: content[:-200], "not a whole keyaudit/report/1 document"),
        (lambda content: content.replace(b'"verdict": "fail"', b'"verdict": "bad"'), "findings[0].verdict"),
        (
            lambda content: content.replace(b'"fail": 1,', b'"fail": 2,', 1),
            "count 2 findings, but 1 are there",
        ),
        (lambda content: content.replace(b'"age_min": "', b'"age_min": "x'), "population: not a duration"),
        (
            lambda content: content.replace(b'T00:00:00Z",\n  "period"', b'T99:00:00Z",\n  "period"'),
            "is no keyaudit",
        ),
        (
            lambda content: content.replace(b"keyaudit/report/1", b"keyaudit/report/2"),
            "is no keyaudit/report/1",
        ),
        (
            lambda content: content.replace(b'"as_of": "2026', b'"as_of": "9999'),
            "as_of: does not lie in the years",
        ),
        (lambda content: b"{", "not JSON"),
    ],
)
def test_a_spoilt_file_is_named_and_nothing_is_printed(command, tmp_path, spoil, says) -> None:
    save(tmp_path / "a", *SHORT)
    path = tmp_path / "a" / "001.json"
    spoilt = spoil(path.read_bytes())
    assert spoilt != path.read_bytes()
    path.write_bytes(spoilt)
    ending = command("trend", "a")
    assert (ending.returncode, ending.stdout) == (2, b"")
    assert "a/001.json: " in ending.stderr.decode()
    assert says in ending.stderr.decode()
    assert "000.json" not in ending.stderr.decode()


def test_every_spoilt_file_is_named(command, tmp_path) -> None:
    save(tmp_path / "a", *SHORT)
    for name in ("000.json", "002.json"):
        path = tmp_path / "a" / name
        path.write_bytes(path.read_bytes()[:-30])
    said = command("trend", "a").stderr.decode()
    assert [name in said for name in ("000.json", "001.json", "002.json")] == [True, False, True]


def test_other_json_in_a_folder_is_left_out_aloud_but_refused_by_name(command, tmp_path) -> None:
    save(tmp_path / "a", *SHORT)
    (tmp_path / "a" / "gl-code-quality-report.json").write_text("[]")
    (tmp_path / "a" / "inventory.json").write_text('{"schema": "keyaudit/inventory/1"}')
    ending = command("trend", "a", "--format", "json")
    assert overdue(document(ending))[0] == 1
    assert b"gl-code-quality-report.json, a/inventory.json" in ending.stderr
    refused = command("trend", "a/inventory.json")
    assert refused.returncode == 2
    assert b"is no keyaudit/report/1 document" in refused.stderr


def test_a_changed_report_is_found_out_when_asked_to_verify(command, tmp_path) -> None:
    save(tmp_path / "a", *SHORT)
    path = tmp_path / "a" / "000.json"
    path.write_bytes(path.read_bytes().replace(b'"environment": "production"', b'"environment": "staging"'))
    assert command("trend", "a").returncode == 0
    ending = command("trend", "a", "--verify")
    assert ending.returncode == 2
    assert b"a/000.json: sha256: does not fit the document" in ending.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere",), "nowhere: no such file or folder"),
        (("empty",), "no report in empty"),
        (("a", "--from", "2027-01-01"), "no report is of that time"),
        (("a", "--from", "yesterday"), "--from"),
        (("a", "--to", "2026-02-30"), "no such time"),
        (("a", "--format", "csv", "--format", "json"), "stdout holds one document"),
        ((), "Missing argument"),
    ],
)
def test_what_is_impossible_is_said_before_anything_is_printed(command, tmp_path, arguments, says) -> None:
    (tmp_path / "empty").mkdir()
    save(tmp_path / "a", *SHORT)
    ending = command("trend", *arguments)
    assert (ending.returncode, ending.stdout) == (2, b"")
    assert says in ending.stderr.decode()


def test_a_day_stands_for_all_of_it(command, tmp_path) -> None:
    save(tmp_path / "a", make("2026-04-01T23:59:59Z", LATE), make("2026-04-02", FINE))
    until = command("trend", "a", "--to", "2026-04-01", "--format", "json")
    assert overdue(document(until)) == [1]
    exact = command(
        "trend", "a", "--from", "2026-04-02T00:00:00Z", "--to", "2026-04-02T00:00:00Z", "--format", "json"
    )
    assert overdue(document(exact)) == [0]


def test_a_report_of_another_century_does_not_fill_the_memory(command, tmp_path) -> None:
    save(tmp_path / "a", make("1970-04-01", LATE), make("2026-04-02", FINE), make("2026-04-03", FINE))
    ending = command("trend", "a", "--interval", "day")
    assert ending.returncode == 2
    assert "1970-04-01 to 2026-04-03 is too long by day" in ending.stderr.decode()
    assert command("trend", "a", "--interval", "month").returncode == 0


def test_one_report_is_a_state_and_no_trend(command, tmp_path) -> None:
    save(tmp_path / "a", SHORT[0])
    ending = command("trend", "a")
    assert ending.returncode == 0
    assert b"1 of 1 credential overdue. One point is a state, not a trend." in ending.stdout
    for form in ("html", "csv", "json"):
        assert command("trend", "a", "--format", form).returncode == 0


def test_every_format_goes_into_its_file(command, tmp_path) -> None:
    save(tmp_path / "a", *SHORT)
    formats = ("terminal", "html", "csv", "json")
    asked = [word for form in formats for word in ("--format", form)]
    assert command("trend", "a", *asked, "--output", "out").returncode == 0
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["trend.csv", "trend.html", "trend.json", "trend.txt"]
    # A trend beside its reports is no report: the next one leaves it out.
    shutil.copy(tmp_path / "out" / "trend.json", tmp_path / "a")
    assert b"a/trend.json" in command("trend", "a").stderr


def test_the_table_has_a_row_for_all_and_one_a_group_and_says_where_no_report_is(command, tmp_path) -> None:
    held = Held("=cmd()", None, environment="=1+1")
    save(
        tmp_path / "a",
        make("2026-04-01", LATE, held),
        make("2026-04-03", FINE, Held("c", None, environment=None)),
    )
    content = command("trend", "a", "--format", "csv").stdout.decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [(row["from"][:10], row["coverage"], row["by"], row["group"], row["overdue"]) for row in rows] == [
        ("2026-04-01", "complete", "all", "", "1"),
        ("2026-04-01", "complete", "environment", "'=1+1", "0"),
        ("2026-04-01", "complete", "environment", "production", "1"),
        ("2026-04-02", "no-report", "", "", ""),
        ("2026-04-03", "complete", "all", "", "0"),
        ("2026-04-03", "complete", "environment", "production", "0"),
        ("2026-04-03", "complete", "environment", "", "0"),
    ]
    first, last = rows[0], rows[4]
    assert (first["mean_age_days"], first["worst_age_days"], first["aged"]) == ("90.00", "90.00", "1")
    assert (last["rotated"], last["time_to_rotate_days"], last["rotated_later"]) == ("1", "2.00", "1")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_terminal_gets_plain_lines_that_fit(keyaudit, tmp_path, width) -> None:
    hostile = Held("a", "2026-01-01", fails=("KA101",), environment="\x1b[31m" + "e" * 90)
    days = [make(f"2026-0{month}-{day:02}", hostile) for month in range(2, 6) for day in range(1, 29)]
    save(tmp_path / "a", *days)
    ending = keyaudit("trend", "a", COLUMNS=str(width), LC_ALL="C.UTF-8")
    shown = ending.stdout.decode()
    assert ending.returncode == 0
    assert max(map(len, shown.splitlines())) <= width
    assert "\x1b" not in shown
    assert "█" in shown


def test_a_terminal_without_those_characters_gets_others(keyaudit, tmp_path) -> None:
    save(tmp_path / "a", *SHORT)
    ending = keyaudit("trend", "a", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert ending.stdout.isascii()
    assert re.search(rb"overdue, all +## {3}\.", ending.stdout), "a gap is a gap"


def test_what_could_not_be_seen_is_on_the_first_lines(command, tmp_path) -> None:
    save(tmp_path / "a", SHORT[0], make("2026-04-02", scopes={"s": "failed"}))
    shown = command("trend", "a").stdout.decode()
    assert "0 of 0 credentials overdue, and 1 more when last seen; 1 on 2026-04-01." in shown
    assert "1 of 2 points could not see every scope" in shown
    assert "The last is one of them." in shown
    assert "vault s: failed at 1 point" in shown


def test_help_of_trend_imports_nothing_heavy(keyaudit, tmp_path: Path) -> None:
    ending = keyaudit("trend", "--help")
    assert ending.returncode == 0
    assert b"--interval" in ending.stdout

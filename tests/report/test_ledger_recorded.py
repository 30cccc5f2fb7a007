"""What the ledger says of who asked and who agreed is what the rules about records judge, in every format."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from formats.test_pdf import run
from keyaudit import formats
from keyaudit.audit import audit
from keyaudit.history.widening import widen
from keyaudit.inventory import from_rows
from keyaudit.inventory.rows import Credential, Version
from keyaudit.model import Recorded, Report
from keyaudit.policy import load
from keyaudit.rotation.journal import Entry, FileJournal, Request
from keyaudit.rotation.stores.protocol import Credential as Place
from keyaudit.rotation_record import read_files
from keyaudit.rules import CATALOGUE
from keyaudit.times import HOUR, parse_instant

DB = Place("vault", "vault.acme.example/kv", "kv/db", "db")
AT = parse_instant("2026-03-01T10:00:00Z")
NOW = parse_instant("2026-07-01T00:00:00Z")
PERIOD = (parse_instant("2026-01-01T00:00:00Z"), parse_instant("2026-06-30T00:00:00Z"))
TOKEN = "0d9c7a52-5b0c-5c6e-9f52-7d3f0a2b9c11"
SAM = Request("sam@acme.example", "kim@acme.example", "CHG-7")
SAID = Recorded(AT, TOKEN, "sam@acme.example", "kim@acme.example", "CHG-7")
NAMED = {"current": {"version": "1", "key_id": "K1"}, "pending": {"version": "2", "key_id": "K2"}}


def record(folder: Path, at: int = AT, step: str = "promote", request: Request = SAM, **detail: Any) -> None:
    journal = FileJournal(folder / "db.ndjson", "db", DB, request)
    journal.append(Entry(at, "intent", TOKEN, step, detail=detail))
    journal.append(Entry(at, "result", TOKEN, step, detail=detail))


def audited(folder: Path, engine: str = "polars", *, new: str = "2") -> Report:
    """Audit a store whose first value was superseded by the second one, at ten on the first of March."""
    born = parse_instant("2025-12-01T00:00:00Z")
    versions = [
        Version(id="1", state="superseded", created_at=born, superseded_at=AT),
        Version(id=new, state="current", created_at=AT),
    ]
    row = Credential(
        source=DB.source, scope=DB.scope, id=DB.id, name=DB.name, cls="api-key", environment="production",
        created_at=born, versions=versions,
    )  # fmt: skip
    said = [f"versions.{name}" for name in ("id", "state", "created_at", "superseded_at")]
    listed = from_rows([row], [], NOW, ["class", "environment", "created_at", "versions", *said])
    records = read_files([folder])
    widened = widen(listed, None, None, records).inventory
    policy = load(None, rules=CATALOGUE, frameworks={})
    return audit(widened, policy, (), NOW, PERIOD, records=records, engine=engine)


def told(report: Report) -> tuple[str, Recorded | None]:
    """Give what the rule says of the rotation, and what the ledger says of it."""
    assert report.ledger is not None
    (row,) = report.ledger.rows
    first, second = row.entries
    assert (first.replaced_by, second.recorded) == (second.version, None)
    [rule] = [each for each in report.rules if each.id == "KA701"]
    verdict = next(name for name in ("failed", "unknown", "passed") if getattr(rule, name))
    return verdict, first.recorded


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_record_that_names_no_version_is_of_the_rotation_that_the_rule_takes_it_for(
    tmp_path: Path, engine: str
) -> None:
    record(tmp_path, AT + HOUR)
    near = Recorded(
        AT + HOUR, *(getattr(SAID, name) for name in ("token", "requested_by", "approved_by", "ticket"))
    )
    assert told(audited(tmp_path, engine)) == ("passed", near)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_record_that_the_rule_finds_too_far_is_of_another_rotation(tmp_path: Path, engine: str) -> None:
    record(tmp_path, AT + HOUR + 1)
    assert told(audited(tmp_path, engine)) == ("failed", None)


@pytest.mark.parametrize(
    "new", ["2", TOKEN, "K2"], ids=["by its version", "by its token", "by the key that it is"]
)
def test_a_record_that_names_the_value_is_of_it_whenever_it_was_written(tmp_path: Path, new: str) -> None:
    record(tmp_path, AT + 3 * HOUR, **NAMED)
    verdict, recorded = told(audited(tmp_path, new=new))
    assert recorded is not None
    assert (verdict, recorded.at, recorded.approved_by) == ("passed", AT + 3 * HOUR, "kim@acme.example")


def test_a_value_that_was_given_up_was_not_promoted_by_anybody(tmp_path: Path) -> None:
    record(tmp_path, AT, "void")
    assert told(audited(tmp_path, new=TOKEN)) == ("passed", None)


def test_who_asked_and_agreed_is_the_same_person_in_the_rule_and_in_the_ledger(tmp_path: Path) -> None:
    record(tmp_path, AT + 60_000_000, request=Request("sam@acme.example", "Sam@acme.example", "CHG-7"))
    report = audited(tmp_path)
    [found] = [each for each in report.findings if each.rule == "KA702"]
    _, recorded = told(report)
    assert recorded is not None
    assert (recorded.requested_by, recorded.approved_by) == ("sam@acme.example", "Sam@acme.example")
    assert (found.evidence["requested_by"], found.evidence["approved_by"]) == (
        recorded.requested_by,
        recorded.approved_by,
    )


def words(name: str, rendered: bytes) -> str:
    """Give what a reader of a format sees."""
    if name == "xlsx":
        with ZipFile(io.BytesIO(rendered)) as book:
            return "".join(book.read(each).decode("utf-8", "replace") for each in book.namelist())
    if name == "pdf":
        return re.sub(r"\s+", "", run("pdftotext", "-", "-", content=rendered))
    return rendered.decode("utf-8")


SHOWN = ("json", "html", "pdf", "xlsx", "ledger")


@pytest.mark.parametrize("name", SHOWN)
def test_every_format_that_shows_the_ledger_says_who_asked_who_agreed_why_and_by_which_run(
    tmp_path: Path, name: str
) -> None:
    record(tmp_path, AT + HOUR)
    said = words(name, formats.render(name, audited(tmp_path)))
    for word in ("sam@acme.example", "kim@acme.example", "CHG-7", TOKEN):
        assert word in said, word

"""What counts as a promotion on record, and who approved it."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyaudit.facts.promotions import Period, approvals
from keyaudit.policy.approvals import promotions
from keyaudit.rotation.journal import Entry, FileJournal, Request
from keyaudit.rotation.stores.protocol import Credential
from keyaudit.rotation_record import read_files

SECRET = Credential("vault", "acme/secret", "openai", "openai")


def journal(folder: Path, name: str = "a", **request: str | None) -> FileJournal:
    return FileJournal(folder / f"{name}.ndjson", name, SECRET, Request(**request))


def step(at: int, event: str, token: str | None = "t", name: str = "promote", **detail: object) -> Entry:
    return Entry(at, event, token, name, "done", None, detail)


def test_of_an_intent_and_its_result_one_promotion_is_left(tmp_path: Path) -> None:
    log = journal(tmp_path, requested_by="sam", approved_by="kim")
    log.append(step(1_000_000, "intent"))
    log.append(step(2_000_000, "result", pending={"version": "7", "key_id": "key-7"}))
    [found] = promotions(read_files([tmp_path]))
    assert (found.at, found.identity) == (2_000_000, ("vault", "acme/secret", "openai"))
    assert (found.versions, found.key_id, found.self_approved) == ({"t", "7"}, "key-7", False)


def test_a_run_that_was_slower_than_another_one_has_promoted_nothing(tmp_path: Path) -> None:
    log = journal(tmp_path)
    log.append(step(1, "intent"))
    log.append(step(2, "failed"))
    assert promotions(read_files([tmp_path])) == ()


def test_a_promotion_that_was_tried_again_is_on_record_once(tmp_path: Path) -> None:
    log = journal(tmp_path)
    for at, event in enumerate(("intent", "failed", "intent", "result", "intent", "failed")):
        log.append(step(at, event))
    assert [found.at for found in promotions(read_files([tmp_path]))] == [3]


def test_what_was_killed_while_it_promoted_is_on_record_with_its_intent(tmp_path: Path) -> None:
    log = journal(tmp_path)
    log.append(step(1, "intent"))
    with log._path.open("ab") as torn:
        torn.write(b'{"schema":"keyaudit/rotation-record/1","seq":1,"at')
    [found] = promotions(read_files([tmp_path]))
    assert (found.at, found.self_approved) == (1, None)


def test_making_and_taking_back_a_value_are_no_promotions(tmp_path: Path) -> None:
    log = journal(tmp_path)
    for name in ("provision", "verify", "restore", "revoke", "drop"):
        log.append(step(1, "result", name=name))
    assert promotions(read_files([tmp_path])) == ()


@pytest.mark.parametrize("event", ["result", "intent"])
@pytest.mark.parametrize(("name", "place"), [("void", None), ("drop", "pending")])
def test_what_was_given_up_is_on_record_by_its_token_and_was_never_promoted(
    name: str, place: str | None, event: str, tmp_path: Path
) -> None:
    detail = {} if place is None else {"place": place, "version": "t"}
    journal(tmp_path).append(Entry(1, event, "t", name, detail=detail))
    [found] = promotions(read_files([tmp_path]))
    assert (found.versions, found.served) == ({"t"}, False)
    period = approvals(Period(0, 9, (found,)))
    assert period["promotions_in_period"] == []


def test_a_file_that_was_tampered_with_attests_nothing_and_the_others_go_on(tmp_path: Path) -> None:
    for name in ("a", "b"):
        log = journal(tmp_path, name)
        log.append(step(1, "result", f"{name}1"))
        log.append(step(2, "result", f"{name}2"))
    file = tmp_path / "a.ndjson"
    file.write_bytes(file.read_bytes().replace(b'"token":"a1"', b'"token":"a9"'))
    assert [found.versions for found in promotions(read_files([tmp_path]))] == [{"b1"}, {"b2"}]


@pytest.mark.parametrize("pending", ["7", 7, None, [], {"version": 7, "key_id": ["k"]}, {}], ids=repr)
def test_a_detail_of_another_shape_names_no_version(tmp_path: Path, pending: object) -> None:
    journal(tmp_path).append(step(1, "result", None, pending=pending))
    [found] = promotions(read_files([tmp_path]))
    assert (found.versions, found.key_id) == (frozenset(), None)


def test_promotions_without_a_token_are_not_taken_for_one(tmp_path: Path) -> None:
    log = journal(tmp_path)
    log.append(step(1, "result", None))
    log.append(step(2, "result", None))
    assert [found.at for found in promotions(read_files([tmp_path]))] == [1, 2]

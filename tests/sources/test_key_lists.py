"""Keys of one holder as versions, and the lists and reports that AI providers serve."""

from __future__ import annotations

import json

import pytest

from keyaudit.sources.anthropic.api import Named
from keyaudit.sources.pulling.json_lists import entries, error_code, instant, last_use
from keyaudit.sources.pulling.keys import Key, current, key_versions, newest_use
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.times import SECOND, parse_instant
from servers.anthropic import spoke


def states(*keys: Key) -> list[tuple]:
    return [(each.id, each.state, each.superseded_at, each.authenticates) for each in key_versions(keys)]


def test_the_newest_key_that_works_is_current_and_older_ones_are_superseded_by_the_next() -> None:
    assert states(Key("b", 20), Key("c", 30), Key("a", 10)) == [
        ("c", "current", None, True),
        ("b", "superseded", 30, True),
        ("a", "superseded", 20, True),
    ]


def test_a_key_that_was_switched_off_replaces_nothing() -> None:
    keys = (
        Key("a", 10),
        Key("b", 20, ended="disabled"),
        Key("c", 30),
        Key("d", 40, ended="destroyed", authenticates=None),
    )
    assert states(*keys) == [
        ("d", "destroyed", None, False),
        ("c", "current", None, True),
        ("b", "disabled", 30, False),
        ("a", "superseded", 30, True),
    ]
    assert current(keys) == keys[2]


def test_no_key_that_works_leaves_no_value_in_use() -> None:
    assert states(Key("a", 10, ended="disabled")) == [("a", "disabled", None, False)]
    assert current([Key("a", 10, ended="disabled")]) is None


def test_keys_of_the_same_second_have_a_stable_order() -> None:
    assert states(Key("a", 10), Key("b", 10)) == states(Key("b", 10), Key("a", 10))


def test_the_last_use_is_the_latest_of_all_keys() -> None:
    assert newest_use([Key("a", 1, last_used_at=5), Key("b", 2), Key("c", 3, last_used_at=4)]) == 5
    assert newest_use([Key("a", 1)]) is None


def day(start: str, *results: dict, **more: object) -> dict:
    return {"starting_at": start, "results": list(results), **more}


def report(*pages: list[dict], **last: object) -> dict[str, int]:
    """Serve the pages of a report in turn."""
    asked: list[str | None] = []

    def ask(token: str | None) -> bytes:
        asked.append(token)
        number = 0 if token is None else int(token)
        more = number + 1 < len(pages)
        body = {"data": pages[number], "has_more": more, "next_page": str(number + 1) if more else None}
        return json.dumps({**body, **(last if not more else {})}).encode()

    found = last_use(ask)
    assert len(asked) == len(pages)
    return found


def test_the_newest_day_with_use_is_a_keys_last_use_whatever_the_order() -> None:
    found = report(
        [day("2026-11-01T00:00:00Z", spoke("a"), spoke("b")), day("2026-11-03T00:00:00Z", spoke("a"))],
        [day("2026-11-02T00:00:00Z", spoke("a")), day("2026-11-04T00:00:00Z")],
    )
    assert found == {
        "a": parse_instant("2026-11-03T00:00:00Z"),
        "b": parse_instant("2026-11-01T00:00:00Z"),
    }


def test_a_result_that_counts_nothing_or_has_no_key_is_no_use() -> None:
    cached = spoke("d", output=0, cache_creation={"ephemeral_5m_input_tokens": 7})
    searched = spoke("e", output=0, server_tool_use=[{"web_search_requests": 1}])
    flagged = spoke("f", output=0, batch=True)
    nothing = [spoke("a", output=0), spoke(None), spoke(None, api_key_id=7), flagged]
    assert set(report([day("2026-11-01T00:00:00Z", *nothing, cached, searched)])) == {"d", "e"}


@pytest.mark.parametrize("depth", [3, 400, 900, 100_000])
def test_a_result_may_be_nested_as_deep_as_it_likes(depth: int) -> None:
    nested = "[" * depth + "7" + "]" * depth
    bucket = f'{{"start_time": 1700000000, "results": [{{"api_key_id": "a", "x": {nested}}}]}}'
    body = f'{{"data": [{bucket}], "has_more": false}}'.encode()
    try:
        assert last_use(lambda _: body) == {"a": 1_700_000_000 * SECOND}
    except RefusedError as error:
        assert depth > 400
        assert error.refusal.kind is Kind.UNREADABLE


def test_seconds_are_understood_as_well() -> None:
    bucket = {"start_time": 1_700_000_000, "results": [{"api_key_id": "a", "amount": {"value": 0.06}}]}
    assert report([bucket]) == {"a": 1_700_000_000 * SECOND}


@pytest.mark.parametrize(
    "bucket",
    [
        {"results": []},
        {"starting_at": "yesterday", "results": []},
        {"start_time": -1, "results": []},
        {"starting_at": "2026-11-01T00:00:00Z", "results": [7]},
        {"starting_at": "2026-11-01T00:00:00Z"},
    ],
)
def test_a_report_with_anything_unreadable_says_nothing(bucket: dict) -> None:
    with pytest.raises(RefusedError) as caught:
        report([day("2026-11-01T00:00:00Z", spoke("a")), bucket])
    assert caught.value.refusal.kind is Kind.UNREADABLE


def test_a_report_that_does_not_end_says_nothing() -> None:
    with pytest.raises(RefusedError, match="does not say where"):
        report([], has_more=True)
    with pytest.raises(RefusedError) as caught:
        last_use(lambda _: b'{"data": [], "has_more": true, "next_page": "same"}')
    assert caught.value.refusal.kind is Kind.REPEATED


def listed(*bodies: dict | bytes) -> list:
    answers = iter(bodies)

    def ask(after: str | None) -> bytes:
        body = next(answers)
        return body if isinstance(body, bytes) else json.dumps(body).encode()

    return [([each.id for each in page.entries], page.unreadable) for page in entries(ask, Named)]


def test_a_list_goes_on_after_the_last_id_or_else_after_the_last_entry() -> None:
    first = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
    second = {"data": [{"id": "b"}], "has_more": True}
    assert listed(first, second, {"data": [], "has_more": False, "last_id": None}) == [
        (["a"], 0),
        (["b"], 0),
        ([], 0),
    ]


@pytest.mark.parametrize(
    "token", ['"\\ud800"', '"\\u00e9"', '"a\\nb"', '"a b"', f'"{"x" * 2_001}"'], ids=range(5)
)
def test_a_token_that_no_request_can_carry_is_unreadable(token: str) -> None:
    text = f'{{"data": [{{"id": "a"}}], "has_more": true, "last_id": {token}}}'.encode()
    with pytest.raises(RefusedError) as caught:
        listed(text, text, text)
    assert caught.value.refusal.kind is Kind.UNREADABLE
    bucket = json.dumps(day("2026-11-01T00:00:00Z", spoke("a")))
    body = f'{{"data": [{bucket}], "has_more": true, "next_page": {token}}}'.encode()
    with pytest.raises(RefusedError) as caught:
        last_use(lambda _: body)
    assert caught.value.refusal.kind is Kind.UNREADABLE


def test_an_id_is_of_printable_characters_and_bounded() -> None:
    ids = ["a\n", "a b", "\u202e", "é", "x" * 201, "x" * 200, "wrkspc_1", "a:b/c"]
    [(read, unreadable)] = listed({"data": [{"id": each} for each in ids], "has_more": False})
    assert (read, unreadable) == (["x" * 200, "wrkspc_1", "a:b/c"], 5)


@pytest.mark.parametrize("entry", [b"1", b"{}"])
@pytest.mark.parametrize("count", [100_001, 20_000_000])
def test_a_page_of_more_entries_than_anybody_serves_is_not_taken_in(entry: bytes, count: int) -> None:
    body = b'{"has_more": false, "data": [' + (entry + b",") * (count - 1) + entry + b"]}"
    with pytest.raises(RefusedError, match=r"could not be read \(too many entries\)"):
        listed(body, body, body)


def test_a_report_of_more_results_than_anybody_serves_is_not_taken_in() -> None:
    results = b"{}," * 6_000_000 + b"{}"
    body = b'{"has_more": false, "data": [{"start_time": 0, "results": [' + results + b"]}]}"
    with pytest.raises(RefusedError, match=r"could not be read \(too many entries\)"):
        last_use(lambda _: body)


def test_an_entry_that_cannot_be_read_costs_only_itself() -> None:
    text = b'{"data": [{"id": "a"}, {"id": 7}, {"id": ""}, {"id": "\\ud800"}, 3, null], "has_more": false}'
    assert listed(text) == [(["a"], 5)]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"data": null, "has_more": false}', b'{"data": []}', b"\xff", b"[" * 100_000],
)
def test_a_page_that_cannot_be_read_is_asked_for_three_times(body: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        listed(body, body, body)
    assert caught.value.refusal.kind is Kind.UNREADABLE


def test_an_error_is_known_by_its_code_or_else_by_its_type() -> None:
    assert error_code(b'{"error": {"code": "invalid_api_key", "type": "x", "message": "CANARY"}}') == (
        "invalid_api_key"
    )
    assert error_code(b'{"type": "error", "error": {"type": "permission_error"}}') == "permission_error"
    for body in (b"", b"<html>", b'{"error": "no"}', b'{"error": {"code": 7}}', b"\xff"):
        assert error_code(body) is None


def test_seconds_become_microseconds_within_reason() -> None:
    assert (instant(None), instant(0), instant(1_711_471_533)) == (None, 0, 1_711_471_533 * SECOND)
    for nonsense in (-1, 253_402_300_800, 1_711_471_533_000_000):
        with pytest.raises(ValueError, match="no such time"):
            instant(nonsense)

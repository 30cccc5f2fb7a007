"""`keyaudit/report/1`: what goes in comes out, and what was touched is refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyaudit import model
from keyaudit.errors import InputError
from keyaudit.report_document import digest, from_document, read, to_document

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
COUNT = st.integers(0, 2**53)
INSTANT = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
DURATION = st.integers(-(10**17), 10**17)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "int": COUNT,
    "str": TEXT,
    "str | None": maybe(TEXT),
    "int | None": maybe(COUNT),
    "bool | None": maybe(st.booleans()),
    "tuple[str, ...]": some(TEXT),
    "Verdict": st.sampled_from(model.Verdict),
    "Severity": st.sampled_from(model.Severity),
    "Severity | None": maybe(st.sampled_from(model.Severity)),
    "Basis": st.sampled_from(model.Basis),
    "ScopeStatus": st.sampled_from(model.ScopeStatus),
    "VersionState": st.sampled_from(model.VersionState),
    "Mapping[str, Any]": st.dictionaries(TEXT, st.none() | st.booleans() | COUNT | TEXT, max_size=3),
    "Mapping[Verdict, int]": st.dictionaries(st.sampled_from(model.Verdict), COUNT),
    "Mapping[Severity, int]": st.dictionaries(st.sampled_from(model.Severity), COUNT),
    "tuple[int, int] | None": maybe(st.tuples(INSTANT, INSTANT)),
}
INSTANTS = {
    "as_of", "collected_at", "reviewed_on", "due_at", "starts", "ends", "created_at", "ends_at", "retired_at",
    "started_at", "finished_at",
}  # fmt: skip
DURATIONS = {"rotation_period", "grace_period", "overdue_tolerance", "age_min", "age_max"}


def any_of(noun: Any) -> st.SearchStrategy[Any]:
    """Any value of a noun of the model, by the annotations of its fields."""
    fields = {}
    for name, annotation in noun.__annotations__.items():
        number = INSTANT if name in INSTANTS else DURATION if name in DURATIONS else None
        if number is not None:
            fields[name] = maybe(number) if annotation.endswith("None") else number
        elif annotation in FIELDS:
            fields[name] = FIELDS[annotation]
        else:
            inner = annotation.removeprefix("tuple[").removeprefix("Sequence[").split(",")[0]
            inner = inner.removesuffix("]").removesuffix(" | None")
            one = any_of(getattr(model, inner))
            fields[name] = one if annotation == inner else maybe(one) if "None" in annotation else some(one)
    return st.builds(noun, **fields)


REPORTS = any_of(model.Report)


@given(REPORTS)
@settings(max_examples=60, deadline=None)
def test_a_report_survives_the_document(report: model.Report) -> None:
    document = to_document(report)
    assert from_document(document) == report
    assert read(msgspec.json.encode(document)) == report


@given(REPORTS)
@settings(max_examples=30, deadline=None)
def test_the_digest_can_be_checked_without_keyaudit(report: model.Report) -> None:
    document = to_document(report)
    claimed = document.pop("sha256")
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(canonical).hexdigest() == claimed


@given(REPORTS, st.data())
@settings(max_examples=60, deadline=None)
def test_no_damage_ends_in_anything_but_an_input_error(report: model.Report, data: st.DataObject) -> None:
    document = json.loads(msgspec.json.encode(to_document(report)))
    place, holders = document, []
    while isinstance(place, (dict, list)) and place and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        holders.append((place, key))
        place = place[key]
    if not holders:
        return
    holder, key = holders[-1]
    holder[key] = data.draw(st.none() | st.integers() | TEXT | st.just([]) | st.just({}) | st.floats())
    if data.draw(st.booleans()):
        try:
            document["sha256"] = digest(document)
        except (OverflowError, ValueError, TypeError):
            return
    try:
        from_document(document)
    except InputError as error:
        assert error.hint


SMALL = model.Report(
    version="0.1.0",
    as_of=1_777_593_600_000_000,
    period=None,
    policy=model.PolicySummary("acme", "ab", None, None, None, ()),
    frameworks=(),
    inventory=model.InventorySummary("cd", None, 0, 0),
    coverage=(model.Coverage("vault", "kv", model.ScopeStatus.FAILED, reason="denied"),),
    summary=model.Summary({model.Verdict.PASS: 1}, {}, model.Severity.HIGH, 3),
    rules=(),
    controls=(),
    findings=(),
    waivers=(),
    population=(),
)


def test_the_keys_stand_in_the_order_of_the_contract() -> None:
    assert list(to_document(SMALL)) == [
        "schema", "tool", "as_of", "period", "policy", "frameworks", "inventory", "coverage", "summary",
        "rules", "controls", "findings", "waivers", "population", "sha256",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected", "hint"),
    [
        ({"schema": "keyaudit/report/2"}, "report.json: schema: expected keyaudit/report/1", "--format json"),
        (
            {"as_of": "2026-05-02T00:00:00Z"},
            "report.json: sha256: does not fit the document",
            "changed after",
        ),
        ({"sha256": None}, "report.json: sha256: does not fit the document", "changed after"),
    ],
)
def test_another_document_is_refused(changes: dict[str, Any], expected: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        from_document({**to_document(SMALL), **changes})
    assert str(caught.value) == expected
    assert caught.value.hint is not None
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"as_of": "2026-05-01"}, "as_of: a date is not an instant: write 2026-05-01T00:00:00Z"),
        ({"as_of": 5}, "as_of: expected text"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"rules": {}}, "rules: expected a list"),
        ({"rules": [{"id": "KA101"}]}, "rules[0]: key 'basis' is missing"),
        ({"summary": None}, "summary: expected an object"),
        ({"tool": {"name": "other", "version": "1"}}, "tool: expected the name keyaudit and a version"),
        ({"period": {"from": "2026-05-01T00:00:00Z"}}, "period: expected null or an object with from and to"),
        ({"policy": {**to_document(SMALL)["policy"], "sha256": 1}}, "policy.sha256: expected text"),
    ],
)
def test_another_shape_is_refused_by_the_name_of_the_field(changes: dict[str, Any], expected: str) -> None:
    document = {**to_document(SMALL), **changes}
    document["sha256"] = digest(document)
    with pytest.raises(InputError) as caught:
        from_document(document)
    assert str(caught.value) == f"report.json: {expected}"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b"[" * 100_000, b"null", b'{"schema": 1}']
)
def test_bytes_that_are_no_report_are_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        read(content, file="old.json")

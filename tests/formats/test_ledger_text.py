"""The words of a ledger, worked out by hand: what is known between bounds is never said as if it were known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formats.large_report import large_report
from formats.sample_ledger import END, START, ledgered
from formats.sample_report import sample_report
from keyaudit import times
from keyaudit.formats import history_text, ledger_text, wording
from keyaudit.model import Grace, Ledger, LedgerEntry, LedgerResult, Operation, Recorded

D, H = times.DAY, times.HOUR
REPORT = sample_report(25)


def entry(
    low: int | None, high: int | None, result: LedgerResult = LedgerResult.LATE, **others: object
) -> LedgerEntry:
    plain = LedgerEntry(
        "v1",
        START,
        START + D,
        None,
        None,
        None,
        result,
        low,
        high,
        0,
        0,
        None,
        None,
        Grace.NOT_ASKED,
        "store",
    )
    return replace(plain, **others)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (12 * D, 12 * D, "12 d early"),
        (-3 * D - 4 * H, -3 * D - 4 * H, "3 d 4 h late"),
        (-1, -1, "1 µs late"),
        (0, 0, "in the instant it fell due"),
        (-12 * D, -7 * D, "7 d to 12 d late"),
        (7 * D, 12 * D, "7 d to 12 d early"),
        (-12 * D, 0, "0 s to 12 d late"),
        (0, 2 * H, "0 s to 2 h early"),
        (-2 * D, 5 * D, "between 2 d late and 5 d early"),
        (-40 * D - 1, -40 * D, "40 d to 40 d 1 µs late"),
        (None, None, "not known"),
        (None, -7 * D, "at least 7 d late"),
        (None, 7 * D, "at most 7 d early"),
        (-7 * D, None, "at most 7 d late"),
        (7 * D, None, "at least 7 d early"),
    ],
)
def test_how_early_or_late_is_said_with_its_bounds(low: int | None, high: int | None, said: str) -> None:
    assert ledger_text.lateness(entry(low, high)) == said


def test_what_is_not_due_is_neither_early_nor_late() -> None:
    assert ledger_text.lateness(entry(D, D, LedgerResult.NOT_DUE)) == "not due yet"


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (None, None, "still in use when the period ended"),
        (START, START, "2025-11-01T00:00:00Z"),
        (START, START + D, "between 2025-11-01T00:00:00Z and 2025-11-02T00:00:00Z"),
        (START, None, "2025-11-01T00:00:00Z or later, if at all"),
        (None, START, "by 2025-11-01T00:00:00Z"),
    ],
)
def test_when_a_value_was_replaced_is_said_as_exactly_as_is_known(
    first: int | None, last: int | None, said: str
) -> None:
    assert ledger_text.replaced(entry(0, 0, replaced_from=first, replaced_to=last)) == said


@pytest.mark.parametrize(
    ("low", "high", "grace", "said"),
    [
        (None, None, Grace.NOT_ASKED, "not asked"),
        (None, None, Grace.UNKNOWN, "not known, grace not known"),
        (0, None, Grace.UNKNOWN, "not known, grace not known"),
        (0, 0, Grace.KEPT, "0 s, grace kept"),
        (D, D, Grace.KEPT, "1 d, grace kept"),
        (D, 3 * D, Grace.UNKNOWN, "1 d to 3 d, grace not known"),
        (9 * D, None, Grace.BROKEN, "at least 9 d, grace broken"),
        (D, D, Grace.NOT_ASKED, "1 d, grace not asked"),
    ],
)
def test_an_overlap_says_whether_its_grace_was_kept(
    low: int | None, high: int | None, grace: Grace, said: str
) -> None:
    assert ledger_text.overlap(entry(0, 0, overlap_min=low, overlap_max=high, grace=grace)) == said


def test_evidence_names_the_run_who_asked_and_who_agreed() -> None:
    record = Recorded(START, "r-7", "app@a.example", "ciso@a.example", "CHG-1")
    assert ledger_text.evidence(entry(0, 0, basis="record", recorded=record)) == (
        "a rotation record, rotated 2025-11-01T00:00:00Z, run r-7, asked for by app@a.example, "
        "approved by ciso@a.example, ticket CHG-1"
    )
    assert ledger_text.evidence(entry(0, 0, basis="audit-log")) == "an audit log"


def made(operations: dict[Operation, int], results: dict[LedgerResult, int]) -> Ledger:
    return Ledger((), None, operations, results, ())


@pytest.mark.parametrize(
    ("operations", "results", "said"),
    [
        ({}, {}, "The control did not operate: nothing fell due in the period."),
        ({Operation.DID_NOT_OPERATE: 9, Operation.NOT_REQUIRED: 1}, {}, ledger_text.NOTHING_FELL_DUE),
        (
            {Operation.OPERATED: 1, Operation.DID_NOT_OPERATE: 1},
            {LedgerResult.ON_TIME: 2},
            "Every due date in the period was met: 2 on time.",
        ),
        (
            {Operation.OPERATED: 1, Operation.UNKNOWN: 1},
            {LedgerResult.ON_TIME: 2, LedgerResult.UNKNOWN: 1},
            "No due date is known to have been missed: 1 not known, 2 on time.",
        ),
        (
            {Operation.OPERATED: 1, Operation.UNKNOWN: 1},
            {LedgerResult.ON_TIME: 2},
            "No due date is known to have been missed: 2 on time.",
        ),
        (
            {Operation.UNKNOWN: 1},
            {LedgerResult.UNKNOWN: 1},
            "Whether rotation operated in the period is not known: 1 not known.",
        ),
        (
            {Operation.EXCEPTION: 2, Operation.OPERATED: 1},
            {LedgerResult.LATE: 1, LedgerResult.OVERDUE: 1200, LedgerResult.ON_TIME: 3},
            "Exceptions in the period: 1,200 overdue, 1 late, 3 on time.",
        ),
    ],
)
def test_a_ledger_is_summed_up_in_one_sentence(
    operations: dict[Operation, int], results: dict[LedgerResult, int], said: str
) -> None:
    assert ledger_text.headline(made(operations, results)) == said


@pytest.mark.parametrize(
    ("operation", "counts", "said"),
    [
        (Operation.EXCEPTION, (3, 1, 2, 0), "1 of 3 met, 2 late"),
        (Operation.EXCEPTION, (0, 0, 1, 0), "1 late"),
        (Operation.UNKNOWN, (3, 2, 0, 1), "2 of 3 met, 1 not known"),
        (Operation.UNKNOWN, (2, 2, 0, 0), "2 of 2 met, rest of the period not known"),
        (Operation.UNKNOWN, (0, 0, 0, 0), "not known"),
        (Operation.OPERATED, (2, 2, 0, 0), "2 of 2 met"),
        (Operation.DID_NOT_OPERATE, (0, 0, 0, 0), "nothing fell due"),
        (Operation.NOT_REQUIRED, (0, 0, 0, 0), "not required"),
    ],
)
def test_a_credential_whose_history_is_torn_is_never_said_to_have_met_all(
    operation: Operation, counts: tuple[int, int, int, int], said: str
) -> None:
    assert REPORT.ledger is not None
    due, met, late, open_ = counts
    row = replace(REPORT.ledger.rows[0], operation=operation, due=due, met=met, late=late, open=open_)
    assert ledger_text.standing(row) == said


def test_whole_days_are_said_as_days_and_others_to_the_instant() -> None:
    assert ledger_text.span(START, END) == "2025-11-01 to 2026-04-30"
    assert ledger_text.span(START, END - 1) == "2025-11-01T00:00:00Z to 2026-04-30T23:59:59.999998Z"


def test_page_one_names_what_the_history_does_not_show() -> None:
    said = {gap.what: gap.why for gap in wording.gaps(REPORT)}
    torn = "no evidence of the past: line 1, column 9: not a JSON document"
    assert said["history/<b>torn</b>.json"] == torn
    assert said["between two looks"] == "up to 88 d apart: what came and went in between is not known"
    assert REPORT.ledger is not None
    without = replace(REPORT, ledger=replace(REPORT.ledger, history=None))
    said = {gap.what: gap.why for gap in wording.gaps(without)}
    assert said["the past of the stores"] == "no history was given: what a store has forgotten is not known"
    assert "the past of the stores" not in {gap.what for gap in wording.gaps(large_report(3))}


def test_page_one_names_what_only_management_says_and_what_contradicts_itself() -> None:
    said = {gap.what: gap.why for gap in wording.gaps(REPORT)}
    word = "that it governed until 2026-01-31T23:59:59.999999Z is the word of who ran this audit"
    assert REPORT.ledger is not None
    assert REPORT.ledger.history is not None
    assert said[f"policy {REPORT.ledger.policies[0].name}"] == word
    assert not {"the end of the period", "dates that are contradicted"} & {*said}
    torn = replace(REPORT.ledger, history=replace(REPORT.ledger.history, contradictions=2))
    old = replace(REPORT.inventory, collected_at=END - 40 * D)
    found = dict(history_text.gaps(replace(REPORT, ledger=torn, inventory=old)))
    assert found["the end of the period"] == "the inventory is 40 d older: what came then is not known"
    assert found["dates that are contradicted"].startswith(
        "2 dates of versions, by other lists, logs or records"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, None),
        ({"store": 4}, None),
        ({"record": 1, "store": 4}, "on time by the word of the store (4), a rotation record (1)"),
    ],
)
def test_whoever_has_a_log_or_a_record_believed_reads_so(words: dict[str, int], said: str | None) -> None:
    assert ledger_text.words(words) == said


@pytest.mark.parametrize(("apart", "named"), [(D, False), (D + 1, True)])
def test_daily_looks_leave_no_gap(apart: int, named: bool) -> None:
    ledger = REPORT.ledger
    assert ledger is not None
    assert ledger.history is not None
    closer = replace(ledger, history=replace(ledger.history, longest_gap=apart))
    found = {what for what, _ in history_text.gaps(replace(REPORT, ledger=closer))}
    assert ("between two looks" in found) is named


def test_history_counts_only_the_files_that_are_evidence() -> None:
    said = history_text.history(ledgered(large_report(3)))
    assert said is not None
    assert said.startswith("3 files, sha256 fafafafafafa, 2 earlier inventories among them; ")

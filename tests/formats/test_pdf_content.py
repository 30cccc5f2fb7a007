"""What the PDF puts on paper: every finding is printed or counted, the worst of each rule first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.large_report import large_report
from keyaudit.formats import pdf_content
from keyaudit.formats.pdf_content import findings_by_rule, population_shares
from keyaudit.model import Verdict


@pytest.mark.parametrize("size", [0, 1, pdf_content.ALL_IN_FULL, pdf_content.ALL_IN_FULL + 1, 900, 5000])
def test_every_finding_is_in_full_in_a_row_or_counted(size: int) -> None:
    groups = findings_by_rule(large_report(size))
    shown = [each.number for group in groups for each in (*group.full, *group.rows)]
    assert len(shown) == len(set(shown))
    assert len(shown) + sum(group.hidden for group in groups) == size
    assert sum(len(group.rows) for group in groups) <= pdf_content.MOST_ROWS
    for group in groups:
        assert sum(group.counts.values()) == len(group.full) + len(group.rows) + group.hidden


def test_a_small_audit_is_printed_in_full() -> None:
    groups = findings_by_rule(large_report(pdf_content.ALL_IN_FULL))
    assert not any(group.rows or group.hidden for group in groups)


def test_the_longest_overdue_of_a_rule_comes_first_and_keeps_its_number() -> None:
    report = large_report(200)
    group = next(group for group in findings_by_rule(report) if group.id == "KA101")
    failed = [each for each in (*group.full, *group.rows) if each.finding.verdict is Verdict.FAIL]
    due = [each.finding.due_at for each in failed]
    assert due == sorted(due)
    assert all(report.findings[each.number - 1] is each.finding for each in failed)


@given(st.lists(st.integers(0, 1000), max_size=20), st.integers(0, 2000))
def test_room_is_shared_out_and_none_is_wasted(wanted: list[int], room: int) -> None:
    given_out = pdf_content._shares(wanted, room)
    assert all(0 <= part <= want for part, want in zip(given_out, wanted, strict=True))
    assert sum(given_out) <= room
    if wanted and sum(wanted) > room:
        assert room - sum(given_out) < len(wanted)
        cut = [part for part, want in zip(given_out, wanted, strict=True) if part < want]
        assert max(given_out) - min(cut) <= len(wanted)
    else:
        assert given_out == wanted


def test_each_split_of_the_population_counts_all_of_it() -> None:
    report = large_report(90, owners=70)
    for _, shares, left_out in population_shares(report):
        if not left_out:
            assert sum(share.total for share in shares) == 90
    owners = population_shares(report)[2]
    assert len(owners[1]) == pdf_content.MOST_GROUPS
    assert owners[2] > 0


def test_a_rule_that_the_report_does_not_describe_is_still_printed() -> None:
    (group, *_) = findings_by_rule(replace(large_report(1), rules=()))
    assert group.id == "KA101"
    assert group.rule is None

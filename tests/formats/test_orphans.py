"""Keys that no store holds: one line on page one, a list that is capped, and silence where nobody asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formats.sample_report import sample_report
from keyaudit.formats import html, markdown, pdf_page, render, terminal, wording
from keyaudit.model import Coverage, CredentialRef, Report, ScopeStatus
from keyaudit.report_document import read

HEADING = "Keys of providers that no store here is known to hold"
SAMPLE = sample_report(5)
OPENAI = Coverage("openai", "acme/proj_1", ScopeStatus.COMPLETE)
VAULT = Coverage("vault", "kv", ScopeStatus.COMPLETE)


def report(count: int | None, *coverage: Coverage) -> Report:
    """A report with so many orphans; None: not tested."""
    listed = None
    if count is not None:
        listed = tuple(
            CredentialRef("openai", "acme/proj_1", f"key_{n}", f"batch-{n:04}", None, None)
            for n in range(count)
        )
    return replace(SAMPLE, orphans=listed, coverage=coverage)


SENTENCES = [
    (report(2, OPENAI, VAULT), "2 keys of providers that no store in this inventory is known to hold"),
    (report(1), "1 key of a provider that no store in this inventory is known to hold"),
    (
        report(1, OPENAI, VAULT, replace(VAULT, scope="x", status=ScopeStatus.FAILED)),
        "1 key of a provider that no store in this inventory is known to hold; not every store was seen completely",
    ),
    (
        report(1, replace(OPENAI, status=ScopeStatus.PARTIAL), replace(VAULT, status=ScopeStatus.EMPTY)),
        "1 key of a provider that no store in this inventory is known to hold",
    ),
    (
        report(0, OPENAI, VAULT),
        "none: a store in this inventory is known to hold each key of a provider",
    ),
    (report(0, VAULT), None),
    (report(0), None),
    (report(None, OPENAI), None),
]


@pytest.mark.parametrize(("made", "sentence"), SENTENCES)
def test_page_one_says_how_many_and_whether_every_store_was_seen(made, sentence) -> None:
    assert wording.orphans(made) == sentence


def text(name: str, made: Report) -> str:
    if name == "pdf":
        return pdf_page.page(made, "id", (), entity=None, marking="m")
    options = {"width": 160} if name == "terminal" else {}
    return render(name, made, **options).decode()


@pytest.mark.parametrize("name", ["terminal", "markdown", "html", "pdf"])
def test_every_format_for_people_lists_them_up_to_a_limit_and_says_how_many_there_are(name) -> None:
    shown = text(name, report(1000, OPENAI, VAULT))
    most = {
        "terminal": terminal.MOST_ORPHANS,
        "markdown": markdown.MOST_ORPHANS,
        "html": html.MOST_ORPHANS,
        "pdf": pdf_page.MOST_LISTED,
    }[name]
    assert "1,000 keys of providers that no store in this inventory is known to hold" in shown
    assert HEADING in shown
    assert sum(f"batch-{n:04}" in shown for n in range(1000)) == most
    assert f"and {1000 - most:,} more" in shown


@pytest.mark.parametrize("name", ["terminal", "markdown", "html", "pdf"])
def test_not_tested_is_a_gap_and_none_found_has_no_list(name) -> None:
    shown = text(name, report(None, OPENAI)).replace("&#39;", "'")
    assert "who holds the providers' keys" in shown
    assert "not tested: no store was listed" in shown
    assert HEADING not in shown
    none = text(name, report(0, OPENAI, VAULT))
    assert "none: a store in this inventory is known to hold each key of a provider" in none
    assert HEADING not in none
    silent = text(name, report(0, VAULT))
    assert "is known to hold" not in silent


@pytest.mark.parametrize("count", [None, 0, 2])
def test_the_document_keeps_not_tested_apart_from_none(count) -> None:
    rows = tuple(CredentialRef(r.source, r.scope, r.id, r.name, None, None) for r in SAMPLE.population)
    made = replace(SAMPLE, orphans=None if count is None else rows[:count])
    assert read(render("json", made)) == made

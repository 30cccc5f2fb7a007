"""Markdown: what a GitHub job summary shows, and that no name gets to be mark-up."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from keyaudit.formats import render
from keyaudit.formats.markdown import code, prose


def parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def leaves(tokens: list[Token]) -> list[Token]:
    return [leaf for token in tokens for leaf in (token.children or [token])]


SMALL = r"""# keyaudit: Exceptions: 1 failure at or above high.

|  |  |
| --- | --- |
| As of | 2026-05-01T00:00:00Z |
| Audited | 1 credential, 2 versions |
| Collected | 2026-04-30T23:00:00Z |
| Verdicts | 4 pass, 1 fail, 0 unknown, 0 not-applicable, 0 waived |
| Failures | 1 high |
| Policy | `acme-credential-rotation` (`bbbbbbbbbbbb`), approved by `ciso@x.example`, reviewed 2026-05-01 |
| keyaudit | `0.1.0` |

## Not seen, so not passed

| What | Why |
| --- | --- |
| `vault kv/payments` | could not be read: permission denied (403) |
| `KA401 unused` | `not tested where last_used_at was not collected` |

## Results by control

| Framework | Control | Title | Result | Exceptions | Tested | Population |
| --- | --- | --- | --- | --- | --- | --- |
| `soc2` | `CC6.1` | Logical access security | **exception** | 1 | 1 | 1 |

## Findings

| Severity | Rule | Credential | Finding | Due | Environment | Owner |
| --- | --- | --- | --- | --- | --- | --- |
| high | `KA101` rotation-overdue | `production/service-00000/api-key`<br>`aws-secrets-manager 111122223333/us-east-1` | value is 91 d old; production allows 90 d<br>required by `acme-credential-rotation: production`<br>`soc2 CC6.1`<br>fix: `aws secretsmanager rotate-secret --secret-id 'arn:aws:secretsmanager:us-east-1:111122223333:secret:production/service-00000/api-key-AbCdEf'` | 2026-04-30, 1 d late | `production` |  |
"""


def test_the_whole_page() -> None:
    assert render("markdown", large_report(1)).decode() == SMALL


def test_the_summary_comes_first_and_the_gaps_before_the_findings() -> None:
    text = render("markdown", large_report(8)).decode()
    assert text.startswith("# keyaudit: Exceptions: 4 failures at or above high.\n")
    assert "| Audited | 8 credentials, 16 versions |" in text
    assert text.index("| `vault kv/payments` | could not be read: permission denied (403) |") < text.index(
        "## Findings"
    )
    assert "| `soc2` | `CC6.1` | Logical access security | **exception** | 7 | 8 | 8 |" in text
    assert "| 2026-04-30, 1 d late |" in text


def test_no_name_becomes_mark_up() -> None:
    tokens = parse(render("markdown", with_names(large_report(1))).decode())
    html = {token.content for token in leaves(tokens) if token.type.startswith("html")}
    assert html == {"<br>"}
    kinds = {token.type for token in leaves(tokens)}
    assert not kinds & {"link_open", "image", "strong_open", "em_open", "fence", "bullet_list_open"} - {
        "strong_open"
    }
    finding_rows = [row for row in _rows(tokens) if len(row) == 7 and "KA101" in row[1]]
    assert len(finding_rows) == len(NAMES)


def _rows(tokens: list[Token]) -> list[list[str]]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append(token.content)
    return rows


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_a_code_span_holds_its_text_and_nothing_else(text: str) -> None:
    rows = _rows(parse(f"| a | b |\n| --- | --- |\n| {code(text)} | end |\n"))
    assert [len(row) for row in rows] == [2, 2]
    assert rows[1][1] == "end"
    tokens = parse(code(text).replace("\\|", "|"))
    assert {leaf.type for leaf in leaves(tokens)} <= {"paragraph_open", "paragraph_close", "code_inline"}


@pytest.mark.parametrize(
    "text", ["a.example", "www.a", "@octocat", "#12", "GH-12", "deadbeef", "http://x", "a_b", "<b>"]
)
def test_what_github_would_link_stands_in_code(text: str) -> None:
    assert prose(f"see {text} now") == f"`see {text} now`"


def test_a_plain_sentence_stays_plain() -> None:
    assert prose("value is 121 d old; production allows 90 d") == "value is 121 d old; production allows 90 d"


@pytest.mark.parametrize("length", [40, 3000])
def test_it_stays_under_what_github_accepts_and_counts_the_rest(length: int) -> None:
    report = large_report(3000)
    long = tuple(replace(finding, message="é!" * length, fix="ü" * length) for finding in report.findings)
    content = render("markdown", replace(report, findings=long))
    assert len(content) < 1024 * 1024
    match = re.search(r"… and ([\d,]+) more findings", content.decode())
    assert match is not None
    shown = len(re.findall(r"^\| (?:high|medium|info|unknown)", content.decode(), re.MULTILINE))
    assert shown + int(match[1].replace(",", "")) == 3000

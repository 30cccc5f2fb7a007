"""The terminal report: readable at any width, whole commands, and no name that drives the terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from keyaudit.formats import render
from keyaudit.model import Severity, Summary

SMALL = """\
keyaudit 0.1.0 · acme-credential-rotation · as of 2026-05-01T00:00:00Z

Exceptions: 2 failures at or above high.

  audited   3 credentials, 6 versions, collected 2026-04-30T23:00:00Z
  verdicts  12 pass, 3 fail, 0 unknown, 0 not-applicable, 0 waived
  failures  2 high, 1 medium
  policy    acme-credential-rotation, sha256 bbbbbbbbbbbb, approved by
            ciso@x.example, reviewed 2026-05-01

Not seen, so not passed
  vault kv/payments  could not be read: permission denied (403)
  KA401 unused       not tested where last_used_at was not collected

Results by control
  soc2 2017 (2022)  1 exception

  soc2 CC6.1  3 exceptions  3 of 3 tested  Logical access security

Findings by environment

production  1 high
  HIGH      KA101 rotation-overdue  production/service-00000/api-key
            value is 91 d old; production allows 90 d
            aws-secrets-manager 111122223333/us-east-1
            due 2026-04-30, 1 d late
            required by acme-credential-rotation: production · soc2 CC6.1
            $ aws secretsmanager rotate-secret --secret-id 'arn:aws:secretsmanager:us-east-1:111122223333:secret:production/service-00000/api-key-AbCdEf'

staging  1 high
  HIGH      KA201 old-key-active  staging/service-00001/api-key
            old key still works 128 d after its grace ended
            aws-secrets-manager 111122223333/us-east-1 · team-01@acme.example ·
            version v1
            soc2 CC6.1

development  1 medium
  MEDIUM    KA301 unowned  development/service-00002/api-key
            nobody owns it
            aws-secrets-manager 111122223333/us-east-1 · team-02@acme.example
            soc2 CC6.1

Next
  keyaudit explain KA101                    why it matters and how to mend it
  keyaudit inventory show                   which facts were collected, and
                                            where they are missing
  keyaudit scan --format html --output DIR  every finding, searchable, with
                                            pictures
  keyaudit scan --format pdf --output DIR   the same, to be kept as evidence
"""


def test_the_whole_page() -> None:
    assert render("terminal", large_report(3), group_by="environment").decode() == SMALL


@pytest.mark.parametrize("width", [80, 120, 200])
def test_only_commands_are_wider_than_the_terminal(width: int) -> None:
    for line in render("terminal", large_report(60), width=width).decode().splitlines():
        assert len(line) <= width or line.startswith("            $ ")


def test_without_colour_there_is_no_escape_and_with_it_there_is() -> None:
    report = large_report(5)
    plain, coloured = render("terminal", report), render("terminal", report, colour=True)
    assert b"\x1b" not in plain
    assert b"\x1b[1;31m" in coloured
    assert re.sub(rb"\x1b\[[\d;]*m", b"", coloured).split() == plain.split()


def test_ten_thousand_findings_are_counted_not_listed() -> None:
    text = render("terminal", large_report(10_000, owners=40)).decode()
    assert len(text.splitlines()) < 2000
    shown = len(re.findall(r"^  (?:HIGH|MEDIUM|INFO|UNKNOWN) ", text, re.MULTILINE))
    more = sum(int(n.replace(",", "")) for n in re.findall(r"^  … and ([\d,]+) more", text, re.MULTILINE))
    (rest,) = re.findall(r"more groups with ([\d,]+) findings", text)
    assert shown + more + int(rest.replace(",", "")) == 10_000


def test_names_cannot_drive_the_terminal() -> None:
    content = render("terminal", with_names(large_report(1)), width=200)
    text = content.decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", text)
    for shown in ("\\x1b[31mred", "\\u202egnp.exe", "[red]bold[/red]", "line\\nfeed\\r\\nreturn\\ttab"):
        assert shown in text
    assert len(re.findall(r"^  HIGH ", text, re.MULTILINE)) == len(NAMES)


def test_ascii_only_is_ascii() -> None:
    content = render("terminal", with_names(large_report(1)), ascii_only=True)
    assert content.isascii()
    assert b"\\u65e5\\u672c" in content


@pytest.mark.parametrize(
    ("fail_on", "exit_code", "expected"),
    [
        (Severity.HIGH, 0, "No failure at or above high."),
        (Severity.HIGH, 3, "No failure at or above high. Incomplete: not everything could be seen."),
        (None, 0, "The gate is off; 3 failures listed."),
        (None, 3, "The gate is off; 3 failures listed. Incomplete: not everything could be seen."),
        (Severity.MEDIUM, 1, "Exceptions: 3 failures at or above medium (2 high, 1 medium)."),
    ],
)
def test_the_headline_says_what_the_gate_made_of_it(
    fail_on: Severity | None, exit_code: int, expected: str
) -> None:
    report = large_report(3)
    summary = Summary(report.summary.verdicts, report.summary.by_severity, fail_on, exit_code)
    assert expected in render("terminal", replace(report, summary=summary)).decode().splitlines()

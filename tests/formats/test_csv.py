"""CSV: one row a finding, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from keyaudit.formats import csv_table, render


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


SMALL = (
    "KA101,rotation-overdue,fail,high,policy,aws-secrets-manager,111122223333/us-east-1,arn:aws"
    ":secretsmanager:us-east-1:111122223333:secret:production/service-00000/api-key-AbCdEf,prod"
    "uction/service-00000/api-key,production,,,,value is 91 d old; production allows 90 d,2026-"
    "04-30T00:00:00Z,acme-credential-rotation: production,soc2 CC6.1,,aws secretsmanager rotate"
    "-secret --secret-id 'arn:aws:secretsmanager:us-east-1:111122223333:secret:production/servi"
    'ce-00000/api-key-AbCdEf\',"{""age_basis"": ""version-created"", ""rotation_period"": ""90d"'
    '", ""schedule"": ""production"", ""value_created_at"": ""2026-01-30T00:00:00Z""}",00000000'
    "00000000000000000000000000000000000000000000000000000000"
)


def test_the_whole_row() -> None:
    assert render("csv", large_report(1)).decode().split("\r\n")[1:] == [SMALL, ""]


def test_a_row_has_what_a_ticket_needs() -> None:
    report = large_report(12)
    found = rows(render("csv", report))
    assert len(found) == 12
    first = next(row for row in found if row["environment"] == "production")
    assert first["rule"] == "KA101"
    assert first["severity"] == "high"
    assert first["credential_name"] == "production/service-00000/api-key"
    assert first["due_at"] == "2026-04-30T00:00:00Z"
    assert first["controls"] == "soc2 CC6.1"
    assert json.loads(first["evidence"])["rotation_period"] == "90d"
    assert first["fix"].startswith("aws secretsmanager rotate-secret")


def test_lines_end_as_rfc_4180_says_and_there_is_no_byte_order_mark() -> None:
    content = render("csv", large_report(3))
    assert content.startswith(b"rule,name,")
    assert content.count(b"\r\n") == 4
    assert content.replace(b"\r\n", b"").find(b"\n") == -1


def test_no_cell_begins_a_formula_and_none_breaks_its_row() -> None:
    content = render("csv", with_names(large_report(1)))
    found = rows(content)
    assert len(found) == len(NAMES)
    assert content.count(b"\r\n") == len(NAMES) + 1
    for row in found:
        assert None not in row
        for cell in row.values():
            assert not cell.strip().startswith(("=", "+", "-", "@", "＝"))
            assert not cell.startswith(("\t", "\r"))
            assert len(cell) < 32_767
    assert found[NAMES.index("=HYPERLINK(1)")]["credential_name"] == "'=HYPERLINK(1)"
    assert found[NAMES.index("  =1+1")]["credential_name"] == "'  =1+1"
    assert found[NAMES.index("\u00a0=1+1")]["credential_name"] == "'\u00a0=1+1"
    assert found[NAMES.index("\u200b=1+1")]["credential_name"] == "'\\u200b=1+1"
    assert found[NAMES.index("\u202egnp.exe")]["credential_name"] == "\\u202egnp.exe"


def test_every_credential_of_the_population_has_a_row() -> None:
    found = rows(csv_table.population(large_report(4, credentials=9)))
    assert len(found) == 9
    assert found[1]["rotation_period"] == "90d"
    assert found[1]["rules"] == "KA101"

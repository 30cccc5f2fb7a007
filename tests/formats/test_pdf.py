"""The PDF: what stands on which page, what is attached, and that nothing outside is ever asked."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from keyaudit.formats import pdf_page, render
from keyaudit.formats.shapes import general
from keyaudit.model import Report
from keyaudit.report_document import read


def run(program: str, *arguments: str | Path, content: bytes) -> str:
    """Run a program of poppler or qpdf on a PDF; without it CI fails, elsewhere the test is skipped."""
    if shutil.which(program) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")
    result = subprocess.run([program, *arguments], input=content, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


def pages(content: bytes) -> list[str]:
    return run("pdftotext", "-layout", "-", "-", content=content).removesuffix("\f").split("\f")


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def small() -> Report:
    return large_report(6)


@pytest.fixture(scope="module")
def content(small: Report) -> bytes:
    return render("pdf", small)


NOT_THERE = ("ledger", "sample", "responses", "distribution")
"""Chapters of which this report has nothing."""

COVER = """\
CREDENTIAL ROTATION AUDIT
acme-credential-rotation
as of 2026-05-01T00:00:00Z
Confidential. Evidence produced by the entity's management; not an auditor's opinion.
Exceptions: 3 failures at or above high.
24 6 0 0 0
pass fail unknown not-applicable waived
Verdicts: each rule counts once on each credential, or on each scope, each waiver or the policy where it is about those. Failures: 3
high, 2 medium, 1 info.
What was tested
Population 6 credentials with 12 versions, collected 2026-04-30T23:00:00Z
Scopes 1 complete, 1 failed
Against SOC 2 2017 (2022)
Policy acme-credential-rotation, approved by ciso@x.example, reviewed 2026-05-01, SHA-256
bbbbbbbbbbbbbbbb
What was not tested
vault kv/payments could not be read: permission denied (403)
KA401 unused not tested where last_used_at was not collected
"""


def test_page_one_says_what_was_tested_and_what_was_not(content: bytes) -> None:
    (cover, *_) = pages(content)
    lines = [words(line) for line in cover.splitlines() if line.strip()]
    assert "\n".join(lines[:-2]) + "\n" == COVER
    assert re.fullmatch(r"Document [0-9a-f]{16} · as of 2026-05-01T00:00:00Z · keyaudit 0\.1\.0", lines[-2])


def test_every_page_has_its_number_the_document_id_and_its_section(content: bytes, small: Report) -> None:
    found = pages(content)
    document_id = json.loads(render("json", small))["sha256"]
    for number, page in enumerate(found, 1):
        assert f"page {number} of {len(found)}" in page
        assert f"Document {document_id[:16]} · as of 2026-05-01T00:00:00Z" in page
    assert "6. Findings" in next(
        page for page in found if "KA101 rotation-overdue" in page and "Remediation" in page
    )


def test_the_contents_name_the_page_of_every_chapter(content: bytes) -> None:
    found = pages(content)
    titles = [chapter.title for chapter in general.PAPER if chapter.name not in NOT_THERE]
    for number, title in enumerate(titles, 1):
        match = re.search(rf"^\s*{number}\. {re.escape(title)}[ .]*(\d+)$", found[1], re.MULTILINE)
        assert match is not None
        assert f"{number}. {title}" in found[int(match[1]) - 1]


def test_a_finding_has_condition_criteria_evidence_cause_and_fix(content: bytes) -> None:
    text = "".join("".join(pages(content)).split())
    for part in (
        "#1 development/service-00005/api-key HIGH Condition value is 276 d old; development allows 180 d",
        "Id arn:aws:secretsmanager:us-east-1:111122223333:secret:development/service-00005/api-key-AbCdEf",
        "Due 2026-01-25, 96 d late",
        "Criteria acme-credential-rotation: production; soc2 CC6.1",
        "Evidence value_created_at 2025-07-29T00:00:00Z; age_basis version-created; rotation_period 180d",
        "Fix aws secretsmanager rotate-secret --secret-id",
        "Cause Metadata shows that, not why",
        "Effect A value that is never replaced stays good for whoever copied it.",
        "Remediation Rotate it, then: • check last_used_at • revoke the old one",
    ):
        assert "".join(part.split()) in text


def test_it_never_calls_anything_compliant(content: bytes) -> None:
    assert not re.search(r"\bcompliant\b", "\n".join(pages(content)), re.IGNORECASE)


def test_the_report_and_the_population_are_attached_as_data(content: bytes, small: Report) -> None:
    with pikepdf.open(io.BytesIO(content)) as pdf:
        files = {name: attached.get_file().read_bytes() for name, attached in pdf.attachments.items()}
        relationships = {str(each.AFRelationship) for each in pdf.Root.AF}
    assert sorted(files) == ["population.csv", "report.json"]
    assert relationships == {"/Data"}
    assert files["report.json"] == render("json", small)
    assert read(files["report.json"]) == small
    assert len(list(csv.reader(io.StringIO(files["population.csv"].decode())))) == 7
    text = "".join("".join(pages(content)).split())
    for attached in files.values():
        assert hashlib.sha256(attached).hexdigest() in text


def test_it_is_tagged_pdf_a_3_with_bookmarks_and_words_for_pictures(content: bytes) -> None:
    with pikepdf.open(io.BytesIO(content)) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "3A"
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
        assert [item.title for item in pdf.open_outline().root][:3] == [
            "Contents", "1. Summary", "2. Scope, and what was not tested",
        ]  # fmt: skip
        figures = [node for node in _nodes(pdf.Root.StructTreeRoot) if node.get("/S") == "/Figure"]
        assert [bool(str(figure.get("/Alt", ""))) for figure in figures] == [True, True, True]
        assert pdf.check_pdf_syntax() == []


def _nodes(node: Any) -> list[Any]:
    if isinstance(node, pikepdf.Array):
        return [found for child in node for found in _nodes(child)]
    if isinstance(node, pikepdf.Dictionary):
        return [node, *(_nodes(node.K) if "/K" in node else [])]
    return []


def test_qpdf_finds_nothing_wrong(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(content)
    assert "No syntax or stream encoding errors found" in run(
        "qpdf", "--check", tmp_path / "report.pdf", content=b""
    )


@pytest.fixture
def listener():
    """A server on this machine that remembers whether anybody asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_no_name_makes_it_open_an_address(listener: tuple[str, list[str]], small: Report) -> None:
    address, asked = listener
    names = tuple(
        name.format(address)
        for address in (address, "file:///etc/hostname")
        for name in (
            "<img src={0}/1>",
            "<link rel=stylesheet href={0}/2>",
            "<style>@import url({0}/3)</style>",
            '" style="background:url({0}/4)',
            "<object data={0}/5></object>",
            "<svg><image href={0}/6 /></svg>",
            "<a rel=attachment href={0}/7>x</a>",
        )
    )
    report = with_names(small, names)
    rules = tuple(
        replace(rule, why="\n\n".join(names), remediation=names[0], title=names[1]) for rule in report.rules
    )
    text = "\n".join(pages(render("pdf", replace(report, rules=rules), entity=names[0], marking=names[2])))
    assert asked == []
    assert f"<img src={address}/1>" in words(text)
    assert "<style>@import url(file:///etc/hostname/3)</style>" in words(text)


def test_hostile_names_are_printed_as_they_are(small: Report) -> None:
    html = pdf_page.page(with_names(small), "0" * 64, (), entity=None, marking="")
    assert "<script" not in html
    assert "<img" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    text = words("\n".join(pages(render("pdf", with_names(small)))))
    for name in (
        "<script>alert(1)</script>",
        "</table></body>",
        "{{ 7*7 }} {% raw %} ${x}",
        "\\x1b[31mred",
        "\\u202egnp.exe",
    ):
        assert name in text
    assert text.count(" Condition ") == len(NAMES)


def test_more_scopes_and_waivers_than_anybody_reads_are_counted(small: Report) -> None:
    read_to_the_end, failed = small.coverage
    many = replace(small, coverage=(read_to_the_end,) * 500 + (failed,), waivers=small.waivers * 500)
    html = pdf_page.page(many, "0" * 64, (), entity=None, marking="")
    assert html.count("<b>complete</b>") == pdf_page.MOST_LISTED - 1
    assert html.count("<b>failed</b>") == 1
    assert "… and 301 more scopes" in html
    assert "… and 300 more waivers" in html


def test_the_same_report_gives_the_same_bytes_in_another_process_zone_and_hash(content: bytes) -> None:
    program = (
        "import sys\nfrom formats.large_report import large_report\nfrom keyaudit.formats import render\n"
        "sys.stdout.buffer.write(render('pdf', large_report(6)))\n"
    )
    surroundings = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": str(Path(__file__).parents[1])}
    result = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **surroundings}, capture_output=True, check=True
    )
    assert result.stdout == content


def test_ten_thousand_findings_stay_a_document_that_is_read() -> None:
    report = large_report(10_000)
    printed = pages(render("pdf", report))
    assert len(printed) <= 60
    text = words("\n".join(printed))
    hidden = sum(int(n.replace(",", "")) for n in re.findall(r"… and ([\d,]+) more findings of", text))
    assert f"{hidden:,} of 10,000 findings are not printed" in text
    assert hidden == 10_000 - len(set(re.findall(r"#([\d,]+) (?:production|staging|development)/", text)))


@pytest.mark.parametrize(
    ("raised", "message", "hint"),
    [
        (
            "ImportError('no')",
            "the PDF report needs an extra that is not installed",
            "pip install 'keyaudit[pdf]'",
        ),
        (
            "OSError('cannot load library libpango-1.0-0\\nmore')",
            "the PDF report needs Pango: cannot load library libpango-1.0-0",
            "apt-get install libpango-1.0-0",
        ),
    ],
)
def test_what_is_missing_is_one_line_and_what_to_install(
    tmp_path: Path, raised: str, message: str, hint: str
) -> None:
    (tmp_path / "weasyprint.py").write_text(f"raise {raised}\n", "utf-8")
    program = (
        "from formats.large_report import large_report\n"
        "from keyaudit.errors import KeyauditError\n"
        "from keyaudit.formats import render\n"
        "try:\n    render('pdf', large_report(1))\n"
        "except KeyauditError as error:\n    print(error.exit_code, error, error.hint, sep='\\n')\n"
    )
    root = Path(__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(root)])},
        capture_output=True,
        text=True,
        check=True,
    )
    code, said, install = result.stdout.splitlines()
    assert (code, said) == ("2", message)
    assert install.startswith(hint)

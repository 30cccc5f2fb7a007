"""Shapes of reports: whose order, whose words, and that none of them says more than the evidence does."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit.cli.options import SHAPES as OFFERED
from keyaudit.errors import UsageError
from keyaudit.formats import evidence_index, render, shaping
from keyaudit.formats.logo import Logo
from keyaudit.formats.presentation import Person, Presentation, from_data, to_data
from keyaudit.formats.responses import Response, Responses
from keyaudit.formats.shapes import SHAPES
from keyaudit.formats.verification_steps import Evidence
from keyaudit.formats.wording import RESULTS
from keyaudit.model import ControlRef, FrameworkResult, Report

NAMED = {
    "soc2": FrameworkResult("soc2", "SOC 2", "2017 (2022)", "AICPA", "Criteria.", "c" * 64),
    "pci-dss": FrameworkResult("pci-dss", "PCI DSS", "4.0.1", "PCI SSC", "Requirements.", "d" * 64),
    "hipaa": FrameworkResult("hipaa", "HIPAA Security Rule", "2013", "HHS", "Standards.", "e" * 64),
    "iso27001": FrameworkResult("iso27001", "ISO/IEC 27001", "2022", "ISO", "Clauses.", "f" * 64),
}
POSITIVE = ("exception", "conform", "in place", "deviation", "nonconform", "compliant", "effective", "met")
"""A word for what nobody tested, or what does not apply, may have none of these in it, not even negated."""
LOGO = Logo("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>')
RESPONSES = Responses((
    Response(None, "rotation-overdue", (), "We rotate it in June.", "app@x.example", "2026-06-30", "planned"),
    Response("0" * 8, None, (), "Done long ago.", "app@x.example", None, "done"),
))  # fmt: skip
PRESENTED = Presentation(
    logo=LOGO,
    distribution=("Acme management", "Example Auditors LLP"),
    prepared_by=Person("Ada Example", "platform security", "2026-05-04"),
    responses=RESPONSES,
)
BUNDLE = Evidence("2026-05.zip", "ed25519", "a" * 64, inputs=(("inputs/policy.yaml", "b" * 64),))


def asked(shape: str, findings: int = 6) -> Report:
    """A report for one framework and SOC 2 beside it, with a control of every result."""
    report = large_report(findings)
    (control, *_) = report.controls
    name = SHAPES[shape].framework or "soc2"
    modality = next(iter(SHAPES[shape].modalities or {"required": ""}))
    controls = tuple(
        replace(control, framework=name, id=f"C-{result}", result=result, modality=modality)
        for result in RESULTS
    )
    others = tuple(replace(control, framework="other", id="X-1") for _ in range(1))
    ref = ControlRef(name, "C-exception")
    findings_of = tuple(
        replace(each, controls=(ref,) if each.rule == "KA101" else ()) for each in report.findings
    )
    other = FrameworkResult("other", "Another Framework", "1", "Nobody", "Other.", "9" * 64)
    return replace(report, frameworks=(NAMED[name], other), controls=controls + others, findings=findings_of)


def words(text: str) -> str:
    return " ".join(text.split())


def paper(report: Report, presentation: Presentation, evidence: Evidence | None = None) -> tuple[bytes, str]:
    content = render("pdf", report, presentation=presentation, evidence=evidence)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True)
    return content, done.stdout.decode()


def test_the_command_line_offers_what_there_is() -> None:
    assert tuple(SHAPES) == OFFERED


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_shape_has_every_word_and_every_chapter_once(shape) -> None:
    assert list(shape.words) == list(RESULTS)
    assert len({word.word for word in shape.words.values()}) == len(RESULTS)
    for chapters in (shape.paper, shape.screen):
        names = [chapter.name for chapter in chapters]
        assert len(names) == len(set(names))
    needed = {"summary", "scope", "method", "criteria", "controls", "findings", "ledger", "sample", "waivers"}
    needed |= {"population", "rules", "limits", "evidence", "responses", "distribution", "sign-off"}
    assert needed <= {chapter.name for chapter in shape.paper}
    assert ("identification" in {chapter.name for chapter in shape.paper}) == bool(shape.identification)
    assert {name for _, name in shape.control} <= set(shaping.SAYS)
    assert {name for _, name in shape.identification} <= set(shaping.IDENTIFIES)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_is_not_known_has_no_positive_word(shape) -> None:
    for result in ("not-evaluated", "supporting-only"):
        said = shape.words[result].word.lower()
        assert not any(word in said.split() or said.startswith(word) for word in POSITIVE), said
    said = " ".join(word.word + word.meaning for word in shape.words.values()).lower()
    assert not re.search(r"\bcompliant\b|\bcertif", said)


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "general"])
def test_paper_has_the_chapters_the_words_and_the_limits_of_its_reader(name: str) -> None:
    shape, report = SHAPES[name], asked(name)
    _, text = paper(report, replace(PRESENTED, shape=name))
    text = words(text)
    contents = shaping.shaped(report, replace(PRESENTED, shape=name)).contents(screen=False, file="{name}")
    for part in contents.parts:
        assert f"{part.number}. {part.title}" in text
    for word in shape.words.values():
        assert word.word.lower() in text.lower()
    for said in (shape.disclaimer, *shape.preamble, *shape.limits):
        assert words(said) in text
    for label, _ in (*shape.control, *shape.identification):
        assert label in text
    assert "C-exception" in text
    assert "X-1" not in text
    assert "the controls of Another Framework 1" in text
    assert not re.search(r"\bcompliant\b", text, re.IGNORECASE)


@pytest.mark.parametrize("name", SHAPES)
def test_a_page_has_the_sections_and_the_words_of_its_reader(name: str) -> None:
    shape, report = SHAPES[name], asked(name)
    page = render("html", report, presentation=replace(PRESENTED, shape=name), evidence=BUNDLE).decode()
    seen = shaping.shaped(report, replace(PRESENTED, shape=name), BUNDLE)
    parts = seen.contents(screen=True, file="{name}.html").parts
    assert re.findall(r'<section id="([a-z-]+)"', page) == [part.name for part in parts]
    assert re.findall(r'<li><a href="#([a-z-]+)">', page)[: len(parts)] == [part.name for part in parts]
    for word in shape.words.values():
        assert word.word in page
    assert ("C-exception" in page, ">X-1<" in page) == (True, name == "general")
    assert "openssl pkeyutl -verify" in page
    assert "Restricted to Acme management; Example Auditors LLP." in page


def test_findings_of_the_framework_come_before_what_no_control_rests_on() -> None:
    _, text = paper(asked("soc2"), Presentation(shape="soc2"))
    found = words(text)
    other = found.index("Other observations: no control of SOC 2 rests on them")
    assert found.rindex("KA101 rotation-overdue Severity") < other < found.rindex("KA301 unowned Severity")


def test_iso_prescribes_neither_cause_nor_cure() -> None:
    report = asked("iso27001")
    fix = next(finding.fix for finding in report.findings if finding.fix)
    for shape, told in (("general", True), ("iso27001", False)):
        _, text = paper(report, Presentation(shape=shape))
        page = render("html", report, presentation=Presentation(shape=shape)).decode()
        assert ("Remediation" in text) is told
        assert ("Metadata shows that, not why" in words(text)) is told
        assert ("rotate-secret" in text) is told
        assert (fix in page) is told


def test_a_requirement_cites_its_evidence_by_the_numbers_of_the_index() -> None:
    report = asked("pci-dss")
    mine = [row[0] for row in evidence_index.rows(report) if row[2] == "C-exception"]
    content, text = paper(report, Presentation(shape="pci-dss"))
    assert f"{mine[0]}–{mine[-1]}" in words(text)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        attached = pdf.attachments["evidence.csv"].get_file().read_bytes()
    assert attached == render("evidence-index", report)
    listed = re.findall(r"^\s*(E\d{6})\s", text, re.MULTILINE)
    assert listed == sorted(listed)
    assert listed[0] == "E000001"


def test_hipaa_says_until_when_it_is_kept_and_what_addressable_means() -> None:
    report = asked("hipaa")
    addressable = tuple(replace(control, modality="addressable") for control in report.controls)
    _, text = paper(replace(report, controls=addressable), Presentation(shape="hipaa"))
    assert "not to be discarded before 2032-05-01" in words(text)
    assert "equivalent measure taken instead, are documented (164.306(d)(3))" in words(text)
    assert shaping._years_after(1_835_395_200_000_000, 6) == "2034-03-01"  # 29 February 2028


def test_responses_stand_beside_what_they_answer_and_say_where_they_answer_nothing() -> None:
    report = asked("general")
    _, text = paper(report, PRESENTED)
    assert "Response We rotate it in June. app@x.example, planned, due 2026-06-30" in words(text)
    answered = sum(finding.rule == "KA101" for finding in report.findings)
    assert re.search(rf"rotation-overdue\s+{answered}\s+We rotate it in June", text)
    assert re.search(r"finding 00000000\s+none here\s+Done long ago", text)
    page = render("html", report, presentation=PRESENTED).decode()
    assert "We rotate it in June. (app@x.example, planned, due 2026-06-30)" in page


def test_who_signs_and_for_whom_it_is_stands_on_paper() -> None:
    _, text = paper(asked("general"), PRESENTED)
    assert "Restricted to Acme management; Example Auditors LLP." in words(text)
    assert re.search(r"Ada Example, platform security\s+Signature\s+2026-05-04", text)
    assert "Name and role" in text  # nobody reviewed it yet


def test_the_manifest_of_inputs_and_the_steps_are_in_the_pdf_of_a_bundle() -> None:
    content, text = paper(asked("general"), Presentation(), BUNDLE)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        files = {name: each.get_file().read_bytes() for name, each in pdf.attachments.items()}
        assert {str(each.AFRelationship) for each in pdf.Root.AF} == {"/Data"}
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "3A"
    assert json.loads(files["manifest.json"]) == {
        "bundle": "2026-05.zip",
        "inputs": [{"name": "inputs/policy.yaml", "sha256": "b" * 64}],
        "key_id": "a" * 64,
        "signer": "ed25519",
    }
    assert "openssl pkeyutl -verify" in text
    alone, _ = paper(asked("general"), Presentation())
    with pikepdf.open(io.BytesIO(alone)) as pdf:
        assert "manifest.json" not in pdf.attachments


def test_the_ledger_is_in_the_pdf_of_a_period() -> None:
    report = sample_report()
    assert report.ledger is not None
    content, _ = paper(report, Presentation())
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert pdf.attachments["ledger.csv"].get_file().read_bytes() == render("ledger", report)


@pytest.mark.parametrize(
    ("shape", "frameworks", "said", "hint"),
    [
        ("pci-dss", ["soc2"], "the shape pci-dss is for the framework pci-dss", "--framework pci-dss, or"),
        ("soc", ["soc2"], "no shape is called 'soc'", "did you mean 'soc2'?"),
        ("zzz", [], "no shape is called 'zzz'", "shapes are general, soc2"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(
    shape: str, frameworks: list[str], said: str, hint: str
) -> None:
    with pytest.raises(UsageError) as refused:
        shaping.shape_of(shape, frameworks)
    assert str(refused.value).startswith(said)
    assert str(refused.value.hint).startswith(hint)


@pytest.mark.parametrize("name", ["html", "pdf"])
def test_the_same_presentation_gives_the_same_bytes_also_after_a_journey_as_data(name: str) -> None:
    report = asked("soc2")
    presented = replace(PRESENTED, shape="soc2")
    again = from_data(json.loads(json.dumps(to_data(presented))))
    assert again == presented
    made = [render(name, report, presentation=each, evidence=BUNDLE) for each in (presented, again)]
    assert made[0] == made[1]


def test_ten_thousand_findings_stay_a_document_in_another_shape(tmp_path: Path) -> None:
    content, text = paper(asked("pci-dss", 10_000), Presentation(shape="pci-dss"))
    assert text.count("\f") <= 75
    (tmp_path / "report.pdf").write_bytes(content)
    assert re.search(r"[\d,]+ of 10,000 findings are not printed", words(text))

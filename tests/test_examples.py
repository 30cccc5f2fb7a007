"""Everything that READMEs and reports/ show is what the program does today. `make reports` makes it anew."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import fields
from pathlib import Path

import pytest

from gallery import AS_OF, AT, REPORTS, make
from keyaudit.model import WaiverResult
from transcripts import EXAMPLES, READMES, ROOT, keyaudit, refreshed

ENDINGS = {
    "01-first-audit": 1,
    "02-policy-as-code": 1,
    "03-incomplete-view": 3,
    "04-hand-written": 0,
    "12-period-audit": 1,
}
WAIVER = {field.name for field in fields(WaiverResult)}
README_REPORT = (
    (ROOT / "README.md").read_text("utf-8").partition("### The report document")[2].partition("\n## ")[0]
)
TEXTS = (
    "report.txt",
    "report.json",
    "report.csv",
    "report.md",
    "report.html",
    "report.sarif",
    "report.junit.xml",
    "report.github.txt",
    "gl-code-quality-report.json",
    "report.ocsf.ndjson",
    "report.oscal.json",
    "report.asff.ndjson",
    "report.evidence.csv",
)
OF_PERIODS = ["ledger.csv", "sample.csv"]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_readme_shows_is_what_happens(readme: Path, tmp_path: Path) -> None:
    assert refreshed(readme, tmp_path) == readme.read_text("utf-8")


def test_the_first_minute_ends_clean_once_the_key_is_rotated(tmp_path: Path) -> None:
    """The README promises it beside its inventory."""
    refreshed(ROOT / "README.md", tmp_path)
    inventory = tmp_path / "inventory.yaml"
    text = inventory.read_text("utf-8")
    assert text.count("created_at: 2025-12-01T00:00:00Z") == 1
    inventory.write_text(
        text.replace("created_at: 2025-12-01T00:00:00Z", "created_at: 2026-04-30T00:00:00Z"), "utf-8"
    )
    done = keyaudit(["scan", "--inventory", "inventory.yaml", "--as-of", AS_OF], tmp_path)
    assert done.returncode == 0, done.stdout.decode()


def test_the_keys_of_the_report_that_the_readme_explains_are_there(tmp_path: Path) -> None:
    refreshed(ROOT / "README.md", tmp_path)
    scan = [
        "scan",
        "--inventory",
        "inventory.yaml",
        "--framework",
        "soc2",
        "--as-of",
        AS_OF,
        "--period",
        "2026-01-01/2026-04-30",
        "--format",
        "json",
    ]
    document = json.loads(keyaudit(scan, tmp_path).stdout)
    document["waivers"] = [dict.fromkeys(WAIVER)]
    explained, noun = 0, ""
    for name, keys in re.findall(r"^\| ?(`[a-z.]+(?:\[\])?`)? \| ([^|]+) \|", README_REPORT, re.MULTILINE):
        noun = name.strip("`").removesuffix("[]") or noun
        row = document
        for step in noun.split("."):
            row = row[step][0] if isinstance(row[step], list) else row[step]
        for key in re.findall(r"`([a-z_]+)(?:\[\])?`", keys):
            assert key in row, f"{noun}.{key}"
            explained += 1
    assert explained > 25


def test_the_header_that_the_readme_shows_is_one(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (header,) = re.findall(r"```yaml\n(schema: keyaudit/inventory/1\ncollected_at:.*?)```", text, re.DOTALL)
    (tmp_path / "i.yaml").write_text(f"{header}credentials: []\n", "utf-8")
    done = keyaudit(["inventory", "validate", "i.yaml"], tmp_path)
    assert (done.returncode, done.stdout) == (0, b"valid: 0 credentials, 0 versions\n"), done.stderr


@pytest.mark.parametrize(
    ("framework", "words"),
    [
        ("pci-dss", ("labels.mfa", "labels.customer_user")),
        ("cis-aws", ("source: aws-iam", "source: aws-kms")),
        ("cis-gcp", ("source: gcp-iam", "source: gcp-kms", "source: gcp-api-keys")),
    ],
)
def test_the_words_that_the_readme_gives_for_controls_are_what_they_go_by(framework, words) -> None:
    text = (ROOT / "policies" / "frameworks" / f"{framework}.yaml").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    for word in words:
        assert word in text
        assert word.split(".")[-1].split(" ")[-1] in readme


def test_every_example_is_in_the_gallery() -> None:
    assert [example.name for example in EXAMPLES] == list(ENDINGS)
    assert sorted(folder.name for folder in REPORTS.iterdir() if folder.is_dir()) == list(ENDINGS)


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.name)
def made(request, tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("reports")
    assert make(request.param, folder) == ENDINGS[request.param.name]
    return folder, REPORTS / request.param.name


def test_the_gallery_is_byte_for_byte_what_is_made_today(made: tuple[Path, Path]) -> None:
    folder, kept = made
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in kept.iterdir())
    others = OF_PERIODS if kept.name in AT else []
    for name in (*TEXTS, *others):
        assert (folder / name).read_bytes() == (kept / name).read_bytes(), (
            f"{name}: make reports, then look at the difference"
        )


def test_the_workbook_of_the_gallery_says_what_is_made_today(made: tuple[Path, Path]) -> None:
    """Its parts are compared unpacked: another zlib may pack them otherwise."""
    folder, kept = made
    today, before = (parts(where / "report.xlsx") for where in (folder, kept))
    assert list(today) == list(before)
    assert [name for name in today if today[name] != before[name]] == []


def parts(workbook: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(workbook) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils")
def test_the_pdf_of_the_gallery_says_what_is_made_today(made: tuple[Path, Path]) -> None:
    folder, kept = made
    assert words(folder / "report.pdf") == words(kept / "report.pdf")
    assert pages(folder / "report.pdf") == pages(kept / "report.pdf")


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="needs poppler-utils")
def test_the_pages_of_the_gallery_look_as_they_do_today(made: tuple[Path, Path], tmp_path: Path) -> None:
    """Small grey pictures of the pages differ by a hair at most: another build of a font is no difference."""
    folder, kept = made
    today, before = (
        pictures(where / "report.pdf", tmp_path / name) for where, name in ((folder, "a"), (kept, "b"))
    )
    assert len(today) == len(before)
    for number, (one, other) in enumerate(zip(today, before, strict=True), start=1):
        assert len(one) == len(other)
        apart = sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
        assert apart < 2, f"page {number} looks different: make reports, then look at it"


def pictures(pdf: Path, folder: Path) -> list[bytes]:
    folder.mkdir()
    subprocess.run(["pdftoppm", "-r", "24", "-gray", pdf, folder / "page"], check=True)
    return [picture.read_bytes() for picture in sorted(folder.iterdir())]


def words(pdf: Path) -> list[str]:
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True).stdout.decode()
    return text.split()


def pages(pdf: Path) -> int:
    said = subprocess.run(["pdfinfo", pdf], capture_output=True, check=True).stdout.decode()
    found = re.search(r"^Pages:\s+(\d+)$", said, re.MULTILINE)
    assert found
    return int(found[1])

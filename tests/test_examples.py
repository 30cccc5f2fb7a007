"""Everything that READMEs and reports/ show is what the program does today. `make reports` makes it anew."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gallery import AS_OF, REPORTS, make
from transcripts import EXAMPLES, READMES, ROOT, keyaudit, refreshed

ENDINGS = {"01-first-audit": 1, "02-policy-as-code": 1, "03-incomplete-view": 3, "04-hand-written": 0}
TEXTS = ("report.txt", "report.json", "report.csv", "report.md", "report.html")


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
    for name in TEXTS:
        assert (folder / name).read_bytes() == (kept / name).read_bytes(), (
            f"{name}: make reports, then look at the difference"
        )


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

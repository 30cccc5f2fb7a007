"""The built wheel in a bare environment: everything but the PDF and the workbook works, and those say what they need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from keyaudit.formats import FORMATS
from transcripts import ROOT, surroundings

UV = os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
EXAMPLE = ROOT / "examples" / "01-first-audit"
SCAN = ("scan", "--config", str(EXAMPLE / "keyaudit.yaml"), "--as-of", "2026-05-01T00:00:00Z")


def uv(*arguments: str | Path) -> None:
    done = subprocess.run(
        [Path(UV).absolute(), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--wheel", "--out-dir", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel, tmp_path_factory) -> Path:
    """An environment that holds the wheel and what the base install needs, no extra."""
    bare = tmp_path_factory.mktemp("bare")
    uv("venv", "--quiet", "--python", sys.executable, bare / "venv")
    uv("pip", "install", "--quiet", "--python", bare / "venv" / "bin" / "python", wheel)
    return bare / "venv" / "bin" / "keyaudit"


def run(
    program: Path, cwd: Path, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**surroundings(), **environment},
    )


def test_the_wheel_holds_policies_frameworks_templates_and_the_licence(wheel) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {f"keyaudit/{path.relative_to(ROOT)}" for path in (ROOT / "policies").rglob("*.yaml")}
    templates = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "keyaudit").rglob("*")
        if "templates" in path.parts and path.is_file()
    }
    assert shipped
    assert templates
    assert {*shipped, *templates, "keyaudit/py.typed"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "examples/", "reports/"))]


def test_the_base_install_writes_every_format_but_pdf_and_xlsx(program, tmp_path) -> None:
    named = ("json", "html", "csv", "markdown", "terminal", "sarif", "junit", "gitlab", "github")
    named += ("ocsf", "oscal", "asff", "evidence-index")
    wanted = [part for name in named for part in ("--format", name)]
    done = run(program, tmp_path, *SCAN, *wanted, "--anchor", "policy.yaml", "--output", tmp_path / "out")
    assert done.returncode == 1, done.stderr
    written = {path.name: path.stat().st_size for path in (tmp_path / "out").iterdir()}
    assert set(written) == {FORMATS[name].file for name in named}
    assert min(written.values()) > 1000


def test_the_same_bytes_come_from_the_wheel_and_from_the_checkout(program, tmp_path, keyaudit) -> None:
    arguments = (*SCAN, "--format", "json", "--output", "-")
    assert run(program, tmp_path, *arguments).stdout.encode() == keyaudit(*arguments).stdout


EXTRAS = {
    "pdf": (*SCAN, "--format", "pdf", "--output", "out"),
    "xlsx": (*SCAN, "--format", "xlsx", "--output", "out"),
    "duckdb": (*SCAN, "--engine", "duckdb"),
}
SOURCES = """\
sources:
  - {name: aws, kind: aws-secrets-manager, regions: [eu-west-1]}
  - {name: gcp, kind: gcp-secret-manager, projects: [acme-prod]}
  - {name: vault, kind: vault, address: 'https://vault.example'}
  - {name: openai, kind: openai}
  - {name: anthropic, kind: anthropic}
"""
NOBODYS = {
    "VAULT_TOKEN": "nobodys",
    "OPENAI_ADMIN_KEY": "nobodys",
    "ANTHROPIC_ADMIN_KEY": "nobodys",
}


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_extra_is_one_line_that_says_which(program, tmp_path, extra) -> None:
    done = run(program, tmp_path, *EXTRAS[extra])
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[1:] == [f"hint: pip install 'keyaudit[{extra}]'"]
    assert not list((tmp_path / "out").glob("*")) if extra in {"pdf", "xlsx"} else True


@pytest.mark.parametrize("family", ["aws", "gcp", "vault", "openai", "anthropic"])
@pytest.mark.parametrize("command", [("scan",), ("inventory", "pull")])
def test_a_source_whose_client_is_not_installed_says_which_extra_brings_it(
    program, tmp_path, command, family
) -> None:
    (tmp_path / "keyaudit.yaml").write_text(SOURCES)
    done = run(program, tmp_path, *command, "--source", family, **NOBODYS)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1:] == [f"hint: pip install 'keyaudit[{family}]'"]


def test_kinds_and_their_policies_need_no_client(program, tmp_path) -> None:
    (tmp_path / "keyaudit.yaml").write_text(SOURCES)
    listed = run(program, tmp_path, "sources", "list", "--format", "json")
    assert listed.returncode == 0, listed.stderr
    kinds = {row["kind"]: row["extra"] for row in json.loads(listed.stdout)}
    assert set(kinds.values()) == {"aws", "gcp", "vault", "openai", "anthropic"}
    for kind in kinds:
        printed = run(program, tmp_path, "sources", "policy", kind)
        assert (printed.returncode, bool(printed.stdout.strip())) == (0, True), printed.stderr

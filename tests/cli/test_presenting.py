"""Shape, names, logo, responses and templates: from keyaudit.yaml, from options, refused before any work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.test_security_hub import AS_OF, INVENTORY

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>'
SETTINGS = """\
inventory: [i.json]
frameworks: [soc2, pci-dss]
report:
  entity: Acme
  shape: soc2
  logo: brand/logo.svg
  responses: responses.yaml
  templates: own
  distribution: [Acme management, Auditors]
  prepared_by: {name: Ada, role: security, date: 2026-05-04}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "i.json").write_text(json.dumps(INVENTORY), "utf-8")
    (tmp_path / "keyaudit.yaml").write_text(SETTINGS, "utf-8")
    (tmp_path / "brand").mkdir()
    (tmp_path / "brand" / "logo.svg").write_text(LOGO, "utf-8")
    (tmp_path / "responses.yaml").write_text(
        "responses:\n  - {rule: never-rotated, response: In June., owner: app, status: planned}\n", "utf-8"
    )
    (tmp_path / "own" / "html").mkdir(parents=True)
    (tmp_path / "own" / "html" / "method.html").write_text("<p>Method of Acme</p>", "utf-8")
    return tmp_path


def test_keyaudit_yaml_says_how_a_report_is_presented(folder: Path, command) -> None:
    page = command("scan", *AS_OF, "--format", "html").stdout.decode()
    for part in (
        "Material for sections 4 and 5 of a SOC 2 report",
        '<img class="logo" src="data:image/svg+xml;base64,',
        "Restricted to Acme management; Auditors.",
        "Ada, security, 2026-05-04",
        "In June. (app, planned)",
        "<p>Method of Acme</p>",
    ):
        assert part in page


def test_a_saved_report_takes_the_same_options_and_they_overrule(folder: Path, command) -> None:
    command("scan", *AS_OF, "--format", "json", "--output", "out")
    (folder / "none.yaml").write_text(
        "responses:\n  - {finding: abc, response: Gone., owner: app, status: done}\n", "utf-8"
    )
    printed = command(
        "report", "out/report.json", "--format", "html", "--shape", "pci-dss", "--responses", "none.yaml"
    )
    page = printed.stdout.decode()
    assert printed.returncode == 1
    assert "Evidence for a PCI DSS assessment" in page
    assert "finding abc" in page
    assert "none here" in page
    assert "In June." not in page


def test_the_same_options_give_the_same_bytes(folder: Path, command) -> None:
    made = [command("scan", *AS_OF, "--format", "html").stdout for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--shape", "hipaa"), "the shape hipaa is for the framework hipaa, which was not asked for"),
        (("--responses", "gone.yaml"), "gone.yaml: No such file or directory"),
        (("--responses", "i.json"), "i.json:1:2: schema: unknown setting"),
        (("--templates", "gone"), "gone: no such folder"),
        (("--templates", "brand"), "brand/logo.svg: replaces no template of keyaudit"),
    ],
)
def test_what_cannot_be_presented_is_refused_before_any_work(
    folder: Path, command, arguments: tuple[str, ...], said: str
) -> None:
    done = command("scan", *AS_OF, "--format", "html", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()


def test_a_logo_that_could_do_more_than_draw_is_refused(folder: Path, command) -> None:
    (folder / "brand" / "logo.svg").write_text(LOGO.replace("<path", "<script/><path"), "utf-8")
    done = command("scan", *AS_OF, "--format", "html")
    assert done.returncode == 2
    assert "brand/logo.svg: has an element 'script' that a logo needs not" in done.stderr.decode()


def test_a_template_that_cannot_be_filled_is_an_input_error_with_its_line(folder: Path, command) -> None:
    (folder / "own" / "html" / "method.html").write_text("<p>\n{{ report.nme }}", "utf-8")
    done = command("scan", *AS_OF, "--format", "html")
    assert done.returncode == 2
    assert "own/html/method.html:2: " in done.stderr.decode()


def test_a_link_in_the_folder_of_templates_is_not_followed(folder: Path, command) -> None:
    (folder / "secret.html").write_text("<p>elsewhere</p>", "utf-8")
    (folder / "own" / "html" / "rules.html").symlink_to(folder / "secret.html")
    page = command("scan", *AS_OF, "--format", "html").stdout.decode()
    assert "elsewhere" not in page
    assert "Method of Acme" in page


def test_a_format_without_a_shape_asks_for_no_framework(folder: Path, command) -> None:
    assert command("scan", *AS_OF, "--shape", "hipaa", "--format", "json").returncode == 1

"""What is not written: a bundle that would not come to the same again, or of inputs that changed meanwhile."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from keyaudit import inventory
from keyaudit.audit import audit
from keyaudit.errors import KeyauditError, UsageError
from keyaudit.evidence.collecting import Material
from keyaudit.evidence.governing import governing
from keyaudit.evidence.statement import Made
from keyaudit.evidence.writing import write
from keyaudit.model import Report, Severity
from keyaudit.policy.frameworks import file_of
from keyaudit.times import DAY, parse_instant

AS_OF = parse_instant("2026-05-01T00:00:00Z")
MADE = Made(("scan",), None, AS_OF)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    first = Path(__file__).parents[2] / "examples" / "01-first-audit"
    return Path(shutil.copytree(first, tmp_path / "audit"))


@pytest.fixture
def audited(folder: Path) -> tuple[Material, Report]:
    documents = [str(folder / "inventory" / name) for name in ("aws.yaml", "gcp.yaml")]
    part = inventory.read(documents)
    policy, frameworks = governing(folder / "policy.yaml", ["soc2"])
    material = Material(
        documents, [part], ["the documents"], (), policy, frameworks, [file_of("soc2")], AS_OF, "polars", "high"
    )  # fmt: skip
    return material, audit(inventory.link(part).inventory, policy, frameworks, AS_OF, fail_on=Severity.HIGH)


def test_what_was_audited_is_written(audited, tmp_path) -> None:
    sealed = write(tmp_path / "bundle", *audited, MADE)
    assert (sealed.sequence, (tmp_path / "bundle/manifest.json").is_file()) == (1, True)


def test_a_report_that_its_inputs_do_not_come_to_is_not_sealed(audited, tmp_path) -> None:
    material, report = audited
    better = replace(report, summary=replace(report.summary, exit_code=0))
    with pytest.raises(KeyauditError, match=r"no bundle was written: .* report.json is another one") as error:
        write(tmp_path / "bundle", material, better, MADE)
    assert error.value.exit_code == 4
    assert [each.name for each in tmp_path.iterdir()] == ["audit"]


def test_another_instant_than_the_reports_is_noticed(audited, tmp_path) -> None:
    material, report = audited
    with pytest.raises(KeyauditError, match="no bundle was written"):
        write(tmp_path / "bundle", replace(material, as_of=AS_OF + DAY), report, MADE)


@pytest.mark.parametrize("name", ["policy.yaml", "inventory/aws.yaml"])
@pytest.mark.parametrize("change", ["written", "gone"])
def test_an_input_that_changed_since_it_was_read_is_not_believed(
    audited, folder, tmp_path, name, change
) -> None:
    file = folder / name
    file.unlink() if change == "gone" else file.write_bytes(file.read_bytes() + b"\n# one line more\n")
    with pytest.raises(UsageError) as error:
        write(tmp_path / "bundle", *audited, MADE)
    assert "audited" in str(error.value)
    assert [each.name for each in tmp_path.iterdir()] == ["audit"]

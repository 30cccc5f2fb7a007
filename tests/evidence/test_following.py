"""`--previous`: a bundle names the one before it, whose files are looked at before anything is chained on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FIRST = Path(__file__).parents[2] / "examples" / "01-first-audit"
MAY, JUNE = "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"


@pytest.fixture
def scan(command: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    def run(name: str, as_of: str, *options: str | Path) -> Any:
        return command("scan", "--as-of", as_of, "--bundle", tmp_path / name, *options, cwd=FIRST)

    return run


def predicate(bundle: Path) -> dict[str, Any]:
    said = json.loads((bundle / "manifest.json").read_bytes())["predicate"]
    assert isinstance(said, dict)
    return said


@pytest.mark.parametrize("kept", ["may", "may.zip", "may/manifest.json"])
def test_a_bundle_names_the_manifest_before_it_and_counts_on(scan, tmp_path, kept) -> None:
    assert scan("may.zip" if kept == "may.zip" else "may", MAY).returncode == 1
    done = scan("june", JUNE, "--previous", tmp_path / kept)
    assert done.returncode == 1, done.stderr.decode()
    said = predicate(tmp_path / "june")
    assert said["sequence"] == 2
    assert (said["previous"]["sequence"], said["previous"]["as_of"]) == (1, MAY)
    if kept != "may.zip":
        manifest = (tmp_path / "may/manifest.json").read_bytes()
        assert said["previous"]["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
        assert said["previous"]["created_at"] == predicate(tmp_path / "may")["created_at"]
    assert said["previous"]["manifest_sha256"] in (tmp_path / "june/VERIFY.md").read_text()


def test_what_does_not_stand_is_not_built_on(scan, tmp_path) -> None:
    assert scan("may", MAY).returncode == 1
    for number, (change, said) in enumerate(CHANGES.items()):
        other = tmp_path / str(number)
        shutil.copytree(tmp_path / "may", other)
        change(other)
        done = scan("june", JUNE, "--previous", other)
        assert done.returncode == 2
        assert said in done.stderr.decode()
        assert not (tmp_path / "june").exists()


def rewritten(bundle: Path) -> None:
    (bundle / "findings.csv").write_bytes(b"rule\r\n")


def lost(bundle: Path) -> None:
    (bundle / "inputs/policy.yaml").unlink()


def slipped_in(bundle: Path) -> None:
    (bundle / "inputs/note.txt").write_text("all is well")


def summed_anew(bundle: Path) -> None:
    """Make SHA256SUMS fit another file, as its manifest does not say."""
    rewritten(bundle)
    old = (bundle / "SHA256SUMS").read_text().splitlines()
    new = hashlib.sha256(b"rule\r\n").hexdigest()
    lines = [f"{new}  findings.csv" if line.endswith("  findings.csv") else line for line in old]
    (bundle / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def unsealed(bundle: Path) -> None:
    (bundle / "manifest.json").unlink()


def torn(bundle: Path) -> None:
    (bundle / "manifest.json").write_bytes((bundle / "manifest.json").read_bytes()[:-9])


CHANGES: dict[Callable[[Path], None], str] = {
    rewritten: "findings.csv was changed",
    lost: "inputs/policy.yaml is missing",
    slipped_in: "inputs/note.txt was added",
    summed_anew: "SHA256SUMS was changed",
    unsealed: "manifest",
    torn: "manifest.json cannot be read",
}


def test_time_does_not_run_backwards_in_a_chain(scan, tmp_path) -> None:
    assert scan("june", JUNE).returncode == 1
    done = scan("may", MAY, "--previous", tmp_path / "june")
    assert done.returncode == 2
    assert f"this bundle judges as of {MAY}, the previous one {JUNE}" in done.stderr.decode()
    assert "hint: name the bundles in the order of time" in done.stderr.decode()
    assert not (tmp_path / "may").exists()


def test_a_bundle_of_the_same_instant_may_follow(scan, tmp_path) -> None:
    assert scan("one", MAY).returncode == 1
    assert scan("other", MAY, "--previous", tmp_path / "one").returncode == 1

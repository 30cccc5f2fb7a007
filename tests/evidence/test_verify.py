"""keyaudit verify, as an auditor runs it: what it says, and the code that it ends with."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evidence import sealing, written
from evidence.written import OTHER, SIGNER, WHO, keyaudit
from keyaudit.formats.pdf import paper


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        at = Path(name)
        written.original(at)
        sealing.write_keys(at, "other", OTHER)
        yield at


def verify(*arguments: str | Path, **environment: str) -> tuple[int, str, str]:
    done = keyaudit("verify", *arguments, **environment)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def document(*arguments: str | Path) -> dict[str, Any]:
    done = keyaudit("verify", *arguments, "--format", "json")
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["exit_code"] == done.returncode
    return found


@pytest.mark.parametrize("key", ["key.pem", "key.pub"])
def test_everything_fits_by_a_key_that_is_trusted(folder: Path, key: str) -> None:
    code, said, _ = verify(folder / "bundle", "--key", folder / key)
    assert code == 0
    checks = [line.split()[:3] for line in said.splitlines() if line.startswith("  ")]
    assert checks == [
        ["✓", "fits", check]
        for check in ("structure", "manifest", "files", "sums", "key", "signature", "chain", "replay")
    ]
    assert "Everything fits. (1 bundle)" in said


def test_without_a_key_everything_but_the_signer_fits(folder: Path) -> None:
    code, said, _ = verify(folder / "bundle")
    assert code == 3
    assert "– not checked  key" in said
    assert "a key that nobody vouched for" in said
    assert "Nothing is wrong as far as could be checked" in said


def test_another_key_is_wrong(folder: Path) -> None:
    code, said, _ = verify(folder / "bundle", "--key", folder / "other.pem")
    assert code == 1
    assert "✗ WRONG        key" in said
    assert "Something is wrong." in said


def test_what_was_not_audited_again_stays_open(folder: Path) -> None:
    code, said, _ = verify(folder / "bundle", "--key", folder / "key.pem", "--no-replay")
    assert code == 3
    assert "it was not audited again: --no-replay" in said


def test_the_document_says_the_same(folder: Path) -> None:
    found = document(folder / "bundle", "--key", folder / "key.pem")
    assert found["schema"] == "keyaudit/verification/1"
    assert found["outcome"] == "fits"
    [bundle] = found["bundles"]
    assert bundle["manifest_sha256"] == sealing.digest((folder / "bundle" / "manifest.json").read_bytes())
    assert bundle["sequence"] == 1
    assert bundle["as_of"] == written.AS_OF
    assert {each["check"]: each["outcome"] for each in bundle["checks"]} == dict.fromkeys(
        ("structure", "manifest", "files", "sums", "signature", "key", "chain", "replay"), "fits"
    )


def test_a_document_goes_where_it_is_asked_to(folder: Path, tmp_path: Path) -> None:
    code, said, _ = verify(
        folder / "bundle", "--no-replay", "--format", "json", "--output", tmp_path / "v.json"
    )
    assert (code, said) == (3, "")
    assert json.loads((tmp_path / "v.json").read_bytes())["exit_code"] == 3


def test_a_terminal_without_unicode_has_words_and_plain_signs(folder: Path) -> None:
    _, said, _ = verify(folder / "bundle", "--no-replay", PYTHONIOENCODING="ascii")
    assert said.isascii()
    assert "  + fits         structure" in said
    assert "  - not checked  replay" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "nothing: No such file or directory"),
        ((".",), "is no bundle: there is no manifest.json in it"),
        (("policy.yaml",), "cannot be read"),
        ((".", "--key", "policy.yaml"), "is no public key that a bundle can be signed with"),
        ((".", "--key", "nothing.pem"), "--key nothing.pem: No such file"),
        ((".", "--identity", "x"), "--allowed-signers and --identity go together"),
        ((".", "--previous", "policy.yaml"), "policy.yaml: manifest.json cannot be read"),
        ((), "Missing argument"),
    ],
)
def test_what_cannot_be_begun_ends_with_2(arguments: tuple[str, ...], said: str) -> None:
    code, out, told = verify(*arguments)
    assert said in told + out
    assert code == (1 if arguments == ("policy.yaml",) else 2)


def test_a_private_key_is_not_asked_for(folder: Path) -> None:
    code, _, told = verify(folder / "bundle", "--key", folder / "key")
    assert code == 2
    assert "is a private key" in told


def test_a_signature_of_ssh_keygen_is_checked_by_ssh_keygen(folder: Path, tmp_path: Path) -> None:
    bundle = written.scan(tmp_path / "bundle", "--sign-ssh", folder / "key", PATH="/usr/bin:/bin")
    signers = tmp_path / "signers"
    signers.write_text(f"{WHO} {sealing.public_ssh(SIGNER).decode()}\n")
    assert verify(bundle, "--allowed-signers", signers, "--identity", WHO)[0] == 0
    assert verify(bundle, "--key", folder / "key.pub")[0] == 0
    code, said, _ = verify(bundle, "--allowed-signers", signers, "--identity", "mallory@acme.example")
    assert code == 1
    assert "does not accept for mallory@acme.example" in said
    code, said, _ = verify(bundle, "--key", folder / "key.pub", PATH=str(tmp_path))
    assert code == 3
    assert "the SSH signature was not checked: ssh-keygen: No such file or directory" in said


def test_names_of_strangers_move_no_cursor(folder: Path, tmp_path: Path) -> None:
    bundle = written.copied(folder / "bundle", tmp_path / "bundle")
    (bundle / "a\x1b[2J\u202eb\nkeyaudit: all is well").write_bytes(b"")
    hostile = {"as_of": "\x1b[2J", "sequence": 1, "previous": None, "created_at": "\x1b]0;x\x07"}
    sealing.reseal(bundle, {}, **hostile)
    (bundle / "\x1b[1m").write_bytes(b"")
    code, said, _ = verify(bundle)
    assert code == 1
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "\nkeyaudit: all is well" not in said
    assert r"\x1b[2J\u202eb\nkeyaudit" in said


def test_a_pdf_of_another_weasyprint_is_not_compared(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("weasyprint")
    bundle = written.scan(tmp_path / "bundle", "--sign-key", folder / "key", "--format", "pdf")
    assert verify(bundle, "--key", folder / "key.pem")[0] == 0
    versions = {**sealing.statement(bundle)["predicate"]["versions"], "weasyprint": "1.0"}
    sealing.reseal(bundle, {"reports/report.pdf": b"%PDF-1.7\n"}, versions=versions)
    sealing.sign(bundle, SIGNER)
    code, said, _ = verify(bundle, "--key", folder / "key.pem")
    assert code == 3
    assert "reports/report.pdf was not compared: made with weasyprint 1.0 (here " in said
    sealing.reseal(bundle, {}, versions=sealing.statement(folder / "bundle")["predicate"]["versions"])
    sealing.sign(bundle, SIGNER)
    code, said, _ = verify(bundle, "--key", folder / "key.pem")
    assert code == 1
    assert "reports/report.pdf is not what its inputs come to" in said


def test_a_pdf_of_a_machine_with_other_fonts_is_not_compared(folder: Path, tmp_path: Path) -> None:
    """A bundle that nobody touched is not called wrong, and one that somebody did is never called right."""
    pytest.importorskip("weasyprint")
    bundle = written.scan(tmp_path / "bundle", "--sign-key", folder / "key", "--format", "pdf")
    versions = sealing.statement(bundle)["predicate"]["versions"]
    assert versions["paper"] == paper()
    sealing.reseal(bundle, {}, versions={**versions, "paper": "f" * 64})
    sealing.sign(bundle, SIGNER)
    code, said, _ = verify(bundle, "--key", folder / "key.pem")
    assert code == 3
    assert "reports/report.pdf was not compared: made with other fonts or libraries" in said


def test_verifying_leaves_the_bundle_and_the_folder_for_temporary_files_as_they_were(
    folder: Path, tmp_path: Path
) -> None:
    bundle = written.copied(folder / "bundle", tmp_path / "bundle")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before = {path: path.stat().st_mtime_ns for path in bundle.rglob("*")}
    for path in (bundle, *before):
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert verify(bundle, "--key", folder / "key.pem", TMPDIR=str(scratch))[0] == 0
    assert {path: path.stat().st_mtime_ns for path in bundle.rglob("*")} == before
    assert list(scratch.iterdir()) == []
    for path in (bundle, *before):
        path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(bundle)


def test_no_room_for_a_copy_says_nothing_of_the_bundle(folder: Path) -> None:
    """The program may write 4 KiB a file: as on a full disk, the report does not fit there."""
    limited = f"ulimit -f 4; exec {shlex.quote(sys.executable)} -m keyaudit verify bundle --key key.pem"
    found = subprocess.run(["bash", "-c", limited], cwd=folder, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (2, "")
    assert "the folder for temporary files: File too large" in found.stderr
    assert "TMPDIR" in found.stderr


def test_a_device_is_written_to_and_not_replaced(folder: Path, tmp_path: Path) -> None:
    """As root may replace /dev/stdout, a run in a container would take it from everybody."""
    (tmp_path / "stdout").symlink_to("/dev/stdout")
    os.mkfifo(tmp_path / "pipe")
    code, said, _ = verify(folder / "bundle", "--key", folder / "key.pem", "--output", tmp_path / "stdout")
    assert code == 0
    assert said.endswith("that the stores told the truth.\n")
    assert (tmp_path / "stdout").is_symlink()
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE, text=True)
    assert verify(folder / "bundle", "--key", folder / "key.pem", "--output", tmp_path / "pipe")[0] == 0
    assert reader.communicate(timeout=60)[0] == said
    assert (tmp_path / "pipe").is_fifo()

"""The printed steps, run as they are printed: by sh, sha256sum, openssl and ssh-keygen alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from evidence import sealing
from keyaudit.evidence import layout
from keyaudit.formats import verification_steps
from keyaudit.formats.verification_steps import ED25519, NONE, SSH, Evidence

FILES = {"report.json": b"{}\n", "inputs/inventory/01-a b.yaml": b"x\n"}
SIGNER = sealing.private_key(1)
WHO = "auditor@acme.example"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    folder.mkdir()
    previous = {"manifest_sha256": "0" * 64}
    sealing.seal(folder, FILES, {"previous": previous})
    sealing.sign(folder, SIGNER)
    (folder.parent / "TRUSTED-KEY.pem").write_bytes(sealing.public_pem(SIGNER))
    line = f'{WHO} namespaces="keyaudit-bundle" {sealing.public_ssh(SIGNER).decode()}\n'
    (folder.parent / "ALLOWED-SIGNERS").write_text(line)
    return folder


def run(step: verification_steps.Step, folder: Path) -> tuple[int, str]:
    """Run the commands of one step; what a reader would put in place is put there."""
    script = "\n".join(step.commands)
    for name in ("TRUSTED-KEY.pem", "ALLOWED-SIGNERS"):
        script = script.replace(name, str(folder.parent / name))
    done = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def by_hand(evidence: Evidence, folder: Path) -> dict[str, tuple[int, str]]:
    steps = verification_steps.steps(evidence)
    return {step.title: run(step, folder) for step in steps if "keyaudit verify" not in step.commands[0]}


ED = Evidence("bundle", ED25519, sealing.key_id(SIGNER), inputs=(("inputs/inventory/01-a b.yaml", "d"),))
ARMOURED = Evidence("bundle", SSH, identity=WHO)


def test_every_step_of_an_untouched_bundle_shows_what_it_says(bundle: Path) -> None:
    seen = by_hand(ED, bundle)
    assert seen["Compare every file with its digest"] == (
        0,
        "inputs/inventory/01-a b.yaml: OK\nreport.json: OK\n",
    )
    _, counted = seen["Look for files that nobody listed"]
    assert counted.split() == ["2", "2"]
    assert seen["Compare the list with the manifest"] == (0, "1\n")
    assert seen["Compare what was signed with the manifest"] == (0, "")
    assert sealing.key_id(SIGNER) in seen["Look at the key that you trust"][1]
    assert seen["Check the signature"] == (0, "Signature Verified Successfully\n")
    assert sealing.digest(b"x\n") in seen["Compare the inputs with the report"][1]


def test_the_printed_step_checks_a_signature_of_ssh_keygen(bundle: Path, tmp_path: Path) -> None:
    sealing.sign_ssh(bundle, sealing.write_keys(tmp_path, "key", SIGNER))
    code, said = by_hand(ARMOURED, bundle)["Check the signature"]
    assert code == 0
    assert said.startswith(f'Good "keyaudit-bundle" signature for {WHO}')


def test_the_printed_step_names_the_bundle_before(bundle: Path) -> None:
    (bundle / "PREVIOUS").mkdir()
    (bundle / "PREVIOUS" / "manifest.json").write_bytes(b"before")
    of_previous = Evidence("bundle", NONE, previous="0" * 64)
    _, said = by_hand(of_previous, bundle)["Compare the bundle before this one"]
    assert said.splitlines() == [
        f"{sealing.digest(b'before')}  PREVIOUS/manifest.json",
        f'"manifest_sha256":"{"0" * 64}"',
    ]


@pytest.mark.parametrize(
    ("tampered", "step"),
    [
        ("report.json", "Compare every file with its digest"),
        ("SHA256SUMS", "Compare the list with the manifest"),
        ("manifest.json", "Compare what was signed with the manifest"),
        ("manifest.pae", "Check the signature"),
        ("manifest.sig", "Check the signature"),
    ],
)
def test_a_changed_byte_fails_the_step_that_should_find_it(bundle: Path, tampered: str, step: str) -> None:
    content = bytearray((bundle / tampered).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / tampered).write_bytes(content)
    assert by_hand(ED, bundle)[step][0] != 0


def test_an_added_file_and_a_link_are_found_by_hand(bundle: Path) -> None:
    (bundle / "inputs" / "more.yaml").write_bytes(b"")
    (bundle / "inputs" / "link").symlink_to("/etc/hostname")
    _, said = by_hand(ED, bundle)["Look for files that nobody listed"]
    assert said.split() == ["4", "2", "./inputs/link"]


@pytest.mark.parametrize("name", ["manifest.evil", "manifest.json\n./manifest.sig", "manifest.json.sig"])
def test_a_file_that_is_called_like_a_manifest_is_found_by_hand(bundle: Path, name: str) -> None:
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_bytes(b"")
    listed, there = by_hand(ED, bundle)["Look for files that nobody listed"][1].split()
    assert (int(listed) > 2, there) == (True, "2")


def test_an_archive_whose_name_looks_like_an_option_is_unpacked(bundle: Path) -> None:
    subprocess.run(["python3", "-m", "zipfile", "-c", "./-x.zip", "report.json"], cwd=bundle, check=True)
    assert run(verification_steps.steps(Evidence("-x.zip", NONE))[0], bundle) == (0, "")
    assert (bundle / "opened" / "report.json").read_bytes() == b"{}\n"


def test_another_key_fails_the_printed_steps(bundle: Path) -> None:
    (bundle.parent / "TRUSTED-KEY.pem").write_bytes(sealing.public_pem(sealing.private_key(2)))
    seen = by_hand(ED, bundle)
    assert seen["Check the signature"][0] != 0
    assert sealing.key_id(SIGNER) not in seen["Look at the key that you trust"][1]


def test_an_archive_is_unpacked_before_anything_else(bundle: Path) -> None:
    subprocess.run(["python3", "-m", "zipfile", "-c", "it's.zip", "report.json"], cwd=bundle, check=True)
    step = verification_steps.steps(Evidence("it's.zip", NONE))[0]
    assert run(step, bundle) == (0, "")
    assert (bundle / "opened" / "report.json").read_bytes() == b"{}\n"


def test_the_steps_name_the_files_that_the_layout_names() -> None:
    text = (verification_steps.document(ED) + verification_steps.document(ARMOURED)).decode()
    for name in (*layout.UNLISTED, layout.SUMS):
        assert f" ! -path ./{name} " in text
    assert f"DSSEv1 {len(layout.PAYLOAD_TYPE)} {layout.PAYLOAD_TYPE}" in text
    assert ED.namespace == layout.NAMESPACE
    assert ED25519 in text.lower()


def test_nothing_that_a_stranger_typed_ends_its_code_or_moves_the_cursor() -> None:
    hostile = "a```\n# heading\x1b[2J$(touch x)`"
    for signer in (ED25519, SSH, NONE):
        evidence = Evidence(
            f"{hostile}.zip", signer, hostile, hostile, hostile, ((hostile, hostile),), hostile
        )
        text = verification_steps.document(evidence).decode()
        assert "\x1b" not in text
        assert "\n# heading" not in text
        for block in text.split("\n\n"):
            if block.endswith("sh") or "sh\n" in block[:8]:
                fence = block.split("sh\n")[0]
                assert block.endswith(f"\n{fence}")
                assert fence not in block[len(fence) : -len(fence)]


def test_an_unsigned_bundle_says_so() -> None:
    text = verification_steps.document(Evidence("bundle", NONE)).decode()
    assert "Nobody signed it" in text
    assert "openssl pkeyutl" not in text

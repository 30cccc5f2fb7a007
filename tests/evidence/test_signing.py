"""Signatures of bundles, checked by programs that we did not write: securesystemslib, openssl, ssh-keygen."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from keyaudit.errors import UsageError
from keyaudit.evidence import dsse, layout
from keyaudit.evidence.signing import key_file, ssh

MANIFEST = dsse.canonical({"_type": layout.STATEMENT_TYPE, "subject": [], "predicate": {"name": "Ünïcode"}})
PASSPHRASE = b"CANARY correct horse"
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RAW = KEY.public_key().public_bytes_raw()
PKCS8, OPENSSH = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.OpenSSH


def pem(form: serialization.PrivateFormat = PKCS8, passphrase: bytes | None = None, key=KEY) -> bytes:
    sealed = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, sealed)


def written(folder: Path, content: bytes, name: str = "key") -> Path:
    path = folder / name
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def run(*command: str | Path, cwd: Path, given: bytes = b"", **more: str) -> tuple[int, str]:
    environment = {"PATH": os.environ["PATH"], **more}
    done = subprocess.run(command, cwd=cwd, input=given, capture_output=True, check=False, env=environment)
    return done.returncode, (done.stdout + done.stderr).decode()


def nobody() -> bytes | None:
    raise AssertionError("nobody is asked for a passphrase")


def signed(folder: Path, key: bytes = pem()) -> Path:
    """Sign the manifest, and lay the files beside it."""
    files = key_file.open_key(written(folder, key), nobody).sign(MANIFEST)
    for name, content in {**files, layout.MANIFEST: MANIFEST}.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("form", [PKCS8, OPENSSH])
def test_another_implementation_of_dsse_accepts_the_envelope_and_refuses_another_payload(
    tmp_path, form
) -> None:
    envelope = json.loads((signed(tmp_path, pem(form)) / "manifest.dsse.json").read_bytes())
    key = SSlibKey(hashlib.sha256(RAW).hexdigest(), "ed25519", "ed25519", {"public": RAW.hex()})
    read = Envelope.from_dict(json.loads(json.dumps(envelope)))
    assert read.payload == MANIFEST
    assert read.verify([key], 1).keys() == {key.keyid}
    envelope["payload"] = base64.b64encode(MANIFEST.replace(b"subject", b"Subject")).decode()
    with pytest.raises(VerificationError):
        Envelope.from_dict(envelope).verify([key], 1)


def test_openssl_alone_checks_the_signature(tmp_path) -> None:
    signed(tmp_path)
    check = (
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "manifest.pub.pem", "-rawin",
        "-in", "manifest.pae", "-sigfile", "manifest.sig",
    )  # fmt: skip
    assert run(*check, cwd=tmp_path) == (0, "Signature Verified Successfully\n")
    (tmp_path / "manifest.pae").write_bytes(dsse.encoded(MANIFEST + b" "))
    assert run(*check, cwd=tmp_path)[0] == 1


def test_what_is_signed_is_the_encoding_that_the_protocol_gives_as_its_example() -> None:
    said = dsse.encoded(b"hello world")
    assert said == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"


def test_a_key_made_by_openssl_signs(tmp_path) -> None:
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", "key", cwd=tmp_path)
    code, public = run("openssl", "pkey", "-in", "key", "-pubout", cwd=tmp_path)
    signer = key_file.open_key(tmp_path / "key", nobody)
    assert code == 0
    assert signer.sign(MANIFEST)[layout.PUBLIC_KEY].decode() == public


@pytest.mark.parametrize("form", [PKCS8, OPENSSH])
def test_a_passphrase_is_asked_for_only_where_a_key_is_encrypted(tmp_path, form) -> None:
    file = written(tmp_path, pem(form, PASSPHRASE))
    assert key_file.open_key(file, lambda: PASSPHRASE).public_key == RAW
    for wrong in (b"CANARY wrong", b"", None):
        with pytest.raises(UsageError) as error:
            key_file.open_key(file, lambda given=wrong: given)  # type: ignore[misc]
        assert "CANARY" not in f"{error.value} {error.value.hint}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"CANARY",
        b"-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nQ0FOQVJZ\n-----END OPENSSH PRIVATE KEY-----\n",
        pem(key=rsa.generate_private_key(65537, 2048)),
    ],
    ids=["empty", "text", "torn", "torn-openssh", "rsa"],
)
def test_what_is_no_such_key_is_refused_without_a_word_of_it(tmp_path, content) -> None:
    with pytest.raises(UsageError) as error:
        key_file.open_key(written(tmp_path, content), nobody)
    said = f"{error.value} {error.value.hint}"
    assert "Ed25519" in said
    assert "CANARY" not in said


def test_no_signer_shows_its_key(tmp_path) -> None:
    shown = repr(key_file.open_key(written(tmp_path, pem()), nobody))
    assert bytes(range(32)).hex() not in shown
    assert "PrivateKey" not in shown


ALLOWED = 'auditor@acme.example namespaces="keyaudit-bundle" '


def ssh_verified(folder: Path, namespace: str = "keyaudit-bundle") -> int:
    (folder / "allowed").write_text(ALLOWED + (folder / "key.pub").read_text())
    check = ("ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "auditor@acme.example", "-n", namespace)
    return run(*check, "-s", "manifest.json.sig", cwd=folder, given=MANIFEST)[0]


def ssh_key(folder: Path) -> Path:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key", "-C", "ann@laptop", cwd=folder)
    return folder / "key"


@pytest.mark.parametrize("given", ["key", "key without .pub"])
def test_ssh_keygen_alone_checks_what_ssh_keygen_signed(tmp_path, given) -> None:
    key = ssh_key(tmp_path)
    public = (tmp_path / "key.pub").read_bytes()
    if given != "key":
        (tmp_path / "key.pub").unlink()
    signer = ssh.open_key(key)
    files = signer.sign(MANIFEST)
    (tmp_path / "key.pub").write_bytes(public)
    (tmp_path / layout.SSH_SIGNATURE).write_bytes(files[layout.SSH_SIGNATURE])
    assert ssh_verified(tmp_path) == 0
    assert ssh_verified(tmp_path, "file") != 0, "a signature for something else is none for a bundle"
    assert signer.key_id in run("ssh-keygen", "-lf", "key.pub", cwd=tmp_path)[1]
    assert b"ann@laptop" not in b"".join(files.values()), "no comment: it names a person and a machine"


def test_a_key_that_only_an_agent_has_signs_by_its_public_part(tmp_path, monkeypatch) -> None:
    key = ssh_key(tmp_path)
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if run("ssh-add", "key", cwd=tmp_path, SSH_AUTH_SOCK=str(socket))[0] == 0:
                break
        key.unlink()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        files = ssh.open_key(tmp_path / "key.pub").sign(MANIFEST)
    finally:
        agent.terminate()
        agent.wait()
    (tmp_path / layout.SSH_SIGNATURE).write_bytes(files[layout.SSH_SIGNATURE])
    assert ssh_verified(tmp_path) == 0


def test_without_its_agent_a_public_key_signs_nothing(tmp_path, monkeypatch) -> None:
    ssh_key(tmp_path).unlink()
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(UsageError, match="ssh-keygen -Y ended with"):
        ssh.open_key(tmp_path / "key.pub").sign(MANIFEST)


def test_a_passphrase_comes_from_an_open_file_and_never_from_an_argument(tmp_path, keyaudit) -> None:
    first = Path(__file__).parents[2] / "examples" / "01-first-audit"
    file = written(tmp_path, pem(passphrase=PASSPHRASE))
    options = ("--as-of", "2026-05-01T00:00:00Z", "--bundle", tmp_path / "bundle", "--sign-key", file)
    done = keyaudit("scan", *options, "--passphrase-fd", "0", cwd=first, stdin=PASSPHRASE + b"\n")
    assert done.returncode == 1, done.stderr.decode()
    assert b"CANARY" not in done.stderr + b"".join(
        each.read_bytes() for each in (tmp_path / "bundle").rglob("*") if each.is_file()
    )
    wrong = keyaudit("scan", *options[:3], tmp_path / "other", *options[4:], cwd=first, stdin=b"CANARY\n")
    assert wrong.returncode == 2
    assert b"nobody is there to type its passphrase" in wrong.stderr
    assert b"CANARY" not in wrong.stderr

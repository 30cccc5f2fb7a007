"""Bundles sealed by hand, from what the layout says and nothing of keyaudit's own writing: forgers can, too."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "urn:keyaudit:evidence-bundle:1"
CREATED = "2026-07-01T00:00:00Z"


def private_key(number: int) -> Ed25519PrivateKey:
    """Give the key of that number, the same one each time."""
    return Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def key_id(key: Ed25519PrivateKey) -> str:
    return hashlib.sha256(raw(key)).hexdigest()


def public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def public_ssh(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)


def write_keys(folder: Path, name: str, key: Ed25519PrivateKey) -> Path:
    """Write NAME (an OpenSSH private key), NAME.pub and NAME.pem (its public key); give NAME."""
    private = folder / name
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    )
    private.chmod(0o600)
    (folder / f"{name}.pub").write_bytes(public_ssh(key) + b"\n")
    (folder / f"{name}.pem").write_bytes(public_pem(key))
    return private


def canonical(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pae(payload: bytes) -> bytes:
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def contents(folder: Path) -> dict[str, bytes]:
    """Give every file of a bundle but what is made of the others: SHA256SUMS and manifest.*."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != "SHA256SUMS" and not name.startswith("manifest."):
            found[name] = path.read_bytes()
    return found


def statement(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return document


def seal(folder: Path, files: Mapping[str, bytes], predicate: Mapping[str, Any]) -> None:
    """Write files, their sums and a manifest of all of them: a bundle that nobody signed."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    sums = "".join(f"{digest(files[name])}  {name}\n" for name in sorted(files)).encode()
    (folder / "SHA256SUMS").write_bytes(sums)
    everything = {**files, "SHA256SUMS": sums}
    subject = [{"digest": {"sha256": digest(everything[name])}, "name": name} for name in sorted(everything)]
    document = {"_type": STATEMENT, "predicateType": PREDICATE, "predicate": predicate, "subject": subject}
    for path in folder.glob("manifest.*"):
        path.unlink()
    (folder / "manifest.json").write_bytes(canonical(document))


def sign(folder: Path, key: Ed25519PrivateKey) -> None:
    """Sign a bundle's manifest with Ed25519, whoever signed it before."""
    payload = (folder / "manifest.json").read_bytes()
    signature = key.sign(pae(payload))
    text = base64.b64encode(signature).decode()
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key_id(key), "sig": text}],
    }
    (folder / "manifest.dsse.json").write_text(json.dumps(envelope, indent=2, sort_keys=True) + "\n")
    (folder / "manifest.pae").write_bytes(pae(payload))
    (folder / "manifest.sig").write_bytes(signature)
    (folder / "manifest.pub.pem").write_bytes(public_pem(key))


def sign_ssh(folder: Path, private: Path, namespace: str = "keyaudit-bundle") -> None:
    """Sign a bundle's manifest with ssh-keygen."""
    (folder / "manifest.json.sig").unlink(missing_ok=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", private, folder / "manifest.json"],
        check=True,
        capture_output=True,
    )
    (folder / "manifest.pub").write_bytes(private.with_suffix(".pub").read_bytes())


def reseal(folder: Path, changed: Mapping[str, bytes], **predicate: Any) -> None:
    """Change files of a bundle and make every digest fit again; its signatures are gone."""
    before = statement(folder)["predicate"]
    seal(folder, {**contents(folder), **changed}, {**before, **predicate})

"""`ssh-keygen -Y sign`: keys of an agent and of hardware tokens sign as well as those in files.

The format is PROTOCOL.sshsig of OpenSSH (8.1 or later); the namespace is `keyaudit-bundle`, so that a
signature made for something else is none for a bundle.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from keyaudit.errors import UsageError
from keyaudit.evidence import layout

KIND = "ssh"
PROGRAM = "ssh-keygen"
LONGEST = 120
"""Seconds for a person to touch a token or to type a passphrase."""


@dataclass(frozen=True)
class SshSigner:
    """Signs with `ssh-keygen -Y sign -f KEYFILE`; a public key's file means its agent's private one."""

    file: Path
    public_key: bytes
    key_id: str
    kind: str = KIND
    place: str = PROGRAM

    def sign(self, manifest: bytes) -> Mapping[str, bytes]:
        """Sign the manifest; raises UsageError where ssh-keygen does not."""
        signature = _run("-Y", "sign", "-f", str(self.file), "-n", layout.NAMESPACE, given=manifest)
        return {layout.SSH_SIGNATURE: signature, layout.SSH_PUBLIC_KEY: self.public_key}


def open_key(file: Path) -> SshSigner:
    """Find the public part of a key; raises UsageError for none, or without ssh-keygen."""
    beside = file if file.suffix == ".pub" else file.with_name(f"{file.name}.pub")
    try:
        with file.open("rb"):
            pass
        content = beside.read_bytes() if beside.exists() else _run("-y", "-f", str(file))
    except OSError as error:
        hint = "--sign-ssh names a key, or the .pub of one that ssh-agent holds"
        raise UsageError(f"{file}: {error.strerror}", hint=hint) from None
    parts = content.split(maxsplit=2)
    try:
        kind, blob = parts[0], base64.b64decode(parts[1], validate=True)
    except (IndexError, ValueError):
        raise UsageError(f"{beside}: no public key of SSH") from None
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    # The comment of a key often names a person and a machine: it goes into no bundle.
    return SshSigner(file, kind + b" " + parts[1] + b"\n", f"SHA256:{digest}")


def _run(*arguments: str, given: bytes = b"") -> bytes:
    """Run ssh-keygen; what it says on stderr may name files of a person, and is not repeated."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, no shell
            [PROGRAM, *arguments],
            input=given,
            capture_output=True,
            check=False,
            timeout=LONGEST,
        )
    except FileNotFoundError:
        raise UsageError(f"{PROGRAM} is not installed", hint="it is part of OpenSSH") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{PROGRAM} gave no answer in {LONGEST} s") from None
    if done.returncode:
        hint = "`ssh-add -l` lists the keys of an agent; `ssh-keygen -y -f KEYFILE` tries a key"
        raise UsageError(f"{PROGRAM} {arguments[0]} ended with {done.returncode}", hint=hint)
    return done.stdout

"""A signature of `ssh-keygen -Y sign`, checked by the same program.

Its form is https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig: a blob in armour
with lines of 70 characters, which names its key, what it is for, and how it was made.
"""

from __future__ import annotations

import base64
import binascii
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct

from keyaudit.evidence import layout
from keyaudit.evidence.checking import Manifest
from keyaudit.evidence.trust import PublicKey, Trust, ssh_line
from keyaudit.evidence.verification import Check, Statement, few, fits, left_open, wrong

PROGRAM = "ssh-keygen"
MAGIC = b"SSHSIG\x00\x00\x00\x01"
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n"
_WIDTH = 70
_LENGTH = Struct(">I")
_READER = "reader"
_PATIENCE = 60


def check(said: Manifest, armoured: bytes, line: bytes, trust: Trust) -> Iterator[Statement]:
    """Check such a signature over a manifest, and whose it is; `line` is the key as the bundle has it."""
    parts = _parts(armoured)
    if parts is None:
        yield wrong(
            Check.SIGNATURE, f"{layout.SSH_SIGNATURE} is no SSH signature, in the one form it can have"
        )
        return
    blob, namespace = parts[:2]
    if namespace != layout.NAMESPACE.encode():
        text = f"{layout.SSH_SIGNATURE} was made for something else: not for {layout.NAMESPACE}"
        yield wrong(Check.SIGNATURE, text)
    key = ssh_line(line)
    if key is None or key.blob != blob or line != f"{key.line}\n".encode():
        text = f"{layout.SSH_PUBLIC_KEY} is not the line of the key in {layout.SSH_SIGNATURE}"
        yield wrong(Check.SIGNATURE, text)
        return
    with tempfile.TemporaryDirectory(prefix="keyaudit-") as folder:
        yield from _asked(_Asked(Path(folder), said.content, armoured), key, trust)


class _Asked:
    """What ssh-keygen is asked about: a manifest and a signature, in a folder of our own."""

    def __init__(self, folder: Path, manifest: bytes, armoured: bytes) -> None:
        self.folder, self.manifest = folder, manifest
        (folder / "sig").write_bytes(armoured)

    def fits(self, *arguments: str | Path) -> bool:
        """Ask it; raises OSError where there is no such program, or it does not end."""
        command: Sequence[str | Path] = (
            PROGRAM, "-Y", *arguments, "-n", layout.NAMESPACE, "-s", self.folder / "sig",
        )  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 - a list, and nothing in it is of the bundle
                command, input=self.manifest, capture_output=True, check=False, timeout=_PATIENCE
            )
        except subprocess.TimeoutExpired:
            raise OSError("did not end") from None
        return done.returncode == 0

    def fits_any(self, keys: Sequence[PublicKey]) -> bool:
        """Ask whether one of these keys signed."""
        signers = self.folder / "signers"
        signers.write_text("".join(f"{_READER} {key.line}\n" for key in keys), "ascii")
        return self.fits("verify", "-f", signers, "-I", _READER)


def _asked(asked: _Asked, key: PublicKey, trust: Trust) -> Iterator[Statement]:
    try:
        if not asked.fits("check-novalidate"):
            text = f"{layout.SSH_SIGNATURE} is no signature by its key over this {layout.MANIFEST}"
            yield wrong(Check.SIGNATURE, text)
            return
        yield fits(Check.SIGNATURE, f"the manifest was signed by the SSH key {key.fingerprint}")
        yield from _whose(asked, key, trust)
    except OSError as error:
        why = error.strerror or error
        yield left_open(Check.SIGNATURE, f"the SSH signature was not checked: {PROGRAM}: {why}")


def _whose(asked: _Asked, key: PublicKey, trust: Trust) -> Iterator[Statement]:
    if trust.allowed_signers is not None and trust.identity is not None:
        if asked.fits("verify", "-f", trust.allowed_signers, "-I", trust.identity):
            yield fits(Check.KEY, f"the key that signed is one of {trust.identity}, whom you trust")
        else:
            text = f"it was signed by {key.fingerprint}, which {trust.allowed_signers} does not accept for "
            yield wrong(Check.KEY, f"{text}{trust.identity} and {layout.NAMESPACE} now")
    elif trust.keys:
        if asked.fits_any(trust.keys):
            yield fits(Check.KEY, "the key that signed is the one that you trust")
        else:
            listed = few([each.fingerprint for each in trust.keys])
            text = f"it was signed by another key, {key.fingerprint}, than the one that you trust, {listed}"
            yield wrong(Check.KEY, text)
    else:
        text = f"its signature fits a key that nobody vouched for, {key.fingerprint}: "
        yield left_open(Check.KEY, f"{text}--key or --allowed-signers names the one that you trust")


def _parts(armoured: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes] | None:
    """Take a signature apart: key, namespace, reserved, hash, signature; None for what is none."""
    if not armoured.startswith(_BEGIN) or not armoured.endswith(_END):
        return None
    try:
        blob = base64.b64decode(armoured[len(_BEGIN) : -len(_END)].replace(b"\n", b""), validate=True)
    except binascii.Error:
        return None
    if _armour(blob) != armoured or not blob.startswith(MAGIC):
        return None
    rest, parts = blob[len(MAGIC) :], list[bytes]()
    while rest and len(parts) < 5:
        if len(rest) < _LENGTH.size or len(rest) < (end := _LENGTH.size + _LENGTH.unpack_from(rest)[0]):
            return None
        parts.append(rest[_LENGTH.size : end])
        rest = rest[end:]
    return None if rest or len(parts) < 5 else (parts[0], parts[1], parts[2], parts[3], parts[4])


def _armour(blob: bytes) -> bytes:
    text = base64.b64encode(blob)
    lines = b"".join(text[k : k + _WIDTH] + b"\n" for k in range(0, len(text), _WIDTH))
    return _BEGIN + lines + _END

"""Bundles as keyaudit writes them, of the first example; tests copy one and change the copy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from evidence import sealing
from keyaudit.evidence.trust import Trust, of_ed25519
from keyaudit.evidence.verification import Outcome, Verification
from keyaudit.evidence.verifying import Asked, manifest_of, verify

FIRST = Path(__file__).parents[2] / "examples" / "01-first-audit"
AS_OF = "2026-05-01T00:00:00Z"
SIGNER, OTHER = sealing.private_key(1), sealing.private_key(2)
WHO = "auditor@acme.example"
TRUSTED = Trust((of_ed25519(sealing.raw(SIGNER)),))
NOBODY = Trust()


def keyaudit(
    *arguments: str | Path, cwd: Path = FIRST, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the program in a process and an environment of its own."""
    return subprocess.run(
        [sys.executable, "-m", "keyaudit", *arguments],
        cwd=cwd,
        capture_output=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment},
    )


def scan(target: Path, *options: str | Path, cwd: Path = FIRST, **environment: str) -> Path:
    """Have a scan of an example write a bundle."""
    done = keyaudit(
        "scan", "--as-of", AS_OF, "--output", target.parent / f"{target.name}-out", "--bundle", target, *options,
        cwd=cwd, **environment,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr.decode()
    return target


@cache
def original(folder: Path) -> Path:
    """Write the bundle that all tests of a run copy: signed with Ed25519."""
    key = sealing.write_keys(folder, "key", SIGNER)
    options = ("--sign-key", key, "--format", "html", "--format", "markdown")
    return scan(folder / "bundle", *options)


def copied(bundle: Path, target: Path) -> Path:
    return Path(shutil.copytree(bundle, target))


def verified(
    *bundles: Path, trust: Trust = TRUSTED, previous: Path | None = None, replay: bool = False
) -> Verification:
    before = None if previous is None else manifest_of(previous)
    return verify(bundles, Asked(trust, before, replay))


def wrong(found: Verification) -> str:
    """Give everything that is wrong, a line each."""
    return "\n".join(
        f"{each.check}: {each.text}"
        for bundle in found.bundles
        for each in bundle.statements
        if each.outcome is Outcome.WRONG
    )

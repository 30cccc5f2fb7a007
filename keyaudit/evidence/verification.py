"""What a verification found, statement by statement, and the document that says so.

Nothing is ever called valid: what could be checked fits, or is wrong, or stays open. Exit codes:
0 everything fits, 1 something is wrong, 3 nothing is wrong but something could not be checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA = "keyaudit/verification/1"


class Outcome(StrEnum):
    """What became of one check, worst first."""

    WRONG = "wrong"
    OPEN = "open"
    """It could not be checked, or needs what only the reader can have from somebody else."""
    FITS = "fits"


class Check(StrEnum):
    """What is looked at, in this order. Each builds on those before it."""

    STRUCTURE = "structure"
    """Only files, under names that mean the same to every program."""
    MANIFEST = "manifest"
    """A statement that this version can read, in the one form that it can have."""
    FILES = "files"
    """Every file has the digest that the manifest names, and no other file is there."""
    SUMS = "sums"
    """SHA256SUMS says the same as the manifest."""
    SIGNATURE = "signature"
    KEY = "key"
    """Whether the key that signed is the one that the reader trusts."""
    CHAIN = "chain"
    """Which bundle this one follows."""
    REPLAY = "replay"
    """The inputs come to the same outputs, byte for byte."""


EXIT_CODES = {Outcome.FITS: 0, Outcome.WRONG: 1, Outcome.OPEN: 3}


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that was found, in a sentence. Its text may quote a stranger: show it by `visible`."""

    check: Check
    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True)
class BundleVerification:
    """What was found of one bundle. The digest of its manifest is None where there was none to read.

    `facts` is what its manifest says of itself: sequence, created_at, as_of, tool, signer.
    """

    bundle: str
    manifest_sha256: str | None
    statements: tuple[Statement, ...]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """The worst of its statements."""
        return worst(self.statements)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found of all bundles that were given, in their order."""

    bundles: tuple[BundleVerification, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of all."""
        return worst([each for bundle in self.bundles for each in bundle.statements])

    @property
    def exit_code(self) -> int:
        """0 everything fits, 1 something is wrong, 3 something stays open."""
        return EXIT_CODES[self.outcome]

    def document(self, version: str) -> dict[str, Any]:
        """Give `keyaudit/verification/1`, made by this version of keyaudit."""
        return {
            "schema": SCHEMA,
            "tool": {"name": "keyaudit", "version": version},
            "outcome": self.outcome.value,
            "exit_code": self.exit_code,
            "bundles": [_bundle(each) for each in self.bundles],
        }


def worst(statements: Iterable[Statement]) -> Outcome:
    """Give the worst outcome; nothing at all is open, for then nothing was checked."""
    found = {each.outcome for each in statements}
    return next((each for each in Outcome if each in found), Outcome.OPEN)


def fits(check: Check, text: str) -> Statement:
    """Say that something was checked and is as it should be."""
    return Statement(check, Outcome.FITS, text)


def wrong(check: Check, text: str) -> Statement:
    """Say that something is not as it should be."""
    return Statement(check, Outcome.WRONG, text)


def left_open(check: Check, text: str) -> Statement:
    """Say what could not be checked, and why."""
    return Statement(check, Outcome.OPEN, text)


def few(names: Sequence[str], most: int = 5) -> str:
    """Name the first of many."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _bundle(found: BundleVerification) -> dict[str, Any]:
    return {
        "bundle": found.bundle,
        "manifest_sha256": found.manifest_sha256,
        **found.facts,
        "outcome": found.outcome.value,
        "checks": [
            {"check": each.check.value, "outcome": each.outcome.value, "text": each.text}
            for each in found.statements
        ],
    }

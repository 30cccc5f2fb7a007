"""The manifest of a bundle, and every file against it.

A manifest has exactly one form, and so has SHA256SUMS: a byte that says nothing would be a byte that
nobody checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from keyaudit.evidence import layout
from keyaudit.evidence.opening import Opened, sound
from keyaudit.evidence.verification import Check, Statement, few, fits, wrong

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SUM = re.compile(r"(?P<digest>[0-9a-f]{64}) [ *](?P<name>[^\\]+)", re.ASCII)


class _Digest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: str


class _Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    digest: _Digest


class _Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    type_: str = msgspec.field(name="_type")
    subject: tuple[_Subject, ...]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself: its bytes, the digest of every file, and its claims."""

    content: bytes
    files: Mapping[str, str]
    predicate: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """What the next bundle of a chain calls it by."""
        return sha256(self.content).hexdigest()


class NotAManifestError(Exception):
    """What was read as a manifest is none; the message says why."""


def manifest(content: bytes) -> Manifest:
    """Read a manifest; raises NotAManifestError for anything but the one form that it can have."""
    try:
        read = msgspec.json.decode(content, type=_Statement)
        again = msgspec.json.encode(read, order="sorted")
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise NotAManifestError(f"{layout.MANIFEST} cannot be read: {error}") from None
    if again != content:
        raise NotAManifestError(f"{layout.MANIFEST} is not in the canonical form: sorted keys, no spaces")
    if read.type_ != layout.STATEMENT_TYPE or read.predicate_type != layout.PREDICATE_TYPE:
        raise NotAManifestError(f"{layout.MANIFEST} is no statement of the kind {layout.PREDICATE_TYPE}")
    files = {each.name: each.digest.sha256 for each in read.subject}
    bad = [name for name, digest in files.items() if not _SHA256.fullmatch(digest) or not sound(name)]
    if bad or len(files) < len(read.subject) or files.keys() & set(layout.UNLISTED):
        names = few(bad) or "a file twice, or one that is made of it"
        raise NotAManifestError(f"{layout.MANIFEST} names {names}")
    return Manifest(content, files, read.predicate)


def check_files(found: Opened, said: Manifest, copy: Path | None) -> Iterator[Statement]:
    """Compare every file with its digest and look for others; with `copy` the bytes are there afterwards."""
    flaws = 0
    for name in sorted(said.files.keys() | found.names - set(layout.UNLISTED)):
        flaw = _flaw(found, said, name, copy)
        if flaw is not None:
            flaws += 1
            yield wrong(Check.FILES, flaw)
    if not flaws:
        count = len(said.files)
        yield fits(
            Check.FILES, f"{count:,} files have the digests that the manifest names, and no other is there"
        )


def _flaw(found: Opened, said: Manifest, name: str, copy: Path | None) -> str | None:
    expected = said.files.get(name)
    if expected is None:
        return f"{name} was added: the manifest does not name it"
    if name not in found.names:
        return f"{name} is missing"
    try:
        digest = found.digest(name, None if copy is None else copy / name)
    except OSError as error:
        return f"{name} cannot be read: {error.strerror or error}"
    return None if digest == expected else f"{name} was changed: its SHA-256 is not the manifest's"


def check_sums(found: Opened, said: Manifest) -> Iterator[Statement]:
    """Compare SHA256SUMS, which people without keyaudit read, with the manifest."""
    try:
        lines = found.read(layout.SUMS).decode()
    except (OSError, UnicodeDecodeError):
        yield wrong(Check.SUMS, f"{layout.SUMS} cannot be read")
        return
    matches = [_SUM.fullmatch(line) for line in lines.split("\n")[:-1]]
    listed = [(match["name"], match["digest"]) for match in matches if match]
    if len(listed) < len(matches) or not lines.endswith("\n") or len(dict(listed)) < len(listed):
        yield wrong(Check.SUMS, f"{layout.SUMS} has a line that is none, or names a file twice")
    wanted = {name: digest for name, digest in said.files.items() if name != layout.SUMS}
    differing = sorted(name for name, _ in set(listed) ^ set(wanted.items()))
    if differing:
        names = few(list(dict.fromkeys(differing)))
        yield wrong(Check.SUMS, f"{layout.SUMS} does not say the same as the manifest of {names}")
    elif len(listed) == len(matches):
        yield fits(Check.SUMS, f"{layout.SUMS} says the same as the manifest")

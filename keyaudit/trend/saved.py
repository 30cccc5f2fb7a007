"""What a trend needs of a report document, and nothing else of it is decoded."""

from __future__ import annotations

from typing import Literal

import msgspec

from keyaudit import times
from keyaudit.errors import Problem
from keyaudit.report_document import SCHEMA

Key = tuple[str, str, str]
"""Which credential: source, scope, id."""
Place = tuple[str, str]
"""Which scope: source, scope."""


class Credential(msgspec.Struct, gc=False):
    """Which credential a finding is about."""

    source: str
    scope: str
    id: str

    @property
    def key(self) -> Key:
        """What tells it from every other."""
        return self.source, self.scope, self.id


class Finding(msgspec.Struct, gc=False):
    """One verdict that is not a pass; `fingerprint` is the same in every report."""

    rule: str
    verdict: Literal["fail", "unknown", "waived"]
    fingerprint: str
    credential: Credential | None


class Row(msgspec.Struct, gc=False):
    """One credential of the population. Ages are durations as text (`121d4h`), or not known."""

    source: str
    scope: str
    id: str
    environment: str | None
    owner: str | None
    age_min: str | None
    age_max: str | None
    worst: Literal["pass", "fail", "unknown", "not-applicable", "waived"]
    cls: str | None = msgspec.field(name="class")


class Scope(msgspec.Struct, gc=False):
    """One scope that was asked for and what came of it."""

    source: str
    scope: str
    status: Literal["complete", "partial", "failed", "empty"]


class Rule(msgspec.Struct, gc=False):
    """Whether a rule was on, and which columns it lacked somewhere."""

    id: str
    enabled: bool
    not_collected: frozenset[str]


class Policy(msgspec.Struct, gc=False):
    """Which policy governed."""

    name: str
    sha256: str


class Framework(msgspec.Struct, gc=False):
    """Which framework was asked for, and which text of it."""

    id: str
    sha256: str


class Tool(msgspec.Struct, gc=False):
    """Which program wrote the document."""

    name: Literal["keyaudit"]
    version: str


class Counts(msgspec.Struct, gc=False):
    """The verdicts, counted by the document itself."""

    verdicts: dict[str, int]


class Saved(msgspec.Struct):
    """One saved report."""

    schema: str
    tool: Tool
    as_of: str
    policy: Policy
    frameworks: tuple[Framework, ...]
    coverage: tuple[Scope, ...]
    summary: Counts
    rules: tuple[Rule, ...]
    findings: list[Finding]
    population: list[Row]
    sha256: str

    @property
    def instant(self) -> int:
        """When it judged as of, in microseconds since the epoch."""
        return times.parse_instant(self.as_of)


LISTED = ("fail", "unknown", "waived")
_DECODER = msgspec.json.Decoder(Saved)


def decode(content: bytes, file: str) -> Saved | Problem:
    """Read what is needed of a report document, or say what is wrong with `file`.

    Its counts must agree with its findings, which a document that lost some of them does not
    keep. The digest is not looked at: that takes thrice as long, and `report_document.read` does it.
    """
    try:
        saved = _DECODER.decode(content)
        _ = saved.instant
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return Problem(file, None, None, None, f"not a whole {SCHEMA} document: {error}")
    if saved.schema != SCHEMA:
        return Problem(file, None, None, "schema", f"expected {SCHEMA}")
    said = sum(saved.summary.verdicts.get(verdict, 0) for verdict in LISTED)
    if said != len(saved.findings):
        message = f"count {said:,} findings, but {len(saved.findings):,} are there"
        return Problem(file, None, None, "summary.verdicts", message)
    return saved

"""The recipe of a bundle, `keyaudit/audit/1`: all that an audit depends on, so that anybody can repeat it.

    schema            keyaudit/audit/1
    as_of             RFC 3339, as all instants; period its first and last instant, or null
    engine, fail_on   fail_on is null for a gate that no finding fails
    parts             what was judged, in the order in which it was put together: documents that were read
                      as one, or what one live source answered
    lineage           the rules of keyaudit.yaml, each with its match as plain data
    policy, earlier_policies, frameworks, records, history, audit_logs, baseline
                      history and audit_logs are what was condensed of files that the bundle has not
    sample            size, seed and strata, or null
    renderings        each document of `reports/` with the settings it was printed with
    evidence          what the documents, and VERIFY.md, say of the bundle: see `formats.verification_steps`

A file is its path in the bundle, its SHA-256 in hex, and the name under which it was given, which
problems and tables of a report show. Canonical JSON, as the manifest: sorted keys, no spaces.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import msgspec

from keyaudit import times
from keyaudit.errors import InputError, Problem
from keyaudit.evidence import matches
from keyaudit.evidence.layout import INPUTS, RECIPE_SCHEMA, REPORTS


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class InputFile(_Strict, frozen=True):
    """One input: where it lies in the bundle, its digest, and what it was called where it was read."""

    path: str
    sha256: str
    name: str


class Part(_Strict, frozen=True):
    """What was read or listed together, under the name by which it is called in problems.

    Either `documents`, or `live`: what a source answered, as `inventory.write(..., "ndjson")` prints it.
    """

    name: str
    documents: tuple[InputFile, ...] = ()
    live: InputFile | None = None


class Lineage(_Strict, frozen=True):
    """A rule that says which credentials are one."""

    match: Any
    lineage: str


class Span(_Strict, frozen=True):
    """The first and the last instant of a period."""

    first: str
    last: str


class EarlierPolicy(_Strict, frozen=True):
    """A policy that governed up to, and including, an instant."""

    file: InputFile
    until: str


class SampleAsked(_Strict, frozen=True):
    """What a sample was asked for with."""

    size: int
    seed: str
    strata: tuple[str, ...]


class Rendering(_Strict, frozen=True):
    """One document of the bundle: its format, its path, and the settings that only its maker could say.

    Settings that are no plain data are written as `evidence.settings` says.
    """

    format: str
    path: str
    settings: dict[str, Any]


class Recipe(_Strict, frozen=True):
    """All that an audit depends on beside the program itself."""

    schema: str
    as_of: str
    period: Span | None
    engine: str
    fail_on: str | None
    parts: tuple[Part, ...]
    lineage: tuple[Lineage, ...]
    policy: InputFile
    earlier_policies: tuple[EarlierPolicy, ...]
    frameworks: tuple[InputFile, ...]
    records: tuple[InputFile, ...] | None
    history: InputFile | None
    audit_logs: InputFile | None
    baseline: InputFile | None
    sample: SampleAsked | None
    renderings: tuple[Rendering, ...]
    evidence: dict[str, Any]

    @property
    def files(self) -> tuple[InputFile, ...]:
        """Every input there is, in the order of the recipe."""
        listed: list[InputFile | None] = []
        for part in self.parts:
            listed += [*part.documents, part.live]
        listed += [self.policy, *(each.file for each in self.earlier_policies), *self.frameworks]
        listed += [*(self.records or ()), self.history, self.audit_logs, self.baseline]
        return tuple(file for file in listed if file is not None)


def write(recipe: Recipe) -> bytes:
    """Print a recipe."""
    return msgspec.json.encode(recipe, order="sorted")


def read(content: bytes, file: str) -> Recipe:
    """Read a recipe; raises InputError for anything that `write` would not have printed.

    Paths lead nowhere but into the folder of inputs, and none of them twice.
    """
    try:
        recipe = msgspec.json.decode(content, type=Recipe)
        problem = _problem(recipe)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
        problem = str(error)
    if problem is None and write(recipe) != content:
        problem = "not in the canonical form: sorted keys, no spaces, each key once"
    if problem is not None:
        raise InputError([Problem(file, None, None, None, problem)])
    return recipe


def _problem(recipe: Recipe) -> str | None:
    """Say what is wrong with a recipe that has the right form; raises ValueError, in a sentence."""
    if recipe.schema != RECIPE_SCHEMA:
        return f"expected the schema {RECIPE_SCHEMA}"
    times.parse_instant(recipe.as_of)
    for end in () if recipe.period is None else (recipe.period.first, recipe.period.last):
        times.parse_instant(end)
    for earlier in recipe.earlier_policies:
        times.parse_instant(earlier.until)
    for rule in recipe.lineage:
        matches.from_data(rule.match)
    for part in recipe.parts:
        if bool(part.documents) == (part.live is not None):
            return "a part has documents, or is one live source"
    if unfit := next((each for each in recipe.renderings if not _fit(each)), None):
        return f"{unfit.path[:200]!r} is not where a document in the format {unfit.format[:40]!r} lies"
    if len({each.format for each in recipe.renderings}) < len(recipe.renderings):
        return "one format is named twice"
    paths = [input_.path for input_ in recipe.files]
    if wrong := next((path for path in paths if not _inside(path)), None):
        return f"{wrong[:200]!r} is no file under {INPUTS}/"
    return "one path is named twice" if len(set(paths)) < len(paths) else None


def _fit(rendering: Rendering) -> bool:
    """Say whether a document would lie under its own name: elsewhere it could stand in for another."""
    from keyaudit.formats import FORMATS

    known = FORMATS.get(rendering.format)
    return known is not None and rendering.path == f"{REPORTS}/{known.file}"


def _inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return len(parts) > 1 and parts[0] == INPUTS and ".." not in parts and "/".join(parts) == path

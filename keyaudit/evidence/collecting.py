"""What a bundle is made of: the recipe of an audit, and where the bytes of each of its inputs are.

A scan hands over what it read. Files are copied byte for byte and compared with the digests of what was
read, so that a file which changed meanwhile is noticed and not believed. Audit logs are not copied: they may
hold values. Of them, as of earlier inventories, the bundle has the document of what was taken from them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from keyaudit import times
from keyaudit.errors import UsageError
from keyaudit.evidence import layout, matches, settings
from keyaudit.evidence.recipe import (
    EarlierPolicy,
    InputFile,
    Lineage,
    Part,
    Recipe,
    Rendering,
    SampleAsked,
    Span,
)

if TYPE_CHECKING:
    from keyaudit.inventory.linking import LineageRule
    from keyaudit.model import Framework, Inventory, Policy
    from keyaudit.rotation_record import RecordFile

LONGEST_NAME, LONGEST_SUFFIX = 70, 20
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_CHANGED = "a bundle holds what was audited: run the scan again while nothing writes to it"


@dataclass(frozen=True)
class Material:
    """What an audit was made of, as the scan that made it has it.

    `documents` are the paths of the first part, if there are any; `names` what the parts are called.
    `framework_files` go with `frameworks`. `period` is its first and last instant, `earlier` policies
    with the instant up to which each governed. `history` and `audit_logs` are condensed documents,
    `baseline` the name and the bytes of an earlier report, `renderings` the settings of each format by its
    name.
    """

    documents: Sequence[str]
    parts: Sequence[Inventory]
    names: Sequence[str]
    lineage: Sequence[LineageRule]
    policy: Policy
    frameworks: Sequence[Framework]
    framework_files: Sequence[Path]
    as_of: int
    engine: str
    fail_on: str | None
    period: tuple[int, int] | None = None
    records: Sequence[RecordFile] | None = None
    earlier: Sequence[tuple[Policy, int]] = ()
    history: bytes | None = None
    audit_logs: bytes | None = None
    baseline: tuple[str, bytes] | None = None
    sample: tuple[int, str, tuple[str, ...]] | None = None
    renderings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass
class _Gathered:
    """Inputs by their path in the bundle; a path is given once."""

    contents: dict[str, bytes] = field(default_factory=dict)

    def add(self, folder: str, called: str, content: bytes, *, name: str, as_read: str | None) -> InputFile:
        """Take an input; raises UsageError where its bytes are no longer those that were read."""
        digest = hashlib.sha256(content).hexdigest()
        if as_read is not None and digest != as_read:
            raise UsageError(f"{name}: changed while it was audited", hint=_CHANGED)
        path = f"{folder}/{called}" if called else folder
        while path in self.contents:
            stem, dot, suffix = path.rpartition(".")
            path = f"{stem}-again{dot}{suffix}"
        self.contents[path] = content
        return InputFile(path=path, sha256=digest, name=name)


def collect(material: Material) -> tuple[Recipe, Mapping[str, bytes]]:
    """Give the recipe of an audit, and its inputs by path.

    The recipe's `evidence` is left for whoever knows the bundle and its signer.
    Raises UsageError for what cannot be kept: an inventory from stdin or a pipe, a file that changed, or
    went away, since it was read.
    """
    found = _Gathered()
    period = material.period
    sample = material.sample
    recipe = Recipe(
        schema=layout.RECIPE_SCHEMA,
        as_of=times.format_instant(material.as_of),
        period=period and Span(first=times.format_instant(period[0]), last=times.format_instant(period[1])),
        engine=material.engine,
        fail_on=material.fail_on,
        parts=_parts(material, found),
        lineage=tuple(
            Lineage(match=matches.to_data(rule.match), lineage=rule.lineage) for rule in material.lineage
        ),
        policy=_policy(material.policy, layout.POLICY, found),
        earlier_policies=_earlier(material, found),
        frameworks=_frameworks(material, found),
        records=_records(material.records, found),
        history=_whole(layout.HISTORY, material.history, found),
        audit_logs=_whole(layout.AUDIT_LOGS, material.audit_logs, found),
        baseline=_baseline(material.baseline, found),
        sample=sample and SampleAsked(size=sample[0], seed=sample[1], strata=sample[2]),
        renderings=_renderings(material.renderings),
        evidence={},
    )
    return recipe, found.contents


def refuse_streams(documents: Sequence[str]) -> None:
    """Raise UsageError for a document that can be read only once, before anything is done."""
    from keyaudit.inventory.opening import is_stream

    if any(is_stream(document) for document in documents):
        raise UsageError(
            "a bundle keeps its inputs byte for byte, and stdin or a pipe is gone once it was read",
            hint="write it to a file first, and name that",
        )


def _parts(material: Material, found: _Gathered) -> tuple[Part, ...]:
    parts = []
    for number, (part, name) in enumerate(zip(material.parts, material.names, strict=True)):
        if number == 0 and material.documents:
            parts.append(Part(name=name, documents=_documents(material.documents, part, found)))
            continue
        from keyaudit import inventory

        content = inventory.write(part, "ndjson")
        called = f"source-{_fit(name)}.ndjson"
        live = found.add(layout.INVENTORIES, called, content, name=name, as_read=part.sha256)
        parts.append(Part(name=name, live=live))
    return tuple(parts)


def _documents(paths: Sequence[str], part: Inventory, found: _Gathered) -> tuple[InputFile, ...]:
    refuse_streams(paths)
    width = max(2, len(str(len(paths))))
    kept = tuple(
        found.add(
            layout.INVENTORIES,
            f"{number:0{width}}-{_fit(PurePath(path).name)}",
            _bytes(Path(path)),
            name=str(path),
            as_read=None,
        )
        for number, path in enumerate(paths, start=1)
    )
    from keyaudit.inventory.assemble import together

    if together([each.sha256 for each in kept]) != part.sha256:
        named = ", ".join(map(str, paths))
        raise UsageError(f"{named}: changed while it was audited", hint=_CHANGED)
    return kept


def _policy(policy: Policy, path: str, found: _Gathered) -> InputFile:
    from keyaudit.policy import shipped

    file, ours = Path(policy.file), shipped.folder("default.yaml")
    if policy.file == ours.name and not (file.is_file() and _digest(file) == policy.sha256):
        file = ours  # nobody gave one
    return found.add(path, "", _bytes(file), name=policy.file, as_read=policy.sha256)


def _earlier(material: Material, found: _Gathered) -> tuple[EarlierPolicy, ...]:
    return tuple(
        EarlierPolicy(
            file=_policy(policy, f"{layout.EARLIER_POLICIES}/{number:02}.yaml", found),
            until=times.format_instant(until),
        )
        for number, (policy, until) in enumerate(material.earlier, start=1)
    )


def _frameworks(material: Material, found: _Gathered) -> tuple[InputFile, ...]:
    return tuple(
        found.add(
            layout.FRAMEWORKS,
            f"{framework.id}.yaml",
            _bytes(file),
            name=framework.id,
            as_read=framework.sha256,
        )
        for framework, file in zip(material.frameworks, material.framework_files, strict=True)
    )


def _records(files: Sequence[RecordFile] | None, found: _Gathered) -> tuple[InputFile, ...] | None:
    if files is None:
        return None
    width = max(2, len(str(len(files))))
    kept = []
    for number, file in enumerate(files, start=1):
        if file.sha256 is None:
            hint = "a bundle holds what was audited: make it readable, or leave it out"
            raise UsageError(f"{file.file}: evidence that cannot be read", hint=hint)
        called = f"{number:0{width}}-{_fit(PurePath(file.file).name)}"
        content = _bytes(Path(file.file))
        kept.append(found.add(layout.RECORDS, called, content, name=file.file, as_read=file.sha256))
    return tuple(kept)


def _baseline(baseline: tuple[str, bytes] | None, found: _Gathered) -> InputFile | None:
    if baseline is None:
        return None
    name, content = baseline
    return found.add(layout.BASELINE, "", content, name=name, as_read=None)


def _whole(path: str, content: bytes | None, found: _Gathered) -> InputFile | None:
    return None if content is None else found.add(path, "", content, name=path, as_read=None)


def _renderings(asked: Mapping[str, Mapping[str, Any]]) -> tuple[Rendering, ...]:
    from keyaudit.formats import FORMATS

    return tuple(
        Rendering(
            format=name,
            path=f"{layout.REPORTS}/{FORMATS[name].file}",
            settings={key: settings.to_data(value) for key, value in options.items()},
        )
        for name, options in asked.items()
    )


def _digest(file: Path) -> str:
    return hashlib.sha256(_bytes(file)).hexdigest()


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}, after it was audited", hint=_CHANGED) from None


def _fit(name: str) -> str:
    """Make a file's name of what may stand in one on every system; its suffix says its format, and stays."""
    path = PurePath(name)
    stem, suffix = (_UNFIT.sub("-", part).strip("-.") for part in (path.stem, path.suffix))
    kept = stem[-LONGEST_NAME:].lstrip("-.") or "unnamed"
    return f"{kept}.{suffix[:LONGEST_SUFFIX]}" if suffix else kept

"""Auditing again, from the inputs that lie in a bundle and from nothing else.

These are the functions that `keyaudit scan` calls, in its order. Names under which inputs were given are
put back, for reports show them; where files lay is otherwise of no consequence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit import times
from keyaudit.evidence import layout, matches, settings
from keyaudit.evidence.recipe import InputFile, Part, Recipe

if TYPE_CHECKING:
    from keyaudit.history.logs import AuditLogs
    from keyaudit.model import Framework, Inventory, Policy, Report
    from keyaudit.rotation_record import RecordFile


def remade(folder: Path, recipe: Recipe) -> tuple[Report, dict[str, bytes]]:
    """Make the report of a bundle anew, and all that a bundle has beside inputs, recipe and digests.

    Raises what `replay` and `outputs` raise.
    """
    report = replay(folder, recipe)
    return report, {**outputs(report, recipe), **policy_document(folder, recipe)}


def replay(folder: Path, recipe: Recipe) -> Report:
    """Make the report of a bundle anew, from the inputs under `folder`.

    The folder's files are taken for what the recipe says that they are: whoever did not just write them
    compares their digests first. Raises what `scan` raises for inputs that cannot be read.
    """
    from keyaudit.audit import audit
    from keyaudit.model import Severity

    policy, frameworks = governing(folder, recipe)
    records = _records(folder, recipe.records)
    report = audit(
        _inventory(folder, recipe, records),
        policy,
        frameworks,
        times.parse_instant(recipe.as_of),
        _period(recipe),
        records=records,
        earlier=_earlier(folder, recipe, frameworks),
        engine=recipe.engine,
        fail_on=None if recipe.fail_on is None else Severity(recipe.fail_on),
    )
    return _sampled(recipe, _held(folder, recipe, report))


def governing(folder: Path, recipe: Recipe) -> tuple[Policy, tuple[Framework, ...]]:
    """Read the policy and the frameworks of a bundle; raises PolicyError, UsageError."""
    from keyaudit.evidence.governing import governed
    from keyaudit.policy.frameworks import load
    from keyaudit.rules import CATALOGUE

    frameworks = load([str(folder / each.path) for each in recipe.frameworks], CATALOGUE)
    return replace(governed(folder / recipe.policy.path, frameworks), file=recipe.policy.name), frameworks


def _earlier(
    folder: Path, recipe: Recipe, frameworks: tuple[Framework, ...]
) -> tuple[tuple[Policy, int], ...]:
    """Read the policies that governed before; raises PolicyError, UsageError."""
    from keyaudit.evidence.governing import governed

    return tuple(
        (
            replace(governed(folder / each.file.path, frameworks), file=each.file.name),
            times.parse_instant(each.until),
        )
        for each in recipe.earlier_policies
    )


def policy_document(folder: Path, recipe: Recipe) -> dict[str, bytes]:
    """Print the policy of a bundle as it is understood, by path; raises PolicyError, UsageError."""
    from keyaudit.evidence.resolved import resolved

    return {layout.RESOLVED_POLICY: resolved(governing(folder, recipe)[0])}


def outputs(report: Report, recipe: Recipe) -> dict[str, bytes]:
    """Print every document that a bundle has of its report, by path.

    Raises what `formats.render` raises.
    """
    from keyaudit.formats import render, verification_steps

    evidence = settings.from_data({"$evidence": recipe.evidence}, layout.RECIPE)
    found = {path: render(name, report) for path, name in _always(report).items()}
    found[layout.COVERAGE] = _coverage(report)
    found[layout.STEPS] = verification_steps.document(evidence)
    for each in recipe.renderings:
        said = {name: settings.from_data(value, layout.RECIPE) for name, value in each.settings.items()}
        if each.format in EVIDENCED:
            said["evidence"] = evidence
        found[each.path] = render(each.format, report, **said)
    return found


EVIDENCED: tuple[str, ...] = ("html", "pdf")
"""Formats that say how to verify the bundle that they lie in."""


def _always(report: Report) -> Mapping[str, str]:
    """Say which documents lie in every bundle, and in which format."""
    tables = {layout.REPORT: "json", layout.FINDINGS: "csv"}
    if report.ledger is not None:
        tables[layout.LEDGER] = "ledger"
    if report.sample is not None:
        tables[layout.SAMPLE] = "sample"
    return tables


COVERAGE_COLUMNS = (
    "source", "scope", "status", "credentials", "versions", "calls", "pages", "started_at", "finished_at",
    "reason", "cannot_know", "identity",
)  # fmt: skip


def _coverage(report: Report) -> bytes:
    """Print what was asked for and what came of it, one row a scope."""
    from keyaudit.formats.csv_table import table

    def cell(name: str, value: Any) -> str | None:
        if value is None:
            return None
        if name in {"started_at", "finished_at"}:
            return times.format_instant(value)
        return "; ".join(value) if isinstance(value, tuple) else str(value)

    rows = (tuple(cell(name, getattr(scope, name)) for name in COVERAGE_COLUMNS) for scope in report.coverage)
    return table(COVERAGE_COLUMNS, rows)


def _period(recipe: Recipe) -> tuple[int, int] | None:
    if recipe.period is None:
        return None
    return times.parse_instant(recipe.period.first), times.parse_instant(recipe.period.last)


def _inventory(folder: Path, recipe: Recipe, records: Sequence[RecordFile] | None) -> Inventory:
    """Put the parts together exactly as they were: their order and grouping decide on the digest."""
    from keyaudit import history, inventory
    from keyaudit.history.widening import widen
    from keyaudit.inventory.linking import LineageRule

    parts = [inventory.read([folder / each.path for each in _files(part)]) for part in recipe.parts]
    merged = inventory.merge(parts, [part.name for part in recipe.parts])
    rules = [LineageRule(matches.from_data(rule.match), rule.lineage) for rule in recipe.lineage]
    linked = inventory.link(merged, rules).inventory
    chronicle = None if recipe.history is None else history.read([folder / recipe.history.path])
    return widen(linked, chronicle, _logs(folder, recipe), records).inventory


def _logs(folder: Path, recipe: Recipe) -> AuditLogs | None:
    if recipe.audit_logs is None:
        return None
    from keyaudit.history.logs import document

    return document.read((folder / recipe.audit_logs.path).read_bytes(), recipe.audit_logs.name)


def _files(part: Part) -> Sequence[InputFile]:
    return part.documents if part.live is None else (part.live,)


def _records(folder: Path, files: Sequence[InputFile] | None) -> tuple[RecordFile, ...] | None:
    if files is None:
        return None
    from keyaudit.rotation_record import read_files

    read = read_files([folder / each.path for each in files])
    return tuple(_renamed(record, each.name) for record, each in zip(read, files, strict=True))


def _renamed(file: RecordFile, name: str) -> RecordFile:
    return replace(
        file,
        file=name,
        records=tuple(replace(record, file=name) for record in file.records),
        problems=tuple(replace(problem, file=name) for problem in file.problems),
    )


def _held(folder: Path, recipe: Recipe, report: Report) -> Report:
    if recipe.baseline is None:
        return report
    from keyaudit import report_document
    from keyaudit.report_difference.ratchet import hold

    content = (folder / recipe.baseline.path).read_bytes()
    return hold(report, report_document.read(content, file=recipe.baseline.name))


def _sampled(recipe: Recipe, report: Report) -> Report:
    asked = recipe.sample
    if asked is None:
        return report
    from keyaudit.evidence.sampling import draw

    return replace(report, sample=draw(report.population, asked.size, asked.seed, asked.strata))

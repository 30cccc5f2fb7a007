"""One credential in words: what was known of it, what is required of it and why, how it fared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keyaudit.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from keyaudit.model import Inventory, PopulationRow, Report
    from keyaudit.policy.explain import Explanation, Required, Step

MOST_CANDIDATES = 10
_MARKS = {True: "yes", False: "no", None: "not known"}


def find(inventory: Inventory, wanted: str) -> dict[str, Any]:
    """Give the row of the credential that has this id or name; raises UsageError for none or several."""
    import polars as pl

    listed = inventory.credentials.select("row", "source", "scope", "id", "name").collect()
    hits = listed.filter((pl.col("id") == wanted) | (pl.col("name") == wanted))
    if hits.height == 1:
        found = inventory.credentials.filter(pl.col("row") == hits["row"][0]).collect()
        return found.row(0, named=True)
    if hits.height:
        some = [
            f"{source} {scope} {identity}"
            for _, source, scope, identity, _ in hits.head(MOST_CANDIDATES).rows()
        ]
        raise UsageError(
            f"{hits.height:,} credentials are called {wanted!r}", hint=f"give an id: {'; '.join(some)}"
        )
    meant = did_you_mean(wanted, listed["name"].to_list()) or did_you_mean(wanted, listed["id"].to_list())
    raise UsageError(
        f"no credential is called {wanted!r}",
        hint=meant.removeprefix("; ") or "keyaudit inventory show counts them",
    )


def in_words(explanation: Explanation) -> Iterator[str]:
    """Say which clauses were looked at, in their order, and what is required in the end."""
    from keyaudit.formats.visible import visible

    row = explanation.row
    yield f"{visible(str(row['name']))}  ({visible(str(row['source']))} {visible(str(row['scope']))})"
    yield f"  id {visible(str(row['id']))}"
    facts = ("class", "provider", "environment", "tier", "owner", "lineage", "reach", "exposure", "consumers")
    known = [f"{name} {visible(str(row[name]))}" for name in facts if row.get(name) is not None]
    yield f"  {', '.join(known) or 'nothing that a policy could match on'}"
    yield from _steps(
        "Classifications: each blank is filled by the first that applies", explanation.classifications
    )
    yield from _steps("Schedules: the first that applies counts", explanation.schedules)
    yield from _steps("Risk factors: each that applies shortens the period", explanation.risk)
    yield ""
    yield f"Required by the policy: {_required(explanation.required)}"
    for framework in explanation.frameworks:
        if framework.in_scope is not True:
            why = "out of its scope" if framework.in_scope is False else "its scope cannot be judged"
            yield f"Required by {framework.id}: nothing more ({why})"
            continue
        yield from _steps(f"What {framework.id} adds", framework.steps)
        yield f"Required by {framework.id}: {_required(framework.required)}"
    yield from _steps("Waivers", explanation.waivers)


def _steps(title: str, steps: Sequence[Step]) -> Iterator[str]:
    from keyaudit.formats.visible import visible

    if not steps:
        return
    yield ""
    yield title
    width = max(len(step.outcome) for step in steps)
    for step in steps:
        says = f": {visible(step.says)}" if step.says else ""
        yield f"  {step.outcome.ljust(width)}  {visible(step.name)}{says}"
        if step.outcome != "not reached":
            for test, held in step.tests:
                yield f"  {' ' * width}    {_MARKS[held]}: {visible(test)}"


def _required(required: Required) -> str:
    from keyaudit.times import format_duration

    if required.rotation_period is None:
        return "no period; no schedule applies"
    said = [f"rotation every {format_duration(required.rotation_period)}"]
    if required.overdue_tolerance:
        said.append(f"tolerance {format_duration(required.overdue_tolerance)}")
    if required.grace_period is not None:
        said.append(f"grace {format_duration(required.grace_period)}")
    if required.automatic:
        said.append("automatically")
    return f"{', '.join(said)} ({required.clause or f'schedule {required.schedule}'})"


def how_it_fared(report: Report, row: Mapping[str, Any]) -> Iterator[str]:
    """Say how old the value is, when it is due and what failed, as of the instant of the audit."""
    from keyaudit.formats.visible import visible
    from keyaudit.times import format_instant

    key = (row["source"], row["scope"], row["id"])
    mine = next(one for one in report.population if (one.source, one.scope, one.id) == key)
    yield ""
    yield f"As of {format_instant(report.as_of)}"
    yield f"  age: {_age(mine)}"
    yield f"  due: {'not known' if mine.due_at is None else format_instant(mine.due_at)}"
    found = [finding for finding in report.findings if _about(finding.credential, key)]
    if not found:
        yield "  nothing failed, and nothing that was asked is unknown"
    for finding in found:
        severity = f" {finding.severity}" if finding.severity else ""
        yield f"  {finding.verdict}{severity}: {finding.rule} {finding.name}: {visible(finding.message)}"


def _about(credential: Any, key: tuple[str, str, str]) -> bool:
    return credential is not None and (credential.source, credential.scope, credential.id) == key


def _age(row: PopulationRow) -> str:
    from keyaudit.times import describe_duration

    if row.age_min is not None and row.age_min == row.age_max:
        return describe_duration(row.age_min)
    bounds = [
        f"{word} {describe_duration(bound)}"
        for word, bound in (("at least", row.age_min), ("at most", row.age_max))
        if bound is not None
    ]
    return " and ".join(bounds) or "not known"

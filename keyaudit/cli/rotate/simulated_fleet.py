"""Whose rotations are simulated: invented credentials, or those of an inventory, under one policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keyaudit.model import Framework, Policy, PopulationRow
    from keyaudit.rotation.simulation.fleet import Subject
    from keyaudit.rotation.simulation.playing import Setting

MOST_APPLICATIONS = 5
"""More than these say nothing further, and take longer to play."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to play: documents, or a number of invented credentials; `lineage` as in keyaudit.yaml."""

    inventories: Sequence[str]
    credentials: int
    frameworks: Sequence[str]
    lineage: Any


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who is rotated under a policy. `left_out` says how many are not, by why."""

    policy: str
    subjects: Sequence[Subject]
    left_out: Mapping[str, int]


def chosen(wanted: Chosen, policy: str | None, setting: Setting) -> Fleet:
    """Put together who is rotated under the policy of a file (None: the shipped one).

    Raises PolicyError, InventoryError, UsageError.
    """
    from keyaudit.cli.gathering import governing

    rules, frameworks = governing(policy, wanted.frameworks)
    found = (
        _listed(wanted, rules, frameworks, setting)
        if wanted.inventories
        else _invented(wanted.credentials, rules, frameworks, setting)
    )
    left_out: dict[str, int] = {}
    subjects = []
    for subject in found:
        if isinstance(subject, str):
            left_out[subject] = left_out.get(subject, 0) + 1
        else:
            subjects.append(subject)
    return Fleet(policy or "the shipped policy", subjects, left_out)


def _invented(
    number: int, policy: Policy, frameworks: Sequence[Framework], setting: Setting
) -> list[Subject | str]:
    """Ask the policy about invented credentials, each somewhere in its period."""
    from keyaudit.policy.explain import explain
    from keyaudit.rotation.simulation.fleet import Subject, invented

    found: list[Subject | str] = []
    for row in invented(number, setting.seed):
        said = explain(policy, frameworks, row)
        required = [said.required, *(each.required for each in said.frameworks if each.in_scope)]
        periods = [each for each in required if each.rotation_period is not None]
        if not periods:
            found.append("no schedule applies")
            continue
        strictest = min(periods, key=lambda each: each.rotation_period or 0)
        period = strictest.rotation_period or 0
        name = str(row["name"])
        draw = Random(f"{setting.seed}|{name}|age")  # noqa: S311 - a game of chance, not a secret
        found.append(
            Subject(
                name,
                str(row["environment"]),
                strictest.schedule or strictest.clause or "",
                period,
                min((each.grace_period for each in required if each.grace_period is not None), default=None),
                age=int(draw.random() * period),
                applications=int(str(row["consumers"])),
            )
        )
    return found


def _listed(
    wanted: Chosen, policy: Policy, frameworks: Sequence[Framework], setting: Setting
) -> list[Subject | str]:
    """Audit an inventory as of the start, for what is required of each credential and how old it is."""
    from keyaudit import inventory
    from keyaudit.audit import audit
    from keyaudit.cli.lineage import linked

    listed = linked(wanted.lineage, inventory.read(wanted.inventories))
    columns = listed.credentials.select("source", "scope", "id", "consumers", "user_owned").collect()
    facts = {row[:3]: row[3:] for row in columns.iter_rows()}
    report = audit(listed, policy, frameworks, setting.start)
    return [_subject(row, *facts[row.source, row.scope, row.id]) for row in report.population]


def _subject(row: PopulationRow, consumers: int | None, user_owned: bool | None) -> Subject | str:  # noqa: FBT001  # a column
    from keyaudit.model import Verdict
    from keyaudit.rotation.simulation.fleet import Subject

    if user_owned:
        return "their users' own: theirs to rotate"
    if row.worst is Verdict.NOT_APPLICABLE:
        return "not in use"
    if row.rotation_period is None:
        return "no schedule applies"
    if row.age_max is None:
        return "nobody knows how old it is"
    return Subject(
        f"{row.source} {row.scope} {row.id}",
        row.environment,
        row.schedule or "",
        row.rotation_period,
        row.grace_period,
        age=max(row.age_max, 0),
        applications=min(max(consumers or 1, 1), MOST_APPLICATIONS),
    )

"""The pipeline, one screen: inventory → facts → verdicts → report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from keyaudit import engine as engines
from keyaudit import facts, report, verdicts
from keyaudit.inventory import holding
from keyaudit.model import Framework, Inventory, Policy, Report, Severity
from keyaudit.policy import classify, requirements, texts
from keyaudit.report import population, questions
from keyaudit.rules import RULES

if TYPE_CHECKING:
    import narwhals as nw

_ABOUT_CREDENTIALS = tuple(rule for rule in RULES if rule.subject == "credential")


def audit(
    inventory: Inventory,
    policy: Policy,
    frameworks: Sequence[Framework],
    as_of: int,
    *,
    engine: str = "polars",
    fail_on: Severity | None = Severity.HIGH,
) -> Report:
    """Judge every credential by every rule, for the policy and for each framework.

    `as_of` is the instant of the audit in microseconds since the epoch; the same inventory,
    policy and `as_of` give the same report on any machine and engine. `fail_on` is the mildest
    severity that fails the gate, None for a gate that no finding fails. Raises UsageError for an
    unknown engine and MissingExtraError for one that is not installed.
    """
    run = engines.engine(engine)
    demands = (*requirements.requirements(policy, frameworks), *texts.texts(policy, frameworks))
    requirement_of = {name: k for k, demand in enumerate(demands) for name in demand.frameworks}
    text_of = {control: k for k, demand in enumerate(demands) for control in demand.controls}
    collections = classify.carried(inventory.collections, policy)
    collected = frozenset[str]().union(*(collection.columns for collection in collections))

    listed = classify.apply(run.open(inventory), policy)
    gathered = facts.gather(listed, as_of=as_of, collected=collected, engine=run)

    def judge(some: nw.LazyFrame[Any]) -> tuple[nw.LazyFrame[Any], tuple[verdicts.Judged, ...]]:
        known = facts.known(some, as_of=as_of)
        return verdicts.judge(known, _ABOUT_CREDENTIALS, policy.settings, demands, collections)

    frame, judged = judge(gathered)
    populations = questions.Populations()
    laid = questions.places(policy, frameworks, requirement_of, text_of, judged, populations)
    frame = populations.add(frame)
    asked = (questions.counts(frame, judged, laid), questions.suspicious(frame, judged))
    aside = (questions.by_schedule(frame), questions.scopes(listed))
    counts, suspicious, schedules, scopes = run.collect([*asked, *aside])
    few = populations.add(judge(run.among(gathered, suspicious["row"]))[0])
    [suspects] = run.collect([questions.suspects(few, judged, populations, len(demands))])
    outcome = report.Outcome(
        counts=counts.row(0, named=True),
        suspects=suspects,
        schedules=dict(schedules.iter_rows()),
        scopes=frozenset(scopes.iter_rows()),
        orphans=lambda: run.collect([holding.keys_in_use(frame)])[0],
        population=lambda: run.collect([population.question(frame, judged, len(demands))])[0],
        judged=judged,
        laid=laid,
    )
    return report.build(outcome, inventory, policy, frameworks, RULES, as_of, fail_on)

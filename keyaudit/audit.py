"""The pipeline, one screen: inventory → facts → verdicts → report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from keyaudit import engine as engines
from keyaudit import facts, report, verdicts
from keyaudit.columns import BESIDE
from keyaudit.errors import UsageError
from keyaudit.facts import lives
from keyaudit.facts.promotions import Period
from keyaudit.inventory import holding
from keyaudit.model import Framework, Inventory, Policy, Report, Severity
from keyaudit.policy import approvals, classify, requirements
from keyaudit.policy import earlier as former
from keyaudit.report import ledger_asking, population, questions
from keyaudit.rules import RULES
from keyaudit.times import format_instant

if TYPE_CHECKING:
    from keyaudit.engine import Frame
    from keyaudit.rotation_record import RecordFile


def audit(
    inventory: Inventory,
    policy: Policy,
    frameworks: Sequence[Framework],
    as_of: int,
    period: tuple[int, int] | None = None,
    *,
    records: Sequence[RecordFile] | None = None,
    earlier: Sequence[tuple[Policy, int]] = (),
    engine: str = "polars",
    fail_on: Severity | None = Severity.HIGH,
) -> Report:
    """Judge every credential by every rule, for the policy and for each framework.

    `as_of` is the instant of the audit in microseconds since the epoch; the same inventory,
    policy and `as_of` give the same report on any machine and engine. `period`, its first and last
    instant, is audited beside that; `records` are its rotation records, None if nobody gave any.
    `earlier` are policies that governed before, in the order of time, each with the last instant at which
    it did: what was required in a part of the period is what the policy of that part said.
    `fail_on` is the mildest severity that fails the gate, None for a gate that no finding fails. Raises
    UsageError for an unknown engine, a period that is not over, or earlier policies that are not in the
    order of time, MissingExtraError for a missing engine.
    """
    run, governed = engines.engine(engine), former.governed(policy, earlier, period)
    over = _over(period, records, as_of, governed)
    rules = [rule for rule in RULES if over is not None or not rule.of_period]
    about = [rule for rule in rules if rule.subject == "credential"]
    demands, then = former.demanded(policy, governed.former, frameworks)
    given = () if over is None or over.promotions is None else BESIDE
    collections = classify.carried(inventory.collections, policy, given)
    collected = frozenset[str]().union(*(collection.columns for collection in collections))

    listed = classify.apply(run.open(inventory), policy)
    values = None if over is None else lives.values(listed, over, run)
    gathered = facts.gather(listed, as_of=as_of, collected=collected, engine=run, period=over, values=values)
    judging = None if over is None else verdicts.Over(over, then)

    def judge(some: Frame) -> tuple[Frame, tuple[verdicts.Judged, ...]]:
        known = facts.known(some, as_of=as_of)
        return verdicts.judge(known, about, policy.settings, demands, collections, judging)

    def asked(frame: Frame) -> ledger_asking.Asking | None:
        within = policy.settings["rotation-undocumented"].params["within"]
        return ledger_asking.asking(run, frame, over, values, len(demands), within)

    outcome = _answered(run, listed, gathered, judge, asked, policy, frameworks, demands)
    inputs = report.Inputs(inventory, policy, frameworks, rules, as_of, period, records, governed.policies)
    return report.build(outcome, inputs, fail_on)


def _answered(
    run: engines.Engine,
    listed: Frame,
    gathered: Frame,
    judge: Callable[[Frame], tuple[Frame, tuple[verdicts.Judged, ...]]],
    happened: Callable[[Frame], ledger_asking.Asking | None],
    policy: Policy,
    frameworks: Sequence[Framework],
    demands: Sequence[requirements.Requirement],
) -> report.Outcome:
    """Have the engine judge all credentials and count, then show those that did not pass."""
    requirement_of = {name: k for k, demand in enumerate(demands) for name in demand.frameworks}
    text_of = {control: k for k, demand in enumerate(demands) for control in demand.controls}
    frame, judged = judge(gathered)
    populations = questions.Populations()
    laid = questions.places(policy, frameworks, requirement_of, text_of, judged, populations)
    frame = populations.add(frame)
    asked = [questions.counts(frame, judged, laid), questions.suspicious(frame, judged)]
    aside, of_period = [questions.by_schedule(frame), questions.scopes(listed)], happened(frame)
    counts, suspicious, schedules, scopes, *counted = run.collect(
        [*asked, *aside, *(of_period.counts if of_period else ())]
    )
    few = populations.add(judge(run.among(gathered, suspicious["row"]))[0])
    [suspects] = run.collect([questions.suspects(few, judged, populations, len(demands))])
    return report.Outcome(
        counts=counts.row(0, named=True),
        suspects=suspects,
        schedules=dict(schedules.iter_rows()),
        scopes=frozenset(scopes.iter_rows()),
        orphans=lambda: run.collect([holding.keys_in_use(frame)])[0],
        population=lambda: run.collect([population.question(frame, judged, len(demands))])[0],
        judged=judged,
        laid=laid,
        ledger=of_period.answers(counted) if of_period else None,
    )


def _over(
    period: tuple[int, int] | None,
    records: Sequence[RecordFile] | None,
    as_of: int,
    governed: former.Governed,
) -> Period | None:
    """Put together what is asked of a period, if one is audited."""
    if period is None:
        if records is not None:
            raise UsageError("rotation records are evidence of a period", hint="name it: --period FROM/TO")
        return None
    if period[1] > as_of:
        hint = f"end it on the day before, or judge as of a later instant than {format_instant(as_of)}"
        raise UsageError(f"the period ends after the audit, at {format_instant(period[1])}", hint=hint)
    promotions = None if records is None else approvals.promotions(records)
    return Period(*period, promotions, governed.changes, governed.now)

"""One pass from judged columns to the Report that every format prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from keyaudit import __version__, match
from keyaudit.inventory import holding
from keyaudit.model import (
    Basis,
    ControlRef,
    Coverage,
    Framework,
    FrameworkResult,
    History,
    InventorySummary,
    Policy,
    PolicySummary,
    RecordSummary,
    Report,
    Rule,
    RuleResult,
    Schedule,
    ScheduleSummary,
    Severity,
    Summary,
    Verdict,
    Waiver,
    WaiverResult,
)
from keyaudit.policy.waivers import covers
from keyaudit.report import controls, inputs, ledger, subjects
from keyaudit.report.exceptions import evidence
from keyaudit.report.findings import Bearing, Block, CredentialBlock, Findings
from keyaudit.report.inputs import Inputs
from keyaudit.report.outcome import Outcome
from keyaudit.report.population import Population
from keyaudit.report.questions import Place
from keyaudit.report.waiving import waive
from keyaudit.rules import documentation
from keyaudit.verdicts import FAIL, UNKNOWN, WAIVED, Judged

if TYPE_CHECKING:
    from keyaudit.report.subjects import Judgement

_SORTED = ("source", "scope", "id", "row")


def build(outcome: Outcome, given: Inputs, fail_on: Severity | None) -> Report:
    """Build the report; see `model.Report` for what it holds and in which order."""
    inventory, policy, frameworks = given.inventory, given.policy, given.frameworks
    rules, as_of, records = given.rules, given.as_of, inputs.records(given.records, inventory)
    by_rule = _bearings(outcome.laid, policy)
    waivers = [waiver for waiver in policy.waivers if covers(waiver, as_of)]
    matched: Counter[str] = Counter()
    standing, blocks = outcome.suspects.sort(_SORTED), list[Block]()
    for judged in filter(outcome.has_findings, outcome.judged):
        standing, found = _credential_blocks(
            judged, standing, policy, waivers, matched, by_rule.get(judged.rule.name, ())
        )
        blocks += found
    waiver_results = subjects.waiver_results(policy.waivers, matched, as_of)
    others = _others(rules, policy, inventory.coverage, waiver_results, as_of, frameworks)
    blocks += _other_blocks(rules, policy, others, by_rule)
    findings = Findings(blocks)
    results = _rule_results(rules, policy, outcome, others, findings)
    known = evidence(rules, policy, outcome, others, standing, inventory, as_of)
    return Report(
        version=__version__,
        as_of=as_of,
        period=given.period,
        policy=_policy(policy, frameworks, outcome.schedules),
        frameworks=tuple(
            FrameworkResult(f.id, f.name, f.version, f.publisher, f.scope_note, f.sha256) for f in frameworks
        ),
        inventory=InventorySummary(
            inventory.sha256,
            inventory.collected_at,
            int(outcome.counts["credentials"]),
            int(outcome.counts["versions"] or 0),
        ),
        coverage=inventory.coverage,
        summary=_summary(results, findings, _whole(outcome, records, inventory.history), fail_on),
        rules=results,
        controls=controls.results(outcome.laid, outcome.counts, known, policy),
        findings=findings,
        waivers=waiver_results,
        orphans=holding.found(inventory, (source for source, _ in outcome.scopes), outcome.orphans),
        population=Population(outcome.population, outcome.judged, _waived_rows(findings), policy),
        records=records,
        ledger=None if outcome.ledger is None else ledger.build(outcome.ledger, given.governed, inventory),
    )


def _whole(outcome: Outcome, records: Sequence[RecordSummary] | None, history: History | None) -> bool:
    """Say whether there was something to see, and no evidence was refused."""
    refused = any(record.problem is not None for record in records or ())
    refused |= any(file.problem is not None for file in (history.files if history else ()))
    return bool(outcome.counts["credentials"]) and not refused


def _bearings(laid: Sequence[Place], policy: Policy) -> dict[str, list[Bearing]]:
    """List, by rule name, the controls that apply and that the rule bears on."""
    found: dict[str, list[Bearing]] = {}
    for place in laid:
        demand = policy.frameworks.get(place.framework.id)
        if demand and place.control.id in demand.not_applicable:
            continue
        ref = ControlRef(place.framework.id, place.control.id)
        for name in place.control.rules:
            found.setdefault(name, []).append(Bearing(ref, place.population, place.requirement))
    return found


def _credential_blocks(
    judged: Judged,
    suspects: pl.DataFrame,
    policy: Policy,
    waivers: Sequence[Waiver],
    matched: Counter[str],
    bearings: Sequence[Bearing],
) -> tuple[pl.DataFrame, list[Block]]:
    """Give one rule's findings, and the suspects with its waived codes marked."""
    code = pl.col(judged.column)
    failed, waived = waive(judged.rule, suspects.filter(code == FAIL), waivers, matched)
    blocks = [
        *_by_owner(judged, Verdict.FAIL, failed, policy, bearings),
        *_by_owner(judged, Verdict.WAIVED, waived, policy, bearings),
        *_by_owner(judged, Verdict.UNKNOWN, suspects.filter(code == UNKNOWN), policy, bearings),
    ]
    return _marked(suspects, judged, waived), blocks


def _by_owner(
    judged: Judged,
    verdict: Verdict,
    rows: pl.DataFrame,
    policy: Policy,
    bearings: Sequence[Bearing],
) -> list[Block]:
    """Keep a customer's own keys apart: those are reminders, and break no control."""
    theirs = pl.col("user_owned").fill_null(value=False)
    code = UNKNOWN if verdict is Verdict.UNKNOWN else FAIL
    setting, basis, by = policy.settings[judged.rule.name], judged.rule.basis, judged.by_requirement
    severity = policy.severity_of(judged.rule)
    durations = [name for name, param in judged.rule.params.items() if param.kind == "duration"]
    limits = {name: setting.params[name] for name in durations}
    bearing = () if basis is Basis.PRACTICE else tuple(bearings)
    ours, others = rows.filter(~theirs), rows.filter(theirs)
    return [
        CredentialBlock(judged.rule, verdict, severity, basis, ours, by, limits, bearing, code),
        CredentialBlock(judged.rule, verdict, Severity.INFO, Basis.PRACTICE, others, by, limits, (), code),
    ]


def _marked(suspects: pl.DataFrame, judged: Judged, waived: pl.DataFrame) -> pl.DataFrame:
    """Mark a rule's waived failures, so that they break no control."""
    if waived.is_empty():
        return suspects
    covered = pl.col("row").is_in(waived["row"].implode())
    return suspects.with_columns(
        pl.when(covered & (pl.col(name) == FAIL))
        .then(pl.lit(WAIVED, dtype=pl.Int8))
        .otherwise(pl.col(name))
        .alias(name)
        for name in sorted({judged.column, *judged.by_requirement})
    )


def _others(
    rules: Sequence[Rule],
    policy: Policy,
    coverage: Sequence[Coverage],
    waivers: Sequence[WaiverResult],
    as_of: int,
    frameworks: Sequence[Framework],
) -> dict[str, tuple[Judgement, ...]]:
    """Judge the rules that are not about credentials, by rule name."""
    return {
        rule.name: subjects.judge(rule, policy, coverage, waivers, as_of, frameworks)
        for rule in rules
        if rule.subject != "credential" and policy.settings[rule.name].enabled
    }


def _other_blocks(
    rules: Sequence[Rule],
    policy: Policy,
    others: Mapping[str, tuple[Judgement, ...]],
    bearings: Mapping[str, Sequence[Bearing]],
) -> list[Block]:
    return [
        subjects.block(
            rule,
            policy.severity_of(rule),
            verdict,
            others[rule.name],
            [bearing.control for bearing in bearings.get(rule.name, ())],
        )
        for rule in rules
        if rule.name in others
        for verdict in (Verdict.FAIL, Verdict.UNKNOWN)
    ]


def _rule_results(
    rules: Sequence[Rule],
    policy: Policy,
    outcome: Outcome,
    others: Mapping[str, tuple[Judgement, ...]],
    findings: Findings,
) -> tuple[RuleResult, ...]:
    waived: Counter[str] = Counter()
    for block in findings.blocks:
        if block.verdict is Verdict.WAIVED:
            waived[block.rule.id] += len(block)
    places = {judged.rule.id: judged for judged in outcome.judged}
    return tuple(
        _rule_result(rule, policy, outcome.counts, places.get(rule.id), others, waived[rule.id])
        for rule in rules
    )


def _rule_result(
    rule: Rule,
    policy: Policy,
    counts: Mapping[str, Any],
    judged: Judged | None,
    others: Mapping[str, tuple[Judgement, ...]],
    waived: int,
) -> RuleResult:
    if judged is not None:
        total = int(counts["credentials"])
        passed, failed, unknown = (
            int(counts.get(f"{rule.id}:{word}") or 0) for word in ("pass", "fail", "unknown")
        )
    else:
        verdicts = Counter(judgement.verdict for judgement in others.get(rule.name, ()))
        total = verdicts.total()
        passed, failed, unknown = verdicts[Verdict.PASS], verdicts[Verdict.FAIL], verdicts[Verdict.UNKNOWN]
    text = documentation(rule)
    return RuleResult(
        id=rule.id,
        name=rule.name,
        severity=policy.severity_of(rule),
        basis=rule.basis,
        passed=passed,
        failed=failed - waived,
        unknown=unknown,
        not_applicable=total - passed - failed - unknown,
        waived=waived,
        not_collected=judged.lacking if judged else (),
        title=text.title,
        why=text.why,
        remediation=text.remediation,
        references=text.references,
        enabled=policy.settings[rule.name].enabled,
    )


def _waived_rows(findings: Findings) -> frozenset[tuple[int, str]]:
    return frozenset(
        (row, block.rule.id)
        for block in findings.blocks
        if block.verdict is Verdict.WAIVED and isinstance(block, CredentialBlock)
        for row in block.rows["row"]
    )


def _policy(policy: Policy, frameworks: Sequence[Framework], used: Mapping[str | None, int]) -> PolicySummary:
    rows = [_schedule(schedule, None, used.get(schedule.name, 0)) for schedule in policy.schedules]
    for framework in frameworks:
        demand = policy.frameworks.get(framework.id)
        rows += [_schedule(schedule, framework.id, 0) for schedule in (demand.schedules if demand else ())]
    return PolicySummary(
        policy.name, policy.sha256, policy.owner, policy.approved_by, policy.reviewed_on, tuple(rows)
    )


def _schedule(schedule: Schedule, framework: str | None, credentials: int) -> ScheduleSummary:
    return ScheduleSummary(
        schedule.name,
        framework,
        match.describe(schedule.match),
        schedule.rotation_period,
        schedule.grace_period,
        schedule.overdue_tolerance,
        credentials,
    )


def _summary(
    results: Sequence[RuleResult],
    findings: Findings,
    whole: bool,  # noqa: FBT001 - one of a row of parts
    fail_on: Severity | None,
) -> Summary:
    """Count every rule on every credential, and on every scope, waiver and policy, exactly once."""
    verdicts = {
        Verdict.PASS: sum(result.passed for result in results),
        Verdict.FAIL: sum(result.failed for result in results),
        Verdict.UNKNOWN: sum(result.unknown for result in results),
        Verdict.NOT_APPLICABLE: sum(result.not_applicable for result in results),
        Verdict.WAIVED: sum(result.waived for result in results),
    }
    by_severity: Counter[Severity] = Counter()
    for block in findings.blocks:
        if block.verdict is Verdict.FAIL and block.severity is not None:
            by_severity[block.severity] += len(block)
    unseen = any(block.verdict is Verdict.UNKNOWN for block in findings.blocks)
    if any(severity.gates(fail_on) for severity in by_severity):
        exit_code = 1
    else:
        exit_code = 3 if unseen or not whole else 0
    ordered = {severity: by_severity[severity] for severity in Severity if by_severity[severity]}
    return Summary(verdicts=verdicts, by_severity=ordered, fail_on=fail_on, exit_code=exit_code)

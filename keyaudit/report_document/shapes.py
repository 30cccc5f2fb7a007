"""Which key of `keyaudit/report/1` carries which field, noun by noun, in the order of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import model, times
from keyaudit.report_document.evidence_shapes import LEDGER, SAMPLE
from keyaudit.report_document.kinds import (
    BASIS,
    BOOLEAN,
    COUNT,
    COUNT_OR_NULL,
    DURATION,
    DURATION_OR_NULL,
    INSTANT,
    INSTANT_OR_NULL,
    INTEGER_OR_NULL,
    SEVERITY,
    SEVERITY_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    VERDICT,
    Kind,
    Refused,
    choice,
    counts,
    if_any,
    many,
    maybe,
    shape,
    word,
)

TOOL = "keyaudit"
RESULTS = ("exception", "no-exception", "supporting-only", "not-evaluated", "not-applicable")
EVIDENCE = ("direct", "partial", "supporting")
WAIVER_STATUSES = ("active", "expired", "unused", "invalid", "not-yet")
EXIT_CODES = (0, 1, 3)
"""Those of an audit that was made."""


def _read_evidence(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused("expected an object")
    for fact, found in value.items():
        if not (found is None or type(found) in (str, int, float, bool)):
            raise Refused(f"{fact}: expected text, a number, true, false or null")
    return dict(value)


def _read_period(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.keys() != {"from", "to"}:
        raise Refused("expected null or an object with from and to")
    return INSTANT.read(value["from"]), INSTANT.read(value["to"])


def _write_period(period: tuple[int, int] | None) -> dict[str, str] | None:
    if period is None:
        return None
    return {"from": times.format_instant(period[0]), "to": times.format_instant(period[1])}


def _read_tool(value: Any) -> str:
    if not isinstance(value, Mapping) or value.keys() != {"name", "version"} or value["name"] != TOOL:
        raise Refused(f"expected the name {TOOL} and a version")
    version: str = TEXT.read(value["version"])
    return version


def _read_exit_code(value: Any) -> int:
    if type(value) is not int or value not in EXIT_CODES:
        raise Refused(f"expected one of {', '.join(map(str, EXIT_CODES))}")
    return value


EXIT_CODE = Kind(_read_exit_code)
_SCHEDULE = shape(
    model.ScheduleSummary,
    name=TEXT,
    framework=TEXT_OR_NULL,
    match=TEXT,
    rotation_period=DURATION_OR_NULL,
    grace_period=DURATION_OR_NULL,
    overdue_tolerance=DURATION,
    credentials=COUNT,
)
_POLICY = shape(
    model.PolicySummary,
    name=TEXT,
    sha256=TEXT,
    owner=TEXT_OR_NULL,
    approved_by=TEXT_OR_NULL,
    reviewed_on=INSTANT_OR_NULL,
    schedules=many(_SCHEDULE),
)
_FRAMEWORK = shape(
    model.FrameworkResult,
    id=TEXT,
    version=TEXT,
    sha256=TEXT,
    name=TEXT,
    publisher=TEXT,
    scope_note=TEXT,
)
_INVENTORY = shape(
    model.InventorySummary,
    sha256=TEXT,
    collected_at=INSTANT_OR_NULL,
    credentials=COUNT,
    versions=COUNT,
)
_COVERAGE = shape(
    model.Coverage,
    source=TEXT,
    scope=TEXT,
    status=choice(model.ScopeStatus),
    credentials=COUNT_OR_NULL,
    calls=COUNT_OR_NULL,
    reason=TEXT_OR_NULL,
    versions=COUNT_OR_NULL,
    pages=COUNT_OR_NULL,
    started_at=INSTANT_OR_NULL,
    finished_at=INSTANT_OR_NULL,
    cannot_know=TEXTS,
    identity=if_any(TEXT_OR_NULL),
)
_SUMMARY = shape(
    model.Summary,
    verdicts=counts(VERDICT),
    by_severity=counts(SEVERITY),
    exit_code=EXIT_CODE,
    fail_on=SEVERITY_OR_NULL,
)
_RULE = shape(
    model.RuleResult,
    id=TEXT,
    name=TEXT,
    severity=SEVERITY_OR_NULL,
    basis=BASIS,
    pass_=("passed", COUNT),
    fail=("failed", COUNT),
    unknown=COUNT,
    not_applicable=COUNT,
    waived=COUNT,
    not_collected=TEXTS,
    title=TEXT,
    why=TEXT,
    remediation=TEXT,
    references=TEXT,
    enabled=BOOLEAN,
)
_CONTROL = shape(
    model.ControlResult,
    framework=TEXT,
    id=TEXT,
    title=TEXT,
    result=word(*RESULTS),
    rules=TEXTS,
    exceptions=COUNT,
    tested=COUNT,
    population=COUNT,
    summary=TEXT,
    evidence=word(*EVIDENCE),
    modality=TEXT,
    unclassified=COUNT,
    reason=TEXT,
    manual_evidence=TEXTS,
    source=TEXTS,
)
_CREDENTIAL = shape(
    model.CredentialRef,
    source=TEXT,
    scope=TEXT,
    id=TEXT,
    name=TEXT,
    environment=TEXT_OR_NULL,
    owner=TEXT_OR_NULL,
)
_FINDING = shape(
    model.Finding,
    rule=TEXT,
    name=TEXT,
    verdict=VERDICT,
    severity=SEVERITY_OR_NULL,
    basis=BASIS,
    credential=maybe(_CREDENTIAL),
    version=TEXT_OR_NULL,
    message=TEXT,
    evidence=Kind(_read_evidence, dict),
    controls=many(shape(model.ControlRef, framework=TEXT, id=TEXT)),
    fingerprint=TEXT,
    subject=TEXT_OR_NULL,
    due_at=INSTANT_OR_NULL,
    clause=TEXT_OR_NULL,
    fix=TEXT_OR_NULL,
    waiver=TEXT_OR_NULL,
)
_WAIVER = shape(
    model.WaiverResult,
    id=TEXT,
    status=word(*WAIVER_STATUSES),
    matched=COUNT,
    rules=TEXTS,
    reason=TEXT_OR_NULL,
    requested_by=TEXT_OR_NULL,
    approved_by=TEXT_OR_NULL,
    starts=INSTANT_OR_NULL,
    ends=INSTANT_OR_NULL,
    problems=TEXTS,
)
_VERSION = shape(
    model.VersionBar,
    id=TEXT,
    state=choice(model.VersionState),
    created_at=INSTANT_OR_NULL,
    ends_at=INSTANT_OR_NULL,
    retired_at=INSTANT_OR_NULL,
    usable=maybe(BOOLEAN),
)
_POPULATION = shape(
    model.PopulationRow,
    source=TEXT,
    scope=TEXT,
    id=TEXT,
    name=TEXT,
    class_=("cls", TEXT_OR_NULL),
    provider=TEXT_OR_NULL,
    environment=TEXT_OR_NULL,
    tier=INTEGER_OR_NULL,
    owner=TEXT_OR_NULL,
    age_min=DURATION_OR_NULL,
    age_max=DURATION_OR_NULL,
    age_basis=TEXT,
    rotation_period=DURATION_OR_NULL,
    grace_period=DURATION_OR_NULL,
    schedule=TEXT_OR_NULL,
    due_at=INSTANT_OR_NULL,
    worst=VERDICT,
    severity=SEVERITY_OR_NULL,
    rules=TEXTS,
    versions=many(_VERSION),
)
_RECORDS = shape(
    model.RecordSummary,
    file=TEXT,
    sha256=TEXT_OR_NULL,
    records=COUNT,
    problem=TEXT_OR_NULL,
    unlisted=if_any(COUNT),
)
_BASELINE = shape(
    model.Baseline,
    sha256=TEXT,
    as_of=INSTANT,
    policy_sha256=TEXT,
    failures=COUNT,
    known=COUNT,
    new=TEXTS,
    differs=TEXTS,
    appeared=if_any(TEXTS),
    changed=if_any(TEXTS),
)
REPORT = shape(
    model.Report,
    tool=("version", Kind(_read_tool, lambda version: {"name": TOOL, "version": version})),
    as_of=INSTANT,
    period=Kind(_read_period, _write_period),
    policy=_POLICY,
    frameworks=many(_FRAMEWORK),
    inventory=_INVENTORY,
    coverage=many(_COVERAGE),
    summary=_SUMMARY,
    baseline=if_any(_BASELINE),
    rules=many(_RULE),
    controls=many(_CONTROL),
    findings=many(_FINDING),
    waivers=many(_WAIVER),
    records=if_any(many(_RECORDS)),
    ledger=if_any(LEDGER),
    sample=if_any(SAMPLE),
    orphans=maybe(many(_CREDENTIAL)),
    population=many(_POPULATION),
)

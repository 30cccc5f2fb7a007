"""The way from what the store said to what is required, each step with its tests."""

from __future__ import annotations

from keyaudit.model import Framework
from keyaudit.policy import frameworks
from keyaudit.policy.explain import APPLIES, DOES_NOT_APPLY, MAY_APPLY, NOT_REACHED, Explanation, explain
from keyaudit.policy.reading import load, parse
from keyaudit.rules import CATALOGUE
from keyaudit.times import DAY, parse_instant

PCI = frameworks.load(["pci-dss", "soc2"], CATALOGUE)
POLICY = parse(
    b"""\
policy: x
classify:
  - {match: {scope: "1111/*"}, set: {environment: production, owner: cloud}}
  - {match: {name: "*ftp"}, set: {class: user-password, owner: files}}
risk:
  - {name: public-facing, match: {exposure: public}}
schedules:
  - {name: tier-1, match: {environment: production, tier: 1}, rotation_period: 30d, automatic: true}
  - {name: production, match: {environment: production}, rotation_period: 180d, grace_period: 2d}
  - {name: rest, rotation_period: 365d, overdue_tolerance: 5d}
frameworks:
  pci-dss:
    scope: {labels.pci: "true"}
    schedules: [{match: {tier: 3}, grace_period: 1d}]
waivers:
  - {id: W-1, rules: [unowned], match: {name: "*ftp"}, reason: r, requested_by: b, approved_by: a, until: 2026-09-30}
""",
    "p.yaml",
    rules=CATALOGUE,
    frameworks={},
    inherited=load(None, rules=CATALOGUE, frameworks={}),
)
ROW = {
    "source": "s",
    "scope": "1111/x",
    "id": "i",
    "name": "old-ftp",
    "owner": "me",
    "labels": '{"pci":"true"}',
}


def explained(**fields: object) -> Explanation:
    return explain(POLICY, PCI, {**ROW, **fields}, parse_instant("2026-10-01T00:00:00Z"))


def test_every_step_says_what_came_of_it_and_why() -> None:
    found = explained()
    assert [(step.name, step.outcome, step.says) for step in found.classifications] == [
        ("classification 1", APPLIES, "sets environment to production; owner: the store says me"),
        ("classification 2", APPLIES, "sets class to user-password; owner: the store says me"),
    ]
    assert (found.row["environment"], found.row["class"], found.row["owner"]) == (
        "production",
        "user-password",
        "me",
    )
    assert [(step.name, step.outcome, step.says) for step in found.schedules] == [
        ("tier-1", DOES_NOT_APPLY, "rotation period 30d, automatic"),
        ("production", APPLIES, "rotation period 180d, grace 2d"),
        ("rest", NOT_REACHED, "rotation period 365d, tolerance 5d"),
    ]
    assert found.schedules[0].tests == (
        ("environment=production (environment is production)", True),
        ("tier=1 (tier not known)", False),
    )
    assert [(step.name, step.outcome) for step in found.risk] == [("public-facing", DOES_NOT_APPLY)]
    assert (found.required.schedule, found.required.rotation_period) == ("production", 180 * DAY)
    [waiver] = found.waivers
    assert (waiver.name, waiver.outcome, waiver.says) == (
        "W-1",
        APPLIES,
        "waives unowned; until 2026-09-30; expired",
    )


def test_a_framework_says_which_clause_decided() -> None:
    pci, soc2 = explained().frameworks
    assert pci.in_scope is True
    assert pci.scope == (("labels.pci=true (labels.pci is true)", True),)
    assert (pci.required.rotation_period, pci.required.clause) == (90 * DAY, "pci-dss 8.3.9")
    deciding = next(step for step in pci.steps if step.name == "pci-dss 8.3.9")
    assert deciding.outcome == APPLIES
    assert deciding.says.startswith("rotation period 90d (alternative: ")
    assert [step.outcome for step in pci.steps if step.name == "pci-dss schedule"] == [DOES_NOT_APPLY]
    assert soc2.steps == ()
    assert soc2.required == explained().required


def test_outside_the_scope_of_a_framework_its_clauses_do_not_apply() -> None:
    pci = explained(labels=None).frameworks[0]
    assert pci.in_scope is False
    assert pci.required == explained(labels=None).required
    assert {step.outcome for step in pci.steps} == {DOES_NOT_APPLY}


def test_what_is_not_known_may_apply() -> None:
    found = explained(scope="other")
    assert [step.outcome for step in found.schedules] == [MAY_APPLY, MAY_APPLY, APPLIES]
    assert (found.required.schedule, found.required.rotation_period) == ("tier-1", 30 * DAY)
    assert found.required.automatic


def test_risk_shows_in_the_period() -> None:
    found = explained(exposure="public")
    assert [step.outcome for step in found.risk] == [APPLIES]
    assert found.required.rotation_period == 90 * DAY


def test_labels_may_come_as_a_mapping() -> None:
    assert explained(labels={"pci": "true"}).frameworks[0].in_scope is True


def test_a_framework_that_the_policy_does_not_mention_is_in_scope() -> None:
    frame: tuple[Framework, ...] = frameworks.load(["iso27001"], CATALOGUE)
    assert explain(POLICY, frame, ROW).frameworks[0].in_scope is True

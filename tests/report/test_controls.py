"""What a control comes to: never `no-exception` while something stands in the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from facts.frames import ALL, inventory, version
from keyaudit.audit import audit
from keyaudit.match import Is
from keyaudit.model import (
    Collection,
    Control,
    ControlResult,
    Coverage,
    Finding,
    Framework,
    Number,
    Report,
    ScopeStatus,
)
from keyaudit.policy import reading, shipped
from keyaudit.rules import CATALOGUE
from keyaudit.times import DAY

NOW = 20_000 * DAY
COMPLETE = Coverage("store", "one", ScopeStatus.COMPLETE)
POLICY = """
policy: test
reviewed_on: 2024-10-01
review_every: 365d
schedules:
  - {name: all, rotation_period: 90d, grace_period: 2d}
"""


def good(**fields: Any) -> dict[str, Any]:
    """A credential that breaks no rule."""
    young = version(created_at=NOW - DAY, authenticates=True, last_used_at=NOW)
    known = {"class": "api-key", "environment": "production", "owner": "a", "provider": "x", "tier": 1}
    dates = {"created_at": NOW - 400 * DAY, "last_used_at": NOW, "last_changed_at": NOW, "never_used": False}
    rotation = {"rotation_enabled": False, "user_owned": False}
    return {**known, **dates, **rotation, "versions": [young], **fields}


def late(**fields: Any) -> dict[str, Any]:
    """A credential whose value is 200 days old and replaced another."""
    gone = version(
        id="0",
        state="destroyed",
        created_at=NOW - 300 * DAY,
        superseded_at=NOW - 200 * DAY,
        authenticates=False,
        last_used_at=NOW - 250 * DAY,
    )
    return good(
        versions=[version(created_at=NOW - 200 * DAY, authenticates=True, last_used_at=NOW), gone], **fields
    )


def framework(*rules: str, numbers: Sequence[Number] = (), **fields: Any) -> Framework:
    """A framework of one control."""
    control = Control(
        "fw", "1", "t", "s", rules, None, "direct", "required", tuple(numbers), (), ("x",), "high"
    )
    return Framework("fw", "Framework", "1", "x", "x", "x", (replace(control, **fields),), "0")


def audited(
    rows: list[dict[str, Any]],
    asked: Framework,
    policy: str = POLICY,
    coverage: tuple[Coverage, ...] = (COMPLETE,),
    without: frozenset[str] = frozenset(),
    **over: Any,
) -> Report:
    made = replace(inventory(rows), coverage=coverage, collections=(Collection(ALL - without),))
    default = reading.load(None, rules=CATALOGUE, frameworks={})
    governing = reading.parse(policy.encode(), "p", rules=CATALOGUE, frameworks={}, inherited=default)
    assert shipped.folder().is_dir()
    return audit(made, governing, (asked,), NOW, **over)


def result(*arguments: Any, **options: Any) -> ControlResult:
    [control] = audited(*arguments, **options).controls
    return control


AGE = framework("rotation-overdue", "never-rotated")


def test_everybody_tested_and_nothing_failed() -> None:
    control = result([good(), good()], AGE)
    assert (control.result, control.exceptions, control.tested, control.population) == (
        "no-exception",
        0,
        2,
        2,
    )


def test_one_failure_is_an_exception() -> None:
    control = result([good(), late()], AGE)
    assert (control.result, control.exceptions, control.tested, control.population) == ("exception", 1, 2, 2)


IN_THE_WAY: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "no coverage": ({"coverage": ()}, "not-evaluated", "does not say what was asked for"),
    "an empty scope": (
        {"coverage": (COMPLETE, Coverage("store", "two", ScopeStatus.EMPTY))},
        "not-evaluated",
        "1 of 2 scopes were empty",
    ),
    "a partial scope": (
        {"coverage": (Coverage("store", "one", ScopeStatus.PARTIAL),)},
        "not-evaluated",
        "1 of 1 scopes",
    ),
    "a scope that nobody claims": (
        {"coverage": (Coverage("store", "two", ScopeStatus.COMPLETE),)},
        "not-evaluated",
        "nobody says that 1 of the scopes",
    ),
    "a rule that is switched off": (
        {"policy": POLICY + "rules: {rotation-overdue: {enabled: false}}"},
        "not-evaluated",
        "switched off",
    ),
    "no schedule": (
        {"policy": POLICY.split("schedules", maxsplit=1)[0]},
        "not-evaluated",
        "no period or no grace",
    ),
}


@pytest.mark.parametrize("name", IN_THE_WAY)
def test_what_stands_in_the_way_is_named(name: str) -> None:
    options, expected, reason = IN_THE_WAY[name]
    control = result([good()], AGE, **options)
    assert control.result == expected
    assert reason in control.reason


def test_an_unknown_verdict_is_in_the_way() -> None:
    control = result([good(), good(versions=None)], AGE)
    assert (control.result, control.tested) == ("not-evaluated", 1)
    assert "1 of 2 could not be judged" in control.reason


def test_a_column_that_was_not_collected_is_in_the_way() -> None:
    control = result([good()], framework("unused"), without=frozenset({"last_used_at"}))
    assert control.result == "not-evaluated"
    assert "last_used_at not collected" in control.reason


def test_a_credential_of_unknown_class_is_in_the_way() -> None:
    asked = framework("rotation-overdue", "never-rotated", applies_to=Is("class", ("api-key",)))
    control = result([good(), good(**{"class": None})], asked)
    assert (control.result, control.unclassified, control.population) == ("not-evaluated", 1, 1)


def test_supporting_evidence_never_turns_green() -> None:
    assert result([good()], framework("rotation-overdue", evidence="supporting")).result == "supporting-only"


def test_a_waived_failure_is_left_to_the_auditor() -> None:
    waiver = "waivers: [{id: W, rules: [rotation-overdue], match: {}, reason: r, requested_by: a, approved_by: b, until: 2030-01-01}]"
    control = result([late()], AGE, policy=POLICY + waiver)
    assert (control.result, control.exceptions) == ("supporting-only", 0)
    assert "1 credential covered by waivers" in control.reason


@pytest.mark.parametrize(
    "aside", [late(user_owned=True), good(versions=[]), good(versions=[version(state="destroyed")])]
)
def test_who_is_left_out_is_neither_tested_nor_passed(aside: dict[str, Any]) -> None:
    alone = result([aside], AGE)
    assert (alone.result, alone.tested, alone.population) == ("not-applicable", 0, 0)
    assert "1 credential left out" in alone.reason
    both = result([good(), aside], AGE)
    assert (both.result, both.tested, both.population) == ("no-exception", 1, 1)
    assert "1 credential left out" in both.reason


def test_a_control_about_events_says_on_how_many_there_was_one() -> None:
    replaced = version(id="0", state="destroyed", created_at=NOW - 300 * DAY, authenticates=False)
    leaked = good(compromised_at=NOW - DAY - 1)
    leaked["versions"] = [*leaked["versions"], replaced]
    control = result([good(), leaked], framework("compromise-not-rotated"))
    assert (control.result, control.tested, control.population) == ("no-exception", 1, 2)
    assert "1 gave its rules nothing to judge" in control.reason


def test_nothing_happened() -> None:
    assert result([good()], framework("compromise-not-rotated")).result == "not-applicable"


def test_the_policy_counts_beside_the_credentials() -> None:
    asked = framework("rotation-overdue", "never-rotated", "policy-not-reviewed")
    control = result([good()], asked, policy=POLICY.replace("2024-10-01", "2023-01-01"))
    assert (control.result, control.exceptions, control.tested, control.population) == ("exception", 1, 2, 2)
    assert "1 of 1 scopes, waivers or policies failed" in control.reason


def test_what_the_policy_declares_not_applicable() -> None:
    control = result(
        [late()], AGE, policy=POLICY + "frameworks: {fw: {not_applicable: {'1': no such thing here}}}"
    )
    assert (control.result, control.reason.split(": ")[1]) == ("not-applicable", "no such thing here")


def finding(report: Report, rule: str) -> Finding:
    [found] = [f for f in report.findings if f.name == rule]
    return found


NINETY = Number("rotation_period", 90 * DAY, "required", "age")


def test_a_number_of_the_text_judges_its_control_and_not_a_stricter_policy() -> None:
    policy = POLICY.replace("90d", "30d")
    middle = good(
        versions=[version(created_at=NOW - 60 * DAY), version(id="0", state="destroyed", authenticates=False)]
    )
    asked = framework("rotation-overdue", "never-rotated", numbers=[NINETY])
    report = audited([middle], asked, policy=policy)
    assert report.controls[0].result == "no-exception"
    found = finding(report, "rotation-overdue")
    assert (found.basis, found.clause, found.controls) == ("policy", None, ())
    broken = audited([late()], asked, policy=policy)
    assert broken.controls[0].result == "exception"
    assert finding(broken, "rotation-overdue").controls[0].id == "1"


def test_a_number_about_the_period_says_nothing_about_the_grace() -> None:
    old = version(id="0", state="superseded", superseded_at=NOW - 9 * DAY, authenticates=True)
    row = good(versions=[version(created_at=NOW - 9 * DAY), old])
    asked = framework("rotation-overdue", "old-key-active", numbers=[NINETY])
    found = finding(audited([row], asked, policy=POLICY.replace("90d", "200d")), "old-key-active")
    assert (found.basis, found.clause, found.evidence["schedule"]) == ("policy", None, "all")
    assert "all allows 2 d" in found.message


def test_a_limit_of_the_text_is_named_with_its_clause() -> None:
    asked = framework("unused", numbers=[Number("unused.after", 45 * DAY, "required", "use")])
    report = audited([good(last_used_at=NOW - 60 * DAY)], asked)
    found = finding(report, "unused")
    assert (found.basis, found.clause, found.evidence["after"]) == ("framework", "fw 1", "45d")
    assert report.controls[0].result == "exception"


def test_sentinels_stay_inside() -> None:
    row = good(
        versions=[
            version(created_at=NOW - 9 * DAY),
            version(id="0", state="superseded", superseded_at=NOW - 8 * DAY),
        ]
    )
    report = audited([row], AGE)
    for found in report.findings:
        assert not {"-1us", "36600d"} & {str(value) for value in found.evidence.values()}, found


def test_an_id_that_looks_like_an_option_gets_no_command() -> None:
    rows = [late(source="aws-secrets-manager", id="--force", name="x"), late(source="aws-secrets-manager")]
    fixes = {
        f.credential.id: f.fix
        for f in audited(rows, AGE).findings
        if f.name == "rotation-overdue" and f.credential
    }
    assert fixes["--force"] is None
    assert "rotate-secret" in str(fixes["1"])


def test_the_population_says_not_applicable_of_what_is_not_in_use() -> None:
    report = audited([good(), good(versions=[])], AGE)
    assert [row.worst for row in report.population] == ["pass", "not-applicable"]


def test_an_inventory_from_after_the_audit_proves_nothing_about_it() -> None:
    made = replace(inventory([good()]), coverage=(COMPLETE,), collected_at=NOW + 1)
    default = reading.load(None, rules=CATALOGUE, frameworks={})
    governing = reading.parse(POLICY.encode(), "p", rules=CATALOGUE, frameworks={}, inherited=default)
    [control] = audit(made, governing, (AGE,), NOW).controls
    assert (control.result, control.reason) == (
        "not-evaluated",
        "the inventory was collected after the instant of the audit",
    )


HALF_A_YEAR = (NOW - 181 * DAY, NOW - 1)
CHANGES = framework("rotation-undocumented", "self-approved", evidence="partial")


def rotated(*ages: int) -> dict[str, Any]:
    """A credential with a value of each age in days, the oldest first."""
    ends = [NOW - age * DAY for age in ages[1:]]
    old = [
        version(id=f"v{age}", state="superseded", created_at=NOW - age * DAY, superseded_at=end)
        for age, end in zip(ages, ends, strict=False)
    ]
    return good(created_at=NOW - ages[0] * DAY, versions=[*old, version(created_at=NOW - ages[-1] * DAY)])


def test_what_only_a_period_can_show_is_not_evaluated_in_an_audit_of_an_instant() -> None:
    control = result([rotated(90, 20)], CHANGES)
    assert (control.result, control.rules) == ("not-evaluated", ())
    assert control.reason == "only an audit of a period tests it; see the manual evidence"


def test_without_records_a_control_about_them_is_not_evaluated() -> None:
    control = result([rotated(90, 20)], CHANGES, period=HALF_A_YEAR)
    assert (control.result, control.rules) == ("not-evaluated", ("KA701", "KA702"))
    assert "rotation-undocumented (rotation_records not collected)" in control.reason


def test_a_rotation_that_no_record_tells_of_is_an_exception() -> None:
    control = result([rotated(90, 20), rotated(30)], CHANGES, period=HALF_A_YEAR, records=())
    assert (control.result, control.exceptions) == ("exception", 1)


def test_a_late_rotation_that_was_done_since_is_an_exception_of_the_period_alone() -> None:
    always = framework("rotation-overdue", "rotation-late")
    rows = [rotated(150, 20), rotated(150, 80)]
    assert result(rows, always).result == "no-exception"
    control = result(rows, always, period=HALF_A_YEAR)
    assert (control.result, control.exceptions, control.tested) == ("exception", 1, 2)


def test_a_control_did_not_operate_where_nothing_fell_due() -> None:
    control = result([rotated(60, 20)], framework("rotation-late"), period=HALF_A_YEAR)
    assert (control.result, control.tested) == ("not-applicable", 0)
    assert control.reason == "nothing happened that this control is about"

"""What is required, and that columns on both engines and the explanation of one credential say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyaudit.facts import REQUIREMENT
from keyaudit.match import EVERYTHING, AllOf, Compare, Is, Match, Not
from keyaudit.model import (
    Classification,
    Control,
    Framework,
    FrameworkDemand,
    Number,
    Policy,
    RiskFactor,
    RuleSetting,
    Schedule,
)
from keyaudit.policy import classify
from keyaudit.policy.explain import Required, explain
from keyaudit.policy.requirements import Requirement, requirements
from keyaudit.policy.strictness import lowered
from keyaudit.times import DAY

SCHEMA = {
    **dict.fromkeys(
        ("source", "scope", "id", "name", "class", "provider", "environment", "owner", "lineage", "reach", "exposure", "labels"),
        pl.String,
    ),
    "tier": pl.Int64,
    "consumers": pl.Int64,
    "user_owned": pl.Boolean,
}  # fmt: skip
DATABASE = duckdb.connect()
LEVELS = (30 * DAY, 90 * DAY, 180 * DAY)

PRODUCTION, STAGING = Is("environment", ("production",)), Is("environment", ("staging",))
TIER_1 = AllOf((PRODUCTION, Is("tier", (1,))))


def policy(schedules: Sequence[Schedule] = (), **fields: Any) -> Policy:
    known = {
        "name": "p",
        "owner": None,
        "approved_by": None,
        "reviewed_on": None,
        "review_every": None,
        "classify": (),
        "risk": (),
        "risk_levels": LEVELS,
        "frameworks": {},
        "settings": {"unused": RuleSetting(None, enabled=True, params={"after": 90 * DAY})},
        "waivers": (),
        "file": "p.yaml",
        "sha256": "",
    }
    return Policy(schedules=tuple(schedules), **{**known, **fields})


def framework(*controls: tuple[str, Match | None, str, int | None, str], identity: str = "fw") -> Framework:
    made = tuple(
        Control(
            framework=identity,
            id=name,
            title=name,
            summary=name,
            rules=("rotation-overdue", "unused"),
            applies_to=applies_to,
            evidence="direct",
            modality="required",
            numbers=(Number(fact, value, kind, "what it is for"),),
            manual_evidence=(),
            source=("text",),
            confidence="high",
        )
        for name, applies_to, fact, value, kind in controls
    )
    return Framework(identity, identity, "1", "us", "in force", "", made, "")


def credential(**fields: Any) -> dict[str, Any]:
    given_fields = {name.rstrip("_"): value for name, value in fields.items()}
    return {
        **dict.fromkeys(SCHEMA),
        "source": "store",
        "scope": "one",
        "id": "id",
        "name": "name",
        **given_fields,
    }


def add(frame: nw.LazyFrame[Any], asked: Sequence[Requirement]) -> nw.LazyFrame[Any]:
    """Add the columns of each requirement as `name@k`."""
    for k, requirement in enumerate(asked):
        frame = frame.with_columns(**requirement.conditions)
        frame = frame.with_columns(**{f"{name}@{k}": column for name, column in requirement.columns.items()})
    return frame


def judged(
    asked: Policy, frameworks: Sequence[Framework], rows: Sequence[dict[str, Any]]
) -> list[list[Required]]:
    """Resolve requirements in columns on both engines and by explanation; all must agree."""
    wanted = requirements(asked, frameworks)
    names = [f"{name}@{k}" for k in range(len(wanted)) for name in REQUIREMENT]
    table = pl.DataFrame(rows, schema=SCHEMA).with_row_index("row")
    answers = []
    for native in (table.lazy(), DATABASE.from_arrow(table.to_arrow())):
        frame = add(classify.apply(nw.from_native(native), asked), wanted).select("row", *names).sort("row")
        answers.append(frame.collect("polars").to_native().drop("row").to_dicts())
    assert answers[0] == answers[1]
    found = [
        [Required(**{name: row[f"{name}@{k}"] for name in REQUIREMENT}) for k in range(len(wanted))]
        for row in answers[0]
    ]
    for row, resolved in zip(rows, found, strict=True):
        explained = explain(asked, frameworks, row)
        by_framework = {item.id: item.required for item in explained.frameworks}
        assert explained.required == resolved[0]
        for requirement, here in zip(wanted, resolved, strict=True):
            assert all(by_framework[name] == here for name in requirement.frameworks), requirement.key
    return found


def required(asked: Policy, row: dict[str, Any], frameworks: Sequence[Framework] = ()) -> Required:
    """Give the last requirement of one credential: the framework's, where there is one that adds something."""
    return judged(asked, frameworks, [row])[0][-1]


# --- schedules ----------------------------------------------------------------------------------

A = Schedule("tier-1", TIER_1, 30 * DAY, DAY, automatic=True)
B = Schedule("production", PRODUCTION, 90 * DAY, 2 * DAY)
C = Schedule("staging", STAGING, 60 * DAY, 7 * DAY)
D = Schedule("rest", EVERYTHING, 180 * DAY, None)


@pytest.mark.parametrize(
    ("row", "schedule", "period", "grace", "automatic"),
    [
        ({"environment": "production", "tier": 1}, "tier-1", 30, 1, True),
        ({"environment": "production", "tier": 2}, "production", 90, 2, False),
        ({"environment": "production"}, "production", 90, 2, False),
        ({"environment": "staging"}, "staging", 60, 7, False),
        ({"environment": "development"}, "rest", 180, None, False),
        # the environment may be anything, the tier too: all are candidates up to the sure one
        ({}, "tier-1", 30, 1, True),
        # not tier 1 for sure; staging is the shortest that is left, production has the shortest grace
        ({"tier": 2}, "staging", 60, 2, False),
    ],
)
def test_the_first_match_or_the_strictest_candidate_applies(
    row: dict[str, Any], schedule: str, period: int, grace: int | None, automatic: bool
) -> None:
    found = required(policy([A, B, C, D]), credential(**row))
    assert (found.schedule, found.rotation_period, found.automatic) == (schedule, period * DAY, automatic)
    assert found.grace_period == (None if grace is None else grace * DAY)
    assert (found.clause, found.requirement_basis, found.overdue_tolerance) == (None, "policy", 0)


def test_a_candidate_behind_a_sure_match_does_not_count() -> None:
    strict = Schedule("behind", PRODUCTION, DAY, None)
    assert (
        required(policy([Schedule("sure", EVERYTHING, 90 * DAY, None), strict]), credential()).schedule
        == "sure"
    )


def test_without_a_schedule_nothing_is_required() -> None:
    nothing = Required(None, None, 0, None, None, "policy", automatic=False)
    assert required(policy([]), credential(environment="production")) == nothing
    assert required(policy([B]), credential(environment="development")) == nothing


def test_the_first_of_two_equally_strict_candidates_is_named() -> None:
    one, two = Schedule("one", PRODUCTION, 90 * DAY, 2 * DAY), Schedule("two", STAGING, 90 * DAY, DAY)
    found = required(policy([one, two]), credential())
    assert (found.schedule, found.grace_period) == ("one", DAY)


def test_late_by_one_candidate_is_late() -> None:
    short = Schedule("short", PRODUCTION, 30 * DAY, None, overdue_tolerance=20 * DAY)
    plain = Schedule("plain", STAGING, 40 * DAY, None, overdue_tolerance=2 * DAY)
    assert required(policy([short, plain]), credential()).overdue_tolerance == 12 * DAY
    assert (
        required(policy([short, plain]), credential(environment="production")).overdue_tolerance == 20 * DAY
    )
    assert required(policy([short, plain]), credential(environment="test")).overdue_tolerance == 0


# --- risk ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "steps", "after"),
    [
        (180, 0, 180),
        (180, 1, 90),
        (180, 2, 30),
        (180, 3, 30),
        (90, 1, 30),
        (30, 1, 30),
        (29, 1, 29),
        (31, 1, 30),
        (60, 1, 30),
        (91, 1, 90),
        (100, 2, 30),
        (181, 1, 180),
        (365, 1, 180),
        (365, 2, 90),
        (365, 9, 30),
    ],
)
def test_a_factor_moves_a_period_one_level_down(period: int, steps: int, after: int) -> None:
    assert lowered(period * DAY, LEVELS, steps) == after * DAY
    factors = [RiskFactor(f"factor {i}", Is("name", ("name",))) for i in range(steps)]
    asked = policy([Schedule("s", EVERYTHING, period * DAY, DAY)], risk=tuple(factors))
    assert required(asked, credential()).rotation_period == after * DAY


def test_without_levels_risk_changes_nothing() -> None:
    asked = policy([B], risk=(RiskFactor("f", EVERYTHING),), risk_levels=())
    assert required(asked, credential(environment="production")).rotation_period == 90 * DAY


def test_only_factors_that_surely_hold_count() -> None:
    risk = (
        RiskFactor("organization-wide", Is("reach", ("organization",))),
        RiskFactor("many", Compare("consumers", ">=", 5)),
        RiskFactor("production", PRODUCTION),
    )
    asked = policy([Schedule("s", EVERYTHING, 365 * DAY, None)], risk=risk)
    rows = [
        credential(),
        credential(consumers=5),
        credential(consumers=4, reach="organization"),
        credential(consumers=5, reach="organization", environment="production"),
    ]
    periods = [found[0].rotation_period for found in judged(asked, [], rows)]
    assert periods == [365 * DAY, 180 * DAY, 180 * DAY, 30 * DAY]


# --- frameworks ---------------------------------------------------------------------------------

PASSWORDS = Is("class", ("user-password",))
NINETY = framework(("8.3.9", PASSWORDS, "rotation_period", 90 * DAY, "alternative"))
PERSON = credential(environment="development", class_="user-password")
DEVELOPMENT = Schedule("development", Is("environment", ("development",)), 180 * DAY, 14 * DAY)


def test_a_number_of_the_text_decides_where_it_is_stricter() -> None:
    found = required(policy([DEVELOPMENT]), PERSON, [NINETY])
    assert found == Required(90 * DAY, 14 * DAY, 0, "fw 8.3.9", "fw 8.3.9", "framework", automatic=False)


@pytest.mark.parametrize(("own", "decides"), [(90 * DAY, False), (90 * DAY + 1, True), (89 * DAY, False)])
def test_a_number_that_is_not_stricter_does_not(own: int, decides: bool) -> None:
    found = required(policy([Schedule("own", EVERYTHING, own, None)]), PERSON, [NINETY])
    assert (found.clause == "fw 8.3.9") is decides
    assert found.rotation_period == min(own, 90 * DAY)


@pytest.mark.parametrize(
    "row",
    [
        {"environment": "development", "class_": "api-key"},
        {"environment": "development", "class_": None},
    ],
)
def test_a_number_binds_only_what_it_surely_is_about(row: dict[str, Any]) -> None:
    assert required(policy([DEVELOPMENT]), credential(**row), [NINETY]).clause is None


@pytest.mark.parametrize("kind", ["guidance", "organisation-defined"])
def test_guidance_binds_nobody(kind: str) -> None:
    guidance = framework(("8.6.3", None, "rotation_period", 90 * DAY, kind))
    assert len(requirements(policy([DEVELOPMENT]), [guidance])) == 1


def test_a_control_that_is_declared_not_applicable_binds_nobody() -> None:
    asked = policy(
        [DEVELOPMENT], frameworks={"fw": FrameworkDemand(not_applicable={"8.3.9": "no passwords"})}
    )
    assert len(requirements(asked, [NINETY])) == 1


def test_a_number_gives_a_period_where_the_policy_has_none() -> None:
    found = required(policy([]), PERSON, [NINETY])
    assert found == Required(90 * DAY, None, 0, "fw 8.3.9", "fw 8.3.9", "framework", automatic=False)


def test_tolerance_ends_at_the_number_of_the_text() -> None:
    own = Schedule("own", EVERYTHING, 80 * DAY, None, overdue_tolerance=30 * DAY)
    found = required(policy([own]), PERSON, [NINETY])
    assert (found.rotation_period, found.overdue_tolerance) == (80 * DAY, 10 * DAY)
    assert (found.clause, found.requirement_basis) == ("fw 8.3.9", "framework")
    assert required(policy([own]), credential(class_="api-key"), [NINETY]).overdue_tolerance == 30 * DAY


def test_a_schedule_for_a_framework_applies_where_it_is_stricter() -> None:
    pci = Schedule(
        "pci-dss schedule", Is("labels.pci", ("true",)), 60 * DAY, DAY, overdue_tolerance=DAY, automatic=True
    )
    asked = policy([B], frameworks={"pci-dss": FrameworkDemand(schedules=(pci,))})
    rows = [
        credential(environment="production", labels='{"pci":"true"}'),
        credential(environment="production"),
    ]
    inside, outside = (found[-1] for found in judged(asked, [framework(identity="pci-dss")], rows))
    assert inside == Required(
        60 * DAY, DAY, DAY, "pci-dss schedule", "pci-dss schedule", "policy", automatic=True
    )
    assert outside == Required(90 * DAY, 2 * DAY, 0, "production", None, "policy", automatic=False)


def test_period_and_grace_are_compared_separately() -> None:
    grace_only = FrameworkDemand(schedules=(Schedule("g", EVERYTHING, None, DAY),))
    found = required(
        policy([B], frameworks={"fw": grace_only}), credential(environment="production"), [framework()]
    )
    assert found == Required(90 * DAY, DAY, 0, "production", "fw schedule (grace)", "policy", automatic=False)
    looser = FrameworkDemand(schedules=(Schedule("l", EVERYTHING, 60 * DAY, 3 * DAY),))
    found = required(
        policy([B], frameworks={"fw": looser}), credential(environment="production"), [framework()]
    )
    assert found == Required(60 * DAY, 2 * DAY, 0, "l", "fw schedule", "policy", automatic=False)


def test_outside_its_scope_a_framework_adds_nothing() -> None:
    scope = Is("labels.pci", ("true",))
    asked = policy(
        [DEVELOPMENT], frameworks={"fw": FrameworkDemand(scope, (Schedule("s", EVERYTHING, DAY, DAY),))}
    )
    assert required(asked, PERSON, [NINETY]).clause is None
    assert required(asked, {**PERSON, "labels": '{"pci":"true"}'}, [NINETY]).rotation_period == DAY
    unsure = policy(
        [DEVELOPMENT], frameworks={"fw": FrameworkDemand(PRODUCTION, (Schedule("s", EVERYTHING, DAY, DAY),))}
    )
    assert required(unsure, credential(class_="user-password"), [NINETY]).clause is None


def test_frameworks_that_add_nothing_share_the_policys_requirement() -> None:
    plain = framework(("CC6.1", None, "rotation_period", None, "organisation-defined"), identity="soc2")
    scoped = policy([B], frameworks={"soc2": FrameworkDemand(scope=PRODUCTION)})
    found = requirements(scoped, [plain, NINETY, framework(identity="iso27001")])
    assert [(r.key, r.frameworks) for r in found] == [("policy", ("soc2", "iso27001")), ("fw", ("fw",))]
    assert all(set(r.columns) == set(REQUIREMENT) for r in found)


# --- rule settings that a text limits -----------------------------------------------------------


def limits(found: Requirement, rows: Sequence[dict[str, Any]]) -> list[int]:
    frame = nw.from_native(pl.DataFrame(rows, schema=SCHEMA).lazy())
    answer: list[int] = (
        frame.select(limit=found.settings["unused"]["after"]).collect().to_native()["limit"].to_list()
    )
    return answer


def test_a_text_shortens_a_rules_limit_for_whom_it_is_about() -> None:
    inactive = framework(
        ("2.11", PASSWORDS, "unused.after", 45 * DAY, "required"),
        ("2.12", Is("tier", (1,)), "unused.after", 60 * DAY, "required"),
    )
    own, theirs = requirements(policy([B]), [inactive])
    assert own.settings == {}
    rows = [
        credential(class_="user-password", tier=1),
        credential(class_="api-key", tier=1),
        credential(class_="api-key", tier=2),
        credential(),
    ]
    assert limits(theirs, rows) == [45 * DAY, 60 * DAY, 90 * DAY, 90 * DAY]


@pytest.mark.parametrize("value", [90 * DAY, 91 * DAY])
def test_a_limit_that_is_not_shorter_adds_no_requirement(value: int) -> None:
    assert len(requirements(policy([B]), [framework(("1", None, "unused.after", value, "required"))])) == 1


# --- classification -----------------------------------------------------------------------------


def test_the_first_classification_that_sets_a_field_wins_and_the_store_always_does() -> None:
    rules = (
        Classification(Is("name", ("prod/*",)), {"environment": "production", "tier": 1}),
        Classification(Is("scope", ("one",)), {"environment": "staging", "owner": "team"}),
        Classification(EVERYTHING, {"owner": "nobody", "user_owned": False, "consumers": 3}),
    )
    rows = [
        credential(name="prod/a"),
        credential(name="prod/b", environment="development", consumers=9),
        credential(name="x", scope="two", owner="me"),
    ]
    asked = policy([], classify=rules)
    expected = [
        ("production", 1, "team", False, 3),
        ("development", 1, "team", False, 9),
        (None, None, "me", False, 3),
    ]
    fields = ("environment", "tier", "owner", "user_owned", "consumers")
    assert [tuple(explain(asked, [], row).row[name] for name in fields) for row in rows] == expected
    table = pl.DataFrame(rows, schema=SCHEMA).with_row_index("row")
    for native in (table.lazy(), DATABASE.from_arrow(table.to_arrow())):
        frame = classify.apply(nw.from_native(native), asked).select("row", *fields).sort("row")
        assert frame.collect("polars").to_native().drop("row").rows() == expected


def test_classifications_look_at_the_store_not_at_each_other() -> None:
    rules = (
        Classification(Is("name", ("name",)), {"environment": "production"}),
        Classification(PRODUCTION, {"tier": 1}),
    )
    asked = policy([A], classify=rules)
    assert explain(asked, [], credential()).row["tier"] is None
    assert required(asked, credential()).schedule is None


def test_forty_classifications_of_one_field_stay_one_small_expression() -> None:
    rules = tuple(Classification(Is("name", (f"n{i}",)), {"environment": f"e{i}"}) for i in range(40))
    table = pl.DataFrame([credential(name="n39")], schema=SCHEMA)
    frame = classify.apply(nw.from_native(table.lazy()), policy([], classify=rules))
    assert frame.collect().to_native()["environment"].to_list() == ["e39"]


# --- columns and explanations agree, whatever the policy ----------------------------------------

_TESTS: st.SearchStrategy[Match] = st.sampled_from(
    [EVERYTHING, PRODUCTION, STAGING, TIER_1, PASSWORDS, Not(PRODUCTION), Not(PASSWORDS), Is("tier", (1,)),
     Compare("tier", "<", 3), Is("labels.pci", ("true",)), Is("owner", ("*",)), Is("class", ("*-key",))]
)  # fmt: skip
_DAYS = st.sampled_from([1, 29, 30, 31, 60, 90, 100, 180, 365]).map(lambda days: days * DAY)
_TOLERANCES = st.sampled_from([0, 0, 1, 10, 100]).map(lambda days: days * DAY)
_GRACES = st.none() | _DAYS
_ROWS = st.builds(
    credential,
    environment=st.sampled_from([None, "production", "staging", "test"]),
    tier=st.sampled_from([None, 1, 2]),
    class_=st.sampled_from([None, "user-password", "api-key"]),
    owner=st.sampled_from([None, "me"]),
    labels=st.sampled_from([None, "{}", '{"pci":"true"}']),
)


def _schedules(periods: st.SearchStrategy[int | None]) -> st.SearchStrategy[tuple[Schedule, ...]]:
    fields = st.tuples(_TESTS, periods, _GRACES, _TOLERANCES, st.booleans())
    listed = st.lists(fields, max_size=4)
    return listed.map(lambda items: tuple(Schedule(f"s{i}", *item) for i, item in enumerate(items)))


_FACTS = st.fixed_dictionaries(
    {}, optional={"environment": st.sampled_from(["production", "x"]), "tier": st.integers(1, 2)}
).filter(bool)
_POLICIES = st.builds(
    policy,
    _schedules(_DAYS),
    classify=st.lists(st.builds(Classification, _TESTS, _FACTS), max_size=3).map(tuple),
    risk=st.lists(st.builds(RiskFactor, st.just("f"), _TESTS), max_size=3).map(tuple),
    risk_levels=st.sampled_from([LEVELS, (), (90 * DAY,)]),
    frameworks=st.dictionaries(
        st.sampled_from(["fw", "gw"]),
        st.builds(FrameworkDemand, st.none() | _TESTS, _schedules(st.none() | _DAYS)),
    ),
)
_NUMBERS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2"]),
        st.none() | _TESTS,
        st.just("rotation_period"),
        st.none() | _DAYS,
        st.sampled_from(["required", "alternative", "guidance"]),
    ),
    max_size=3,
)


@settings(deadline=None, max_examples=40)
@given(_POLICIES, _NUMBERS, _NUMBERS, st.lists(_ROWS, min_size=1, max_size=4))
def test_columns_and_explanations_agree(asked: Policy, fw: Any, gw: Any, rows: list[dict[str, Any]]) -> None:
    found = judged(asked, [framework(*fw), framework(*gw, identity="gw")], rows)
    assert len(found) == len(rows), "judged compares the engines and the explanation, row by row"


@settings(deadline=None, max_examples=100)
@given(_POLICIES, _NUMBERS, _ROWS)
def test_a_framework_never_asks_less_than_the_policy(asked: Policy, fw: Any, row: dict[str, Any]) -> None:
    explained = explain(asked, [framework(*fw)], row)
    own, theirs = explained.required, explained.frameworks[0].required
    for field in ("rotation_period", "grace_period"):
        mine, stricter = getattr(own, field), getattr(theirs, field)
        assert mine is None or (stricter is not None and stricter <= mine)
    assert theirs.overdue_tolerance >= 0
    if own.rotation_period is not None and theirs.rotation_period is not None:
        assert (
            theirs.rotation_period + theirs.overdue_tolerance <= own.rotation_period + own.overdue_tolerance
        )
    if asdict(theirs) != asdict(own):
        assert theirs.clause is not None or theirs.automatic


@given(_POLICIES, _ROWS)
def test_knowing_less_of_the_environment_never_asks_less(asked: Policy, row: dict[str, Any]) -> None:
    plain = policy(asked.schedules)
    known, unknown = (
        explain(plain, [], row).required,
        explain(plain, [], {**row, "environment": None}).required,
    )
    if known.rotation_period is not None and row["environment"] is not None and row["tier"] is not None:
        assert unknown.rotation_period is not None
        assert unknown.rotation_period <= known.rotation_period

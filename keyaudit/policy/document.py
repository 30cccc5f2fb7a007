"""The shape of a policy file, for reading it and for the JSON Schema that editors use.

What a shape cannot say (that a rule exists, that a schedule can be reached) is in `checking`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from keyaudit.times import parse_duration

DEFINED = "x-defined"  # stands for a $ref to what `schema` defines
DURATION_SCHEMA = {
    "type": "string",
    "pattern": r"^\s*\d{1,9}\s*(us|ms|s|m|h|d|w)\s*$",
    "examples": ["30d", "24h"],
}
Day = Annotated[
    str | None,
    WithJsonSchema({"type": ["string", "null"], "pattern": r"^\d{4}-\d\d-\d\d$", "examples": ["2026-07-01"]}),
]


def _duration(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("a duration is text such as 30d, 24h or 90m")  # noqa: TRY004 - what pydantic collects
    return parse_duration(value)


def _longer_than_nothing(value: int) -> int:
    if not value:
        raise ValueError("must be longer than nothing")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


Duration = Annotated[int, BeforeValidator(_duration), WithJsonSchema(DURATION_SCHEMA)]
Period = Annotated[
    int, BeforeValidator(_duration), AfterValidator(_longer_than_nothing), WithJsonSchema(DURATION_SCHEMA)
]
Text = Annotated[str, AfterValidator(_not_blank), WithJsonSchema({"type": "string", "pattern": r"\S"})]
MatchText = Annotated[dict[str, Any], WithJsonSchema({DEFINED: "Match"})]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Schedule(_Strict):
    """How often credentials that match are rotated. The first schedule that matches counts."""

    name: Text = Field(description="What findings call it.")
    match: MatchText = Field(default_factory=dict, description="Which credentials; left out: all of them.")
    rotation_period: Period = Field(description="A value may be in use for this long.")
    grace_period: Duration | None = Field(
        default=None, description="How long a replaced value may stay usable after its successor took over."
    )
    overdue_tolerance: Duration = Field(default=0, description="Time past due before lateness counts.")
    automatic: bool = Field(default=False, description="Rotation must be automatic (rotation-manual).")


class FrameworkSchedule(Schedule):
    """What a framework asks of credentials in its scope, where that is stricter than your schedules."""

    name: Text | None = Field(default=None, description="What findings call it.")  # type: ignore[assignment]
    rotation_period: Period | None = Field(  # type: ignore[assignment]
        default=None, description="A value may be in use for this long."
    )


class Classification(_Strict):
    """Fills blanks of credentials that match; what the store says always wins. First match wins."""

    match: MatchText = Field(description="Which credentials.")
    set: dict[str, Any] = Field(
        min_length=1, json_schema_extra={DEFINED: "Facts"}, description="Fields and their values."
    )


class RiskFactor(_Strict):
    """Shortens the period of credentials that match by one risk level."""

    name: Text = Field(description="What explanations call it.")
    match: MatchText = Field(description="Which credentials.")


class Waiver(_Strict):
    """An accepted exception. Whether its content is sound is judged by the audit, not here."""

    id: Text = Field(description="Its number in your register.")
    rules: list[str] = Field(min_length=1, description="The rules that it waives, by name.")
    match: MatchText = Field(description="The credentials that it is about.")
    reason: str | None = Field(default=None, description="Why, and what compensates for it.")
    requested_by: str | None = Field(default=None, description="Who asked for it.")
    approved_by: str | None = Field(default=None, description="Who accepted it: not the one who asked.")
    starts: Day = Field(default=None, alias="from", description="First UTC day.")
    until: Day = Field(default=None, description="Last UTC day, inclusive.")


class Demand(_Strict):
    """What the policy adds to one framework."""

    scope: MatchText | None = Field(
        default=None, description="The credentials that the framework is about; left out: all of them."
    )
    schedules: list[FrameworkSchedule] = Field(
        default_factory=list, description="Applied where they are stricter than your own; first match wins."
    )
    not_applicable: dict[str, Text] = Field(
        default_factory=dict, description="Control id → the written reason why it does not apply."
    )


class Policy(_Strict):
    """A credential rotation policy for keyaudit."""

    policy: Text = Field(description="Its name, printed on every report.")
    owner: str | None = Field(default=None, description="Who answers for it.")
    approved_by: str | None = Field(default=None, description="Who approved it.")
    reviewed_on: Day = Field(default=None, description="UTC day of its last review.")
    review_every: Period | None = Field(
        default=None, description="How long a review lasts (policy-not-reviewed)."
    )
    classify: list[Classification] = Field(default_factory=list, description="Fills what stores do not say.")
    risk_levels: list[Period] = Field(
        default_factory=list, description="Periods that a risk factor moves between, shortest first."
    )
    risk: list[RiskFactor] = Field(default_factory=list, description="Each that holds shortens the period.")
    schedules: list[Schedule] = Field(default_factory=list, description="First match wins.")
    frameworks: dict[str, Demand] = Field(
        default_factory=dict, description="Framework id → what you add to it."
    )
    rules: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Rule name → severity, enabled, and the rule's own settings."
    )
    waivers: list[Waiver] = Field(default_factory=list, description="Accepted exceptions.")

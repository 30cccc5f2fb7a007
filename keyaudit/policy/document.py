"""The shape of a policy file, for reading it and for the JSON Schema that editors use.

Values arrive as plain text and numbers; durations and matches are checked where they are read
(`reading`), because their errors need lines.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from keyaudit.times import parse_duration


def _duration(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("a duration is text such as 30d, 24h or 90m")
    return parse_duration(value)


Duration = Annotated[
    int,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,9}\s*(us|ms|s|m|h|d|w)$", "examples": ["30d", "24h"]}),
]
Text = Annotated[str, Field(min_length=1)]
MatchText = Annotated[
    dict[str, Any],
    WithJsonSchema({"$ref": "#/$defs/Match"}),
    Field(description="Which credentials: fields and values, `all`, `any`, `not`."),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Schedule(_Strict):
    """How often credentials that match are rotated. The first schedule that matches counts."""

    name: Text
    match: MatchText = Field(default_factory=dict)
    rotation_period: Duration = Field(description="A value may be in use for this long.")
    grace_period: Duration | None = Field(
        default=None, description="How long a replaced value may stay usable after its successor took over."
    )
    overdue_tolerance: Duration = Field(default=0, description="Time past due before lateness counts.")
    automatic: bool = Field(default=False, description="Rotation must be automatic (rotation-manual).")


class Classification(_Strict):
    """Fills blanks of credentials that match; what the store says always wins."""

    match: MatchText
    set: dict[str, Any] = Field(min_length=1)


class RiskFactor(_Strict):
    """Shortens the period of credentials that match by one risk level."""

    name: Text
    match: MatchText


class Waiver(_Strict):
    """An accepted exception. Whether its content is sound is judged by the audit, not here."""

    id: Text
    rules: list[str] = Field(min_length=1)
    match: MatchText
    reason: str | None = None
    requested_by: str | None = None
    approved_by: str | None = None
    starts: str | None = Field(default=None, alias="from", description="First UTC day, such as 2026-05-01.")
    until: str | None = Field(default=None, description="Last UTC day, inclusive.")


class Demand(_Strict):
    """What the policy adds to one framework."""

    scope: MatchText | None = Field(default=None, description="The credentials that the framework is about.")
    schedules: list[Schedule] = Field(default_factory=list)
    not_applicable: dict[str, Text] = Field(
        default_factory=dict, description="Control id → the written reason why it does not apply."
    )


class Policy(_Strict):
    """A credential rotation policy for keyaudit."""

    policy: Text = Field(description="Its name, printed on every report.")
    owner: str | None = None
    approved_by: str | None = None
    reviewed_on: str | None = Field(default=None, description="UTC day of the last review, such as 2026-07-01.")
    review_every: Duration | None = None
    classify: list[Classification] = Field(default_factory=list)
    risk_levels: list[Duration] = Field(default_factory=list)
    risk: list[RiskFactor] = Field(default_factory=list)
    schedules: list[Schedule] = Field(default_factory=list)
    frameworks: dict[str, Demand] = Field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = Field(default_factory=dict)
    waivers: list[Waiver] = Field(default_factory=list)


SeverityName = Literal["critical", "high", "medium", "low", "info"]

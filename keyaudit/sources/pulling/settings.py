"""The settings that all sources share, and how their texts are checked.

    - name: production              # what `--source NAME` means
      kind: aws-secrets-manager
      cache: true                   # false, or a folder of its own
      requests_per_second: 20       # for one scope, whose quota production shares
      concurrency: 8                # scopes asked at once
      calls_per_scope: 4            # calls in flight in one of them
      attempts: 10                  # of one call, the first included
      timeout: 30s                  # for one answer
      trust_labels: [owner]         # columns that labels may fill; true for all, false for none

Only `name` and `kind` are needed. No setting holds a secret: keys come from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from keyaudit.times import SECOND, parse_duration

_ENDPOINT = re.compile(
    r"https://[^/\s@?#]+(/[^\s@?#]*)?|http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?/?", re.ASCII
)
_LABEL = re.compile(r"[^/\s]([^/\r\n\t]*[^/\s])?")
_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)


def _duration(value: object) -> int:
    # A bare number would be counted in microseconds, which nobody means.
    if not isinstance(value, str):
        raise ValueError("a duration has a unit: write 30s, 5m or 24h")  # noqa: TRY004  # pydantic's contract
    return parse_duration(value)


def _endpoint(text: str) -> str:
    if not _ENDPOINT.fullmatch(text):
        raise ValueError("neither https://HOST nor http:// on this machine; requests carry credentials")
    return text


def _variable(text: str) -> str:
    if not _ENVIRONMENT.fullmatch(text):
        raise ValueError("not the name of an environment variable; a key itself never stands here")
    return text


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text) or not text.isprintable():
        raise ValueError("not a name for scopes: no slash, no line break")
    return text


def distinct(values: Sequence[str]) -> Sequence[str]:
    """Give the values; raises ValueError if one is there twice."""
    if len(set(values)) != len(values):
        raise ValueError("lists one thing twice")
    return values


def not_empty(values: Sequence[str] | None) -> Sequence[str] | None:
    """Give the values; raises ValueError if a list was written with nothing in it."""
    if values is not None and not values:
        raise ValueError("name at least one, or leave the setting out")
    return values


Duration = Annotated[int, BeforeValidator(_duration)]
"""Written as 30s, 5m or 24h, never as a bare number; microseconds once read."""
Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""https anywhere, plain http on this machine only."""
Label = Annotated[str, AfterValidator(_label), Field(max_length=100)]
"""What scopes are called where the provider gives no name before it is asked."""
Variable = Annotated[str, AfterValidator(_variable)]
"""The name of an environment variable that holds a key."""


Labelled = Literal[
    "class",
    "consumers",
    "environment",
    "exposure",
    "lineage",
    "owner",
    "provider",
    "reach",
    "tier",
    "user_owned",
]
"""A column that labels may fill: those of `labels.COLUMNS`."""


class PullSettings(BaseModel):
    """What every source has; `timeout` in microseconds. A kind changes the defaults that differ."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100)
    cache: bool | Path = True
    requests_per_second: float = Field(default=20, gt=0, le=100_000)
    concurrency: int = Field(default=8, ge=1, le=64)
    calls_per_scope: int = Field(default=4, ge=1, le=64)
    attempts: int = Field(default=10, ge=1, le=50)
    trust_labels: bool | Annotated[tuple[Labelled, ...], AfterValidator(distinct)] = True
    timeout: Annotated[Duration, Field(ge=SECOND // 10, le=600 * SECOND)] = 30 * SECOND

"""When OpenRouter last saw a key: `last_used_at`, held against what the key has cost.

    silence:
      kind: openrouter
      delay: 10m                         # how late a use may arrive
      key_variable: OPENROUTER_MANAGEMENT_KEY
      endpoint: https://openrouter.ai
      timeout: 30s

`last_used_at` is documented since September 2026 (the type of the client's answer), without a word on
how soon it is told; where it does not come, nothing can be said: costs show a use, but a key that is
asked for free models only costs nothing. Costs of the day, the week and the month (UTC, from Monday)
that began after `last_used_at` say that it is behind: then the key counts as used just now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal, Self

import msgspec
from pydantic import Field

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.web import Web
from keyaudit.rotation.issuers.openrouter import ManagementSettings, management_door
from keyaudit.rotation.party import Means
from keyaudit.rotation.sight import Quiet
from keyaudit.sources.pulling.settings import Duration
from keyaudit.times import DAY, MINUTE, SECOND, from_datetime, parse_instant

KEY = "GET /api/v1/keys/{key}"


class OpenRouterUsageSettings(ManagementSettings):
    """Checked settings; `delay` in microseconds."""

    kind: Literal["openrouter"]
    delay: Annotated[Duration, Field(ge=MINUTE, le=DAY)] = 10 * MINUTE


class _Key(msgspec.Struct, frozen=True):
    last_used_at: str | msgspec.UnsetType | None = msgspec.UNSET
    usage: float = 0
    usage_daily: float = 0
    usage_weekly: float = 0
    usage_monthly: float = 0
    byok_usage: float = 0
    byok_usage_daily: float = 0
    byok_usage_weekly: float = 0
    byok_usage_monthly: float = 0

    def __post_init__(self) -> None:
        if isinstance(self.last_used_at, str):
            parse_instant(self.last_used_at)


class _Answer(msgspec.Struct):
    data: _Key


_ANSWER = msgspec.json.Decoder(_Answer)


class OpenRouterUsage:
    """Asks OpenRouter's management; the key itself is not touched."""

    kind = "openrouter"
    Settings = OpenRouterUsageSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {"ask": (KEY,)}

    def __init__(self, settings: OpenRouterUsageSettings, web: Web, means: Means) -> None:
        self._settings, self._web, self._clock = settings, web, means.clock

    @classmethod
    def opened(cls, settings: OpenRouterUsageSettings, means: Means) -> Self:
        """Open it; raises UsageError where no management key is set."""
        return cls(
            settings, management_door(settings, means.key(settings.key_variable), cls.calls["ask"]), means
        )

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        """Give the last use that OpenRouter tells, or now where its costs say that it is behind."""
        del version, since
        if key_id is None:
            raise RotationError("which of OpenRouter's keys the old value is, is not known")
        now = self._clock()
        key = self._web.decode(self._web.get(KEY, at={"key": key_id}), _ANSWER).data
        if key.last_used_at is msgspec.UNSET:
            raise RotationError(
                "OpenRouter does not say when the key was last used",
                hint="write `silence: none` and, when nobody uses it, give --confirm-silent",
            )
        used = None if key.last_used_at is None else parse_instant(str(key.last_used_at))
        if _cost_since(key, now) > (used if used is not None else -1):
            used = now
        return Quiet(self._web.time(now) - self._settings.delay, used, "openrouter: last use listed, costs")


def _cost_since(key: _Key, now: int) -> int:
    """Give the latest instant after which the key surely cost something; -1 if it never did."""
    day = now // DAY * DAY
    today = datetime.fromtimestamp(day // SECOND, UTC)
    spans = (
        (key.usage_daily + key.byok_usage_daily, day),
        (key.usage_weekly + key.byok_usage_weekly, from_datetime(today - timedelta(days=today.weekday()))),
        (key.usage_monthly + key.byok_usage_monthly, from_datetime(today.replace(day=1))),
        (key.usage + key.byok_usage, 0),
    )
    return max((begun for cost, begun in spans if cost > 0), default=-1)

"""When Anthropic last saw a key: its report of messages by key.

    silence:
      kind: anthropic
      delay: 10m                         # how late uses arrive; about five minutes were seen
      key_variable: ANTHROPIC_ADMIN_KEY
      endpoint: https://api.anthropic.com
      timeout: 30s

Only messages are reported: a key that is used for files or the list of models alone looks silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.web import Web
from keyaudit.rotation.issuers.anthropic_keys import admin_door
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.sight import Quiet
from keyaudit.rotation.silences.use_report import last_seen
from keyaudit.sources.pulling.settings import Duration, Endpoint, Variable
from keyaudit.times import DAY, MINUTE, format_instant

KEY = "GET /v1/organizations/api_keys/{key}"
REPORT = "GET /v1/organizations/usage_report/messages"


class AnthropicUsageSettings(PartySettings):
    """Checked settings; `delay` in microseconds."""

    kind: Literal["anthropic"]
    delay: Annotated[Duration, Field(ge=MINUTE, le=DAY)] = 10 * MINUTE
    key_variable: Variable = "ANTHROPIC_ADMIN_KEY"
    endpoint: Endpoint = "https://api.anthropic.com"


class AnthropicUsage:
    """Asks Anthropic's Admin API; the key itself is not touched."""

    kind = "anthropic"
    Settings = AnthropicUsageSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {"ask": (KEY, REPORT)}

    def __init__(self, settings: AnthropicUsageSettings, web: Web, means: Means) -> None:
        self._settings, self._web, self._clock = settings, web, means.clock

    @classmethod
    def opened(cls, settings: AnthropicUsageSettings, means: Means) -> Self:
        """Open it; raises UsageError where no admin key is set."""
        web = admin_door(
            settings.endpoint,
            means.key(settings.key_variable).reveal(),
            cls.calls["ask"],
            timeout=settings.timeout,
            variable=settings.key_variable,
        )
        return cls(settings, web, means)

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        """Give the end of the last minute (or, long ago, day) with a message of the key in it."""
        del version
        if key_id is None:
            raise RotationError("which of Anthropic's keys the old value is, is not known")
        # Of a key that Anthropic does not know it reports nothing, which looks like silence.
        self._web.get(KEY, at={"key": key_id})
        now = self._clock()

        def report(width: str, start: int, most: int, page: str | None) -> bytes:
            asked = {
                "starting_at": format_instant(start),
                "bucket_width": width,
                "limit": str(most),
                "group_by[]": "api_key_id",
                "api_key_ids[]": key_id,
            }
            return self._web.get(REPORT, asked | ({"page": page} if page else {}))

        used = self._web.read(lambda: last_seen(report, key_id, since, now))
        return Quiet(self._web.time(now) - self._settings.delay, used, "anthropic: messages reported")

"""When OpenAI last saw a key: the list's own last use, and its reports of use by key.

    silence:
      kind: openai
      project: proj_abc
      usage: [completions]               # reports to ask by the minute; embeddings, images, …
      costs: false                       # the report of costs too: every surface, but by the day
      delay: 10m                         # how late uses arrive
      key_variable: OPENAI_ADMIN_KEY
      organization_id: org-abc
      endpoint: https://api.openai.com
      timeout: 30s

The latest of what they say counts. Whether the list's last use is told at once is not documented,
nor how late the reports are: both are taken to be `delay` late. With `costs`, a key that was used
today is not silent before the day (UTC) has ended. A batch that the old key submitted counts when
it is worked on, up to 24 hours later (`issuer.kind: openai`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.web import Web
from keyaudit.rotation.issuers.openai import LIST, AdminSettings, admin_door, project_keys
from keyaudit.rotation.party import Means
from keyaudit.rotation.sight import Quiet
from keyaudit.rotation.silences.use_report import last_seen
from keyaudit.sources.pulling.json_lists import last_use
from keyaudit.sources.pulling.settings import Duration, distinct
from keyaudit.times import DAY, HOUR, MINUTE, SECOND

USAGE = "GET /v1/organization/usage/{surface}"
COSTS = "GET /v1/organization/costs"
_DAYS = 31

Surface = Literal[
    "audio_speeches",
    "audio_transcriptions",
    "completions",
    "decisions",
    "embeddings",
    "file_search_calls",
    "images",
    "moderations",
    "web_search_calls",
]
"""Reports that know keys; vector stores and code interpreter sessions know projects only."""


class OpenAiUsageSettings(AdminSettings):
    """Checked settings; `delay` in microseconds."""

    kind: Literal["openai"]
    usage: Annotated[tuple[Surface, ...], AfterValidator(distinct)] = ("completions",)
    costs: bool = False
    delay: Annotated[Duration, Field(ge=SECOND, le=DAY)] = 10 * MINUTE


class OpenAiUsage:
    """Asks OpenAI's administration; the key itself is not touched."""

    kind = "openai"
    Settings = OpenAiUsageSettings

    def __init__(self, settings: OpenAiUsageSettings, web: Web, means: Means) -> None:
        self._settings, self._web, self._clock = settings, web, means.clock
        self.calls: Mapping[str, tuple[str, ...]] = {"ask": _calls(settings)}

    @classmethod
    def opened(cls, settings: OpenAiUsageSettings, means: Means) -> Self:
        """Open it; raises UsageError where no admin key is set."""
        key = means.key(settings.key_variable)
        return cls(settings, admin_door(settings, key, _calls(settings)), means)

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        """Give the latest use that any of them shows."""
        del version
        now = self._clock()
        listed = {key.id: key for key in project_keys(self._web, self._settings.project)}
        if key_id is None or key_id not in listed:
            raise RotationError(
                f"OpenAI does not list the old key {key_id or ''}".rstrip(),
                hint="is silence.project the project of the key?",
            )
        seen = [self._listed(listed[key_id].last_used_at, now)]
        seen += [self._reported(surface, key_id, since, now) for surface in self._settings.usage]
        if self._settings.costs:
            seen.append(self._cost(key_id, since, now))
        used = max((at for at in seen if at is not None), default=None)
        told = ["last use listed", *self._settings.usage, *(["costs"] if self._settings.costs else [])]
        return Quiet(self._web.time(now) - self._settings.delay, used, f"openai: {', '.join(told)}")

    def _listed(self, seconds: int | None, now: int) -> int | None:
        """Give the list's last use; one that is midnight to the second may mean the whole day."""
        if seconds is None:
            return None
        at = seconds * SECOND
        return at if at % DAY else max(at, min(at + DAY, now))

    def _reported(self, surface: str, key_id: str, since: int | None, now: int) -> int | None:
        def report(width: str, start: int, most: int, page: str | None) -> bytes:
            params = {"bucket_width": width, "limit": most, **_asked(key_id, start, page)}
            return self._web.get(USAGE, params, at={"surface": surface})

        return self._web.read(lambda: last_seen(report, key_id, since, now))

    def _cost(self, key_id: str, since: int | None, now: int) -> int | None:
        start = (now - 24 * HOUR if since is None else since) // DAY * DAY

        def report(page: str | None) -> bytes:
            return self._web.get(COSTS, {"bucket_width": "1d", "limit": _DAYS, **_asked(key_id, start, page)})

        day = self._web.read(lambda: last_use(report)).get(key_id)
        return None if day is None else min(day + DAY, now)


def _asked(key_id: str, start: int, page: str | None) -> dict[str, Any]:
    asked = {"start_time": start // SECOND, "group_by": "api_key_id", "api_key_ids": key_id}
    return asked | ({"page": page} if page else {})


def _calls(settings: OpenAiUsageSettings) -> tuple[str, ...]:
    return (LIST, *([USAGE] if settings.usage else []), *([COSTS] if settings.costs else []))

r"""When a log of your own last saw a key: a gateway's, a proxy's, whatever writes down who asked.

    silence:
      kind: access-log
      path: /var/log/gateway/access.ndjson
      format: ndjson                     # one JSON object a line; or `pattern`
      time: time                         # the field, dotted if it lies deeper
      key: auth.key_id                   # the field with the key's id, or the version of the secret
      pattern: '^\S+ (?P<key>\S+) \[(?P<time>[^\]]+)\]'   # for `format: pattern`, instead of both
      time_format: rfc3339               # unix (seconds), or clf: 10/Oct/2026:13:55:36 +0000
      names: key                         # what the log calls a key by: its id, or the `version`
      delay: 1m                          # how late a line may be written

A log must never hold a value, so it has to name keys by their ids. What it shows is silence only as
far as it goes on: the last line's time is as far as anything is seen, and where the log begins (it
may have been rotated away) a use counts as having been just before. So let something else write to
it as well, or a heartbeat. A line that cannot be read is nothing, unless the key's name is in it:
then nobody can tell. Nor where a line without the field has the key's name elsewhere, or where no line
names any key: then `key` is not the field that does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from keyaudit.errors import RotationError
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.sight import Quiet
from keyaudit.sources.pulling.settings import Duration
from keyaudit.times import DAY, MINUTE, from_datetime, from_seconds, parse_instant

_LONGEST_LINE = 1024 * 1024


def _pattern(text: str) -> str:
    try:
        groups = set(re.compile(text).groupindex)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    if not {"time", "key"} <= groups:
        raise ValueError("needs the groups (?P<time>…) and (?P<key>…)")
    return text


class AccessLogSettings(PartySettings):
    """Checked settings; `delay` in microseconds."""

    kind: Literal["access-log"]
    path: Path
    format: Literal["ndjson", "pattern"] = "ndjson"
    time: Annotated[str, Field(min_length=1)] = "time"
    key: Annotated[str, Field(min_length=1)] = "key"
    pattern: Annotated[str, AfterValidator(_pattern)] | None = None
    time_format: Literal["rfc3339", "unix", "clf"] = "rfc3339"
    names: Literal["key", "version"] = "key"
    delay: Annotated[Duration, Field(ge=0, le=DAY)] = MINUTE

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.format == "pattern") != (self.pattern is not None):
            raise ValueError("`format: pattern` and `pattern` belong together")
        return self


class AccessLog:
    """Reads a file."""

    kind = "access-log"
    Settings = AccessLogSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {"ask": ("read the file",)}

    def __init__(self, settings: AccessLogSettings, means: Means) -> None:
        self._settings, self._clock = settings, means.clock
        self._path = means.folder / settings.path
        self._pattern = re.compile(settings.pattern or "")

    @classmethod
    def opened(cls, settings: AccessLogSettings, means: Means) -> Self:
        """Open it; the file is read when it is asked."""
        return cls(settings, means)

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        """Give the last line's time as far as is seen, and that of the last line with the key."""
        name = key_id if self._settings.names == "key" else version
        if not name:
            raise RotationError("which key the log should be searched for is not known")
        first: int | None = None
        last: int | None = None
        used: int | None = None
        names_keys = False
        for at, key in self._entries(name):
            names_keys = names_keys or bool(key)
            first = at if first is None else min(first, at)
            last = at if last is None else max(last, at)
            if key == name:
                used = at if used is None else max(used, at)
        if first is None or last is None:
            raise RotationError(f"{self._path.name} has no line with a time", hint="see silence.time")
        if not names_keys:
            raise RotationError(f"{self._path.name} names no key", hint="see silence.key")
        if since is None or first > since:
            used = max(used or 0, first)
        seen_until = min(last, self._clock()) - self._settings.delay
        return Quiet(seen_until, used, f"access-log: {self._path.name}")

    def _entries(self, name: str) -> Iterator[tuple[int, str]]:
        """Give time and key of each line; raises RotationError for an unreadable one about the key."""
        try:
            with self._path.open("rb") as log:
                while line := log.readline(_LONGEST_LINE):
                    if not line.endswith(b"\n"):
                        # It is being written now, or no line at all: what it says comes later.
                        if len(line) == _LONGEST_LINE:
                            raise RotationError(f"{self._path.name} has a line without an end")
                        return
                    entry = self._entry(line.decode("utf-8", "replace"))
                    # A version may be named "1", which is in every line.
                    unsaid = entry is None or (not entry[1] and self._settings.names == "key")
                    if entry is not None and not (unsaid and name.encode() in line):
                        yield entry
                    elif name.encode() in line:
                        raise RotationError(
                            f"{self._path.name} has a line about {name} that cannot be read",
                            hint="see silence.time, silence.key, silence.time_format",
                        )
        except OSError as error:
            raise RotationError(f"{self._path.name} cannot be read: {error.strerror}") from None

    def _entry(self, line: str) -> tuple[int, str] | None:
        try:
            if self._settings.pattern is not None:
                found = self._pattern.search(line)
                return None if found is None else (self._time(found["time"]), found["key"])
            said = json.loads(line)
            key = _field(said, self._settings.key)
            return self._time(_field(said, self._settings.time)), "" if key is None else str(key)
        except (ValueError, TypeError, OverflowError, RecursionError):
            return None

    def _time(self, said: Any) -> int:
        if self._settings.time_format == "unix":
            return from_seconds(float(said))
        if self._settings.time_format == "clf":
            return from_datetime(datetime.strptime(str(said), "%d/%b/%Y:%H:%M:%S %z"))
        return parse_instant(str(said))


def _field(said: Any, path: str) -> Any:
    """Give what lies at a dotted path; None where there is nothing."""
    for name in path.split("."):
        said = said.get(name) if isinstance(said, dict) else None
    return said

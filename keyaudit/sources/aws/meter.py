"""What one scope costs: every attempt is counted and paced where it leaves."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from keyaudit.sources.aws.refusals import THROTTLES
from keyaudit.sources.pace import Pace

BODY = "keyaudit-body"
"""The key under which an answer's undecoded body is handed over."""


class Meter:
    """Counts calls and throttles of one client and keeps it under its pace."""

    def __init__(self, pace: Pace) -> None:
        """Start at zero."""
        self._pace = pace
        self._lock = threading.Lock()
        self.calls = 0
        self.throttled = 0

    def watch(self, client: Any) -> Any:
        """Hook onto a client's events and give it back.

        `before-send` comes once an attempt, so retries are paced and counted too. `before-parse`
        keeps botocore from parsing a good answer: its field-by-field walk, timestamps above all,
        is most of the time of a list loop, and typed decoding wants the bytes.
        """
        events = client.meta.events
        events.register("before-send", self._sending)
        events.register("response-received", self._received)
        events.register("before-parse", self._take_body)
        return client

    def _sending(self, **_: Any) -> None:
        self._pace.wait()
        with self._lock:
            self.calls += 1

    def _received(
        self, response_dict: Mapping[str, Any] | None, parsed_response: Mapping[str, Any] | None, **_: Any
    ) -> None:
        if response_dict is None or parsed_response is None:
            return
        status = response_dict["status_code"]
        if status < 300:
            self._pace.succeeded()
            return
        headers = response_dict["headers"]
        hold = _retry_after(headers)
        error = parsed_response.get("Error")
        code = error.get("Code") if isinstance(error, Mapping) else None
        if status == 429 or code in THROTTLES or (status == 503 and hold is not None):
            with self._lock:
                self.throttled += 1
            self._pace.throttled(hold)

    def _take_body(
        self, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
    ) -> None:
        if response_dict["status_code"] < 300:
            customized_response_dict[BODY] = response_dict["body"]
            response_dict["body"] = b"{}"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks us to wait: `Retry-After` in seconds, Amazon's own in milliseconds."""
    for name, unit in (("retry-after", 1.0), ("x-amz-retry-after", 0.001)):
        text = str(headers.get(name, "")).strip()
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return int(text) * unit
    return None

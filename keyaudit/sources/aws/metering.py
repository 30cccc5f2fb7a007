"""Hooks a scope's meter onto a botocore client, and takes answers before botocore parses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit.sources.aws.refusals import THROTTLES
from keyaudit.sources.pulling.meter import Meter

BODY = "keyaudit-body"
"""The key under which an answer's undecoded body is handed over."""


def watch(client: Any, meter: Meter, *, raw: bool = False) -> Any:
    """Hook onto a client's events and give it back.

    `before-send` comes once an attempt, so retries are paced and counted too. With `raw`, a good
    answer is not parsed by botocore but handed over under `BODY`: its field-by-field walk,
    timestamps above all, is most of the time of a list loop, and typed decoding wants the bytes.
    """
    events = client.meta.events

    def sending(**_: Any) -> None:
        meter.sending()

    def received(
        response_dict: Mapping[str, Any] | None, parsed_response: Mapping[str, Any] | None, **_: Any
    ) -> None:
        if response_dict is not None and parsed_response is not None:
            _note(meter, response_dict, parsed_response)

    events.register("before-send", sending)
    events.register("response-received", received)
    if raw:
        events.register("before-parse", _take_body)
    return client


def _note(meter: Meter, response: Mapping[str, Any], parsed: Mapping[str, Any]) -> None:
    status = response["status_code"]
    meter.heard(response["headers"].get("date"))
    if status < 300:
        meter.answered()
        return
    hold = _retry_after(response["headers"])
    error = parsed.get("Error")
    code = error.get("Code") if isinstance(error, Mapping) else None
    if status == 429 or code in THROTTLES or (status == 503 and hold is not None):
        meter.held_back(hold)


def _take_body(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
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

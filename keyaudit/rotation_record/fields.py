"""What each field of a record may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from keyaudit.errors import did_you_mean
from keyaudit.times import parse_instant

EVENTS = ("requested", "intent", "result", "failed", "ended")
STEPS = (
    "provision", "void", "discard", "verify", "decide", "promote", "restore", "drain", "revoke", "drop",
)  # fmt: skip
GOALS = ("forward", "back", "emergency")


_LONGEST_TEXT = 2_048
_DEEPEST = 4
_HASH = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
TEXTS_OR_NULL = (
    "token", "step", "outcome", "goal", "requested_by", "approved_by", "ticket", "reason",
)  # fmt: skip
_FIELDS = ("schema", "seq", "at", "name", "credential", "event", "detail", "prev", *TEXTS_OR_NULL)
_CREDENTIAL = ("source", "scope", "id", "name")
_CHOICES: Mapping[str, tuple[str, ...]] = {"event": EVENTS, "step": STEPS, "goal": GOALS}


def wrong_fields(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Find everything wrong with the fields of a line: where, and a sentence."""
    wrong = _names(found, _FIELDS, "")
    for name in ("name", "event", "at", *TEXTS_OR_NULL):
        value = found.get(name)
        if name in found and not (value is None and name in TEXTS_OR_NULL):
            wrong += _text(value, name)
    credential = found.get("credential")
    if isinstance(credential, dict):
        wrong += _names(credential, _CREDENTIAL, "credential.")
        for name in (name for name in _CREDENTIAL if name in credential):
            wrong += _text(credential[name], f"credential.{name}")
    elif "credential" in found:
        wrong.append(("credential", "is no object"))
    wrong += _particular(found)
    return wrong + (_deep(found["detail"], "detail") if "detail" in found else [])


def _particular(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Find what is wrong with the fields that are more than text."""
    wrong = []
    for name, choices in _CHOICES.items():
        value = found.get(name)
        if isinstance(value, str) and value not in choices:
            wrong.append((name, f"is {brief(value)}{did_you_mean(value, choices)}"))
    if found.get("event") in {"intent", "result", "failed"} and found.get("step") is None:
        wrong.append(("step", f"is not said, and {found['event']} is of a step"))
    if isinstance(found.get("at"), str):
        try:
            parse_instant(found["at"])
        except ValueError as error:
            wrong.append(("at", str(error)))
    seq, prev = found.get("seq"), found.get("prev")
    if "seq" in found and (type(seq) is not int or not 0 <= seq < 1 << 53):
        wrong.append(("seq", "is no count"))
    if prev is not None and not (isinstance(prev, str) and _HASH.fullmatch(prev)):
        wrong.append(("prev", "is no SHA-256 in hex"))
    if "detail" in found and not isinstance(found["detail"], dict):
        wrong.append(("detail", "is no object"))
    return wrong


def _names(found: Mapping[str, Any], fields: tuple[str, ...], where: str) -> list[tuple[str, str]]:
    unknown = [
        (f"{where}{name[:80]}", f"unknown field{did_you_mean(name, fields)}")
        for name in found
        if name not in fields
    ]
    return unknown + [(f"{where}{name}", "is missing") for name in fields if name not in found]


def _text(value: Any, path: str) -> list[tuple[str, str]]:
    if not isinstance(value, str):
        return [(path, "is no text")]
    if len(value) > _LONGEST_TEXT:
        return [(path, f"is longer than {_LONGEST_TEXT:,} characters")]
    return [(path, "has characters that cannot be seen")] if _CONTROL.search(value) else []


def _deep(value: Any, path: str, depth: int = 0) -> list[tuple[str, str]]:
    """Find what is not plain in a detail: what is nested deeper, or cannot be shown."""
    if not isinstance(value, dict | list):
        return _text(value, path) if isinstance(value, str) else []
    if depth == _DEEPEST:
        return [(path, "is nested too deep")]
    wrong = []
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        wrong += _text(str(key), path) + _deep(each, f"{path}.{str(key)[:80]}", depth + 1)
    return wrong


def brief(value: Any) -> str:
    """Show the beginning of something foreign, safely."""
    return ascii(value)[:60]

"""What a function in a cloud is told by its environment.

    KEYAUDIT_ROTATION      one entry of `rotations:` of a keyaudit.yaml, as YAML or JSON
    KEYAUDIT_REQUEST       who asked for it, as the record says it: requested_by, approved_by, ticket, reason

Neither holds a secret. Keys of management APIs are fetched when they are needed, from where
`means` of the entry point says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit.errors import PolicyError, UsageError
from keyaudit.rotation.journal import Request
from keyaudit.rotation.settings import RotationSettings, read_settings
from keyaudit.rotation.steps import Order, Stage
from keyaudit.strict_yaml import load
from keyaudit.times import DAY

ROTATION, REQUEST = "KEYAUDIT_ROTATION", "KEYAUDIT_REQUEST"
_SAID = ("requested_by", "approved_by", "ticket", "reason")


def mapping(environment: Mapping[str, str], variable: str) -> Mapping[str, Any] | None:
    """Give the object that a variable holds, None if it is not set; raises PolicyError, UsageError."""
    text = environment.get(variable, "")
    if not text.strip():
        return None
    found = load(text.encode(), variable, error=PolicyError).value()
    if not isinstance(found, dict):
        raise UsageError(f"{variable}: not an object of settings")
    return found


def rotation(environment: Mapping[str, str], store: str) -> RotationSettings:
    """Give the rotation that this function is for; raises PolicyError, UsageError."""
    entry = mapping(environment, ROTATION)
    if entry is None:
        raise UsageError(
            f"{ROTATION} is not set", hint="it holds an entry of `rotations:` of a keyaudit.yaml"
        )
    settings = read_settings(entry)
    if settings.store.get("kind") != store:
        raise UsageError(f"{ROTATION}: this function rotates a secret of the kind {store}")
    return settings


def request(environment: Mapping[str, str], requested_by: str) -> Request:
    """Give who asked for the rotation: what the environment says, else who called; raises UsageError."""
    said = mapping(environment, REQUEST) or {}
    for name, text in said.items():
        if name not in _SAID or not isinstance(text, str) or not text.isprintable():
            raise UsageError(f"{REQUEST}: one line for each of {', '.join(_SAID)}, and nothing else")
    return Request(**{"requested_by": requested_by, **said})


def order(settings: RotationSettings, *, begin: bool, confirmed_silent: bool = False) -> Order:
    """Give the order of an unattended run: as far as it can go now. The grace is a day unless said."""
    return Order(
        until=Stage.RETIRE,
        window=settings.window,
        grace=DAY if settings.grace_period is None else settings.grace_period,
        settle=settings.settle,
        fresh=settings.fresh,
        begin=begin,
        confirmed_silent=confirmed_silent,
    )

"""CHANGING credentials: the only part of keyaudit that does; nothing but the command line imports it.

Besides, two clouds call it: AWS `aws_lambda.handler`, Google `google_function.rotate` (`hosted`).

machine     what to do next, from what can be seen: pure
sight       what can be seen: a store's shelf, a provider's keys
steps       what can be ordered, done, waited for
runner      look, decide, record, do; looking and performing are its two halves
journal     the record that the audit reads
stores      where values are kept            issuers     who makes and honours keys
simulation  the same in memory, with a clock of its own; `KeyStore`, `KeyRotationMonitor` and
            `RotationManager` are the shortest rotation there is
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyaudit.rotation.simulation.key_rotation_monitor import KeyRotationMonitor
    from keyaudit.rotation.simulation.key_store import KeyStore
    from keyaudit.rotation.simulation.rotation_manager import RotationManager

__all__ = ["KeyRotationMonitor", "KeyStore", "RotationManager"]

_WHERE = {
    "KeyRotationMonitor": "key_rotation_monitor",
    "KeyStore": "key_store",
    "RotationManager": "rotation_manager",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: whoever rotates for real needs none of it."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.simulation.{_WHERE[name]}"), name)

"""CHANGING credentials: the only part of keyaudit that does; nothing but the command line imports it.

Besides, two clouds call it: AWS `aws_lambda.handler`, Google `google_function.rotate`.

sight, steps           what can be seen; what can be ordered, done, waited for
machine                what to do next, from the one to the other: pure
runner                 look, decide, record, do; `looking` and `performing` are its two halves
rehearsal              the same runner over stand-ins: what `--dry-run` prints
journal, recorded      the record that the audit reads, and what it says of orders not carried out

settings               an entry of `rotations:`, checked, and the parties that it opens
party, parties         what each of them has; all of them together, and one run
stores                 where values are kept                       `stores.protocol`
issuers                who makes keys and ends them                `issuers.protocol`
probes, silences       is the new key alive, is the old one silent  `asking`
doors                  how they ask: AWS, Google, Vault, HTTP, a program
grants                 what each provider must grant to whoever runs a rotation
secret, shape          a value that nothing prints, and where it sits in a store's text
extras                 what must be installed for whom

aws_lambda, google_function, hosted   where a cloud calls us
simulation             the same in memory, with a clock of its own; `KeyStore`, `KeyRotationMonitor`
                       and `RotationManager` are the shortest rotation there is
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

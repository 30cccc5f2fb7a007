"""The least that a policy of Vault, or OpenBao, must grant to whoever rotates: what each party declares.

Whoever audits has another policy, which denies all of this but the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

_CAPABILITIES = ("create", "read", "update", "patch")
_ENGINES_OWN = ("/destroy/", "/delete/", "/rotate-role/")
"""Paths at which nothing is made, so that `update` alone is enough."""


def capabilities(parties: Iterable[object]) -> Mapping[str, tuple[str, ...]]:
    """Give the capabilities that parties declare to need, by path; what may not exist yet is created too."""
    found: dict[str, set[str]] = {}
    for party in parties:
        calls = getattr(party, "calls", {})
        every = [call for each in calls.values() for call in each] if isinstance(calls, Mapping) else []
        for capability, _, path in (call.partition(" ") for call in every):
            if capability in _CAPABILITIES:
                found.setdefault(path, set()).add(capability)
    for path, needed in found.items():
        if "update" in needed and not any(each in f"/{path}" for each in _ENGINES_OWN):
            needed.add("create")
    return {path: tuple(each for each in _CAPABILITIES if each in found[path]) for path in sorted(found)}


def least_privilege(parties: Iterable[object], *, namespace: str = "") -> str:
    """Give the policy of the token that rotates, as HCL; `namespace` if it belongs to one above."""
    prefix = f"{namespace}/" if namespace else ""
    return "".join(
        f'path "{_escaped(prefix + path)}" {{ capabilities = {json.dumps(needed)} }}\n'
        for path, needed in capabilities(parties).items()
    )


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"')

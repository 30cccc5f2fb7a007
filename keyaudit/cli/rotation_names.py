"""Which credentials the rotations of keyaudit.yaml are of, without loading what can change any.

Settings are read as they stand; `keyaudit rotate list` checks them. A rotation that fits no credential, or
several, names none: better no command than one for somebody else's secret.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from keyaudit.errors import PolicyError

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.model import PopulationRow

Key = tuple[str, str, str]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
"""What `keyaudit rotate` takes for a name; anything else is no argument."""


def _aws(store: Mapping[str, Any], row: PopulationRow) -> bool:
    region = store.get("region")
    fits = region is None or row.scope.rpartition("/")[2] == region
    return store.get("secret") == row.id or (store.get("secret") == row.name and fits)


def _gcp(store: Mapping[str, Any], row: PopulationRow) -> bool:
    place = f"/locations/{store['location']}" if store.get("location") else ""
    return store.get("secret") == row.name and row.scope == f"projects/{store.get('project')}{place}"


def _vault(store: Mapping[str, Any], row: PopulationRow) -> bool:
    return row.id == f"{store.get('mount', 'secret')}/{store.get('path')}"


STORES: Mapping[str, tuple[str, Callable[[Mapping[str, Any], PopulationRow], bool]]] = {
    "aws-secrets-manager": ("aws-secrets-manager", _aws),
    "gcp-secret-manager": ("gcp-secret-manager", _gcp),
    "vault-kv": ("vault", _vault),
}
"""The kinds of stores that an audit lists too: what it calls them, and which of their secrets is meant."""


def of_credentials(settings: Configuration, population: Iterable[PopulationRow]) -> dict[Key, str]:
    """Name the rotation of each credential that keyaudit.yaml has one for, the only one that fits."""
    entries = _entries(settings)
    if not entries:
        return {}
    sources = {STORES[store["kind"]][0] for _, store in entries}
    rows = [row for row in population if row.source in sources]
    found: dict[Key, list[str]] = {}
    for name, store in entries:
        source, fits = STORES[store["kind"]]
        named = [row for row in rows if row.source == source and fits(store, row)]
        if len(named) == 1:
            found.setdefault((source, named[0].scope, named[0].id), []).append(name)
    return {key: names[0] for key, names in found.items() if len(names) == 1}


def commands(names: Iterable[str], config: str | None) -> dict[str, str]:
    """Say how each rotation is run; `config` is what `--config` named."""
    where = "" if config is None else f" --config {shlex.quote(config)}"
    return {name: f"keyaudit rotate run {name}{where}" for name in names}


def _entries(settings: Configuration) -> list[tuple[str, Mapping[str, Any]]]:
    if settings.file is None:
        return []
    from keyaudit.strict_yaml import load

    said = load(settings.file.read_bytes(), str(settings.file), error=PolicyError).value()
    found = []
    for entry in said.get("rotations") or ():
        name, store = entry.get("name"), entry.get("store")
        kind = store.get("kind") if isinstance(store, Mapping) else None
        if isinstance(kind, str) and kind in STORES and isinstance(name, str) and NAME.fullmatch(name):
            found.append((name, store))
    return found

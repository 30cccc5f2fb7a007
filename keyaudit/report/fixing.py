"""The command that mends a failure: chosen by what the row is, and left out where none fits.

A source lists more than one kind of thing, and what mends one of them does nothing for the next: a
command is offered only for the kind that it was written for.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from keyaudit.model import Rule

_REGIONAL = re.compile(r"projects/([^/]+)/locations/([^/]+)/secrets/([^/]+)")
_VAULT_PARTS: Mapping[str, tuple[str, ...]] = {
    "keys": ("vault-transit",),
    "role": (),
    "static-roles": (),
    "static-role": (),
    "static-account": (),
}
"""What stands between a mount and a name, by engine, and what its fixes are called."""


def fix(rule: Rule, row: Mapping[str, Any], version: str | None) -> str | None:
    """Give the command with its places filled; None where there is none for such a row."""
    kinds = (*_kinds(row), "*")
    template = next((rule.fixes[kind] for kind in kinds if kind in rule.fixes), None)
    if template is None:
        return None
    if any(str(row[name]).startswith("-") for name in ("id", "name", "scope")):
        return None  # it would be read as an option
    account, _, region = row["scope"].partition("/")
    places = {
        "id": row["id"],
        "name": row["name"],
        "scope": row["scope"],
        "account": account,
        "region": region,
        "version": version or "VERSION",
    }
    quoted = {name: shlex.quote(value) for name, value in places.items()}
    return _namespace(row) + template.format_map({**quoted, "secret": _secret(row["id"])})


def _kinds(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Name what the row is as `Rule.fixes` does, the narrowest first."""
    source: str = row["source"]
    if source == "vault":
        return _vault(row)
    if source == "aws-iam":
        # Root's keys, and those of a user for one service (`aws-codecommit`), take other commands.
        others = row["id"].endswith(":root") or str(row["provider"]).startswith("aws-")
        return () if others else (source,)
    if source == "aws-kms":
        # Only for these does KMS make new material itself; a replica follows its primary.
        makes = row["class"] == "encryption-key" and row["rotation_enabled"] is not None
        return ("aws-kms-symmetric", source) if makes and row["replica_of"] is None else (source,)
    return (source,)


def _vault(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Tell a secret of kv from a role or key of another engine, whose id names a part of its mount."""
    mount = row["id"].removesuffix(row["name"]).rstrip("/")
    part = mount.rpartition("/")[2]
    if part in _VAULT_PARTS and not f"/{row['scope']}".endswith(f"/{mount}"):
        return _VAULT_PARTS[part]
    return ("vault",)


def _namespace(row: Mapping[str, Any]) -> str:
    """Say in which namespace of Vault: the same path of another one is somebody else's."""
    if row["source"] != "vault" or "//" not in row["scope"]:
        return ""
    namespace = row["scope"].rpartition("//")[0].partition("/")[2]
    return f"VAULT_NAMESPACE={shlex.quote(namespace)} "


def _secret(identity: str) -> str:
    """Spell a secret of Google as gcloud takes it: a regional one by its parts only."""
    if found := _REGIONAL.fullmatch(identity):
        project, location, name = map(shlex.quote, found.groups())
        return f"{name} --project={project} --location={location}"
    return shlex.quote(identity)

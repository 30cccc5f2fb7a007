"""Two audits of small worlds that differ in one thing, made by the real program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

SCOPE = {"source": "vault", "scope": "kv", "status": "complete", "cannot_know": []}
POLICY: Mapping[str, Any] = {
    "policy": "acme",
    "owner": "o@acme.example",
    "approved_by": "a@acme.example",
    "reviewed_on": "2026-01-01",
    "review_every": "365d",
    "schedules": [
        {"name": "production", "match": {"environment": "production"}, "rotation_period": "90d", "grace_period": "48h"},
        {"name": "other", "rotation_period": "180d", "grace_period": "14d"},
    ],
}  # fmt: skip
MAY, JUNE = "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"


def credential(name: str = "key", created_at: str = "2026-04-20T00:00:00Z", **more: Any) -> dict[str, Any]:
    """A key that was rotated once; its value in use is of `created_at`."""
    versions = [
        {"id": "2", "state": "current", "created_at": created_at},
        {
            "id": "1",
            "state": "destroyed",
            "created_at": "2024-01-01T00:00:00Z",
            "superseded_at": "2024-02-01T00:00:00Z",
        },
    ]
    return {
        "source": "vault", "scope": "kv", "id": name, "name": name, "class": "api-key",
        "environment": "production", "owner": "o@acme.example", "versions": versions, **more,
    }  # fmt: skip


def waiver(until: str = "2026-05-15", **more: Any) -> dict[str, Any]:
    """One for late keys, sound."""
    return {
        "id": "W-1", "rules": ["rotation-overdue"], "match": {"name": "key"}, "reason": "a migration",
        "requested_by": "r@acme.example", "approved_by": "a@acme.example", "until": until, **more,
    }  # fmt: skip


@dataclass(frozen=True)
class World:
    """Everything that one audit depends on."""

    credentials: tuple[Mapping[str, Any], ...] = (credential(),)
    coverage: tuple[Mapping[str, Any], ...] = (SCOPE,)
    policy: Mapping[str, Any] = field(default_factory=lambda: POLICY)
    as_of: str = MAY
    arguments: tuple[str, ...] = ()

    def but(self, **changes: Any) -> World:
        """The same world in all other respects."""
        return replace(self, **changes)

    def with_policy(self, **changes: Any) -> World:
        """The same world under a policy that differs."""
        return self.but(policy={**self.policy, **changes})


class Audits:
    """Scans worlds in a folder, each into a report of its own."""

    def __init__(self, folder: Path, command: Callable[..., Any]) -> None:
        self.folder = folder
        self.command = command

    def write(self, world: World, name: str) -> tuple[str, ...]:
        """Write the documents of a world; give the arguments of a scan of them."""
        inventory = {
            "schema": "keyaudit/inventory/1",
            "coverage": list(world.coverage),
            "credentials": list(world.credentials),
        }
        (self.folder / f"{name}-inventory.json").write_text(json.dumps(inventory))
        (self.folder / f"{name}-policy.yaml").write_text(json.dumps(world.policy))
        documents = ("--inventory", f"{name}-inventory.json", "--policy", f"{name}-policy.yaml")
        return (*documents, "--as-of", world.as_of, *world.arguments)

    def scan(self, world: World, name: str, *arguments: str) -> Any:
        """Audit a world; its report is in `NAME/report.json`."""
        given = self.write(world, name)
        done = self.command("scan", *given, "--format", "json", "--output", name, *arguments)
        assert done.returncode in {0, 1, 3}, done.stderr.decode()
        return done

    def diff(self, old: World, new: World, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Audit both worlds and compare the reports as JSON."""
        self.scan(old, "old")
        self.scan(new, "new")
        done = self.command("diff", "old/report.json", "new/report.json", "--format", "json", *arguments)
        assert done.stdout, done.stderr.decode()
        return done.returncode, json.loads(done.stdout)

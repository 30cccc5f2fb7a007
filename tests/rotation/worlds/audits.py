"""What an audit of a world said, by rule and source."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keyaudit.times import format_instant
from rotation.worlds.world import World, now

OVERDUE = ("KA101", "KA102")
RECORDS = ".keyaudit/rotations"


@dataclass(frozen=True)
class Audit:
    document: dict[str, Any]

    @property
    def exit_code(self) -> int:
        return int(self.document["summary"]["exit_code"])

    @property
    def scopes(self) -> set[tuple[str, str, str]]:
        return {(each["source"], each["scope"], each["status"]) for each in self.document["coverage"]}

    def found(self, *rules: str, verdict: str = "fail") -> set[tuple[str, str]]:
        """Give rule and source of what has a verdict that is no pass."""
        return {
            (each["rule"], each["credential"]["source"])
            for each in self.document["findings"]
            if each["credential"] and each["rule"] in rules and each["verdict"] == verdict
        }

    def passed(self, rule: str) -> int:
        return next(int(each["pass"]) for each in self.document["rules"] if each["id"] == rule)

    def finding(self, rule: str, source: str) -> dict[str, Any]:
        [found] = [
            each
            for each in self.document["findings"]
            if (each["rule"], each["credential"] and each["credential"]["source"]) == (rule, source)
        ]
        return dict(found)


def audited(command: Callable[..., Any], world: World, since: int | None = None) -> Audit:
    """Scan a world; over the time `since` then too, with the records of its rotations."""
    world.declare() if world.inventory else None
    over: list[str] = []
    if since is not None:
        over = ["--period", f"{format_instant(since)}/{format_instant(now())}", "--rotation-records", RECORDS]
    done = command("scan", *over, "--format", "json")
    assert done.returncode in {0, 1, 3}, done.stderr.decode()
    assert b"CANARY" not in done.stdout + done.stderr
    audit = Audit(json.loads(done.stdout))
    assert audit.exit_code == done.returncode
    return audit

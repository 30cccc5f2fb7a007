"""What the cases of AWS share: a proxy in front of their server, and the policy that must suffice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keyaudit.sources import Pulled, least_privilege, open_source
from servers.fault_proxy import Fault, FaultProxy
from sources.contract import nobody


class AwsProxied:
    """A case says how its faults are planned (`PLANS`), where they strike, and its `entry`."""

    PLANS: Mapping[str, tuple[Fault, ...]]
    strikes: str
    clock_at: int
    cache_dir: Path
    proxy: FaultProxy
    _timeout = "30s"

    def entry(self, **settings: Any) -> dict[str, Any]:
        raise AssertionError("each kind has its own")

    def source(self, **settings: Any) -> Any:
        return open_source(self.entry(**settings), clock=lambda: self.clock_at, cache_dir=self.cache_dir)

    def pull(self, **settings: Any) -> Pulled:
        return self.source(**settings).pull(nobody)

    def break_with(self, fault: str) -> None:
        if fault == "timeout":
            self._timeout = "1s"
        there = {"scope": self.strikes, "seen": 0}
        self.proxy.plan(*(Fault(**{**vars(each), **there}) for each in self.PLANS[fault]))

    def requests(self) -> int:
        return len(self.proxy.log)

    def operations(self) -> set[str]:
        return {f"{each.service}:{each.operation}" for each in self.proxy.log}

    def granted(self) -> set[str]:
        entry = self.entry()
        found = json.loads(least_privilege(entry["kind"], [entry]))["Statement"]
        allowed = [each["Action"] for each in found if each["Effect"] == "Allow"]
        lists = [actions if isinstance(actions, list) else [actions] for actions in allowed]
        return {action for actions in lists for action in actions} | {"sts:GetCallerIdentity"}

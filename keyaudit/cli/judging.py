"""What a scan judges by: policy, frameworks, gate, engine, and an earlier report to hold the gate against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli import earlier_policies, options
from keyaudit.cli.grouping import grouped
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.cli.periods import Given
    from keyaudit.model import Framework, Inventory, Policy, Report, Severity


@dataclass(frozen=True, slots=True)
class Judging:
    """What an audit is judged by, as the options say it."""

    policy: str | None
    earlier: Sequence[str]
    frameworks: Sequence[str]
    fail_on: str | None
    engine: str
    baseline: str | None

    def read(self, settings: Configuration, period: tuple[int, int] | None) -> Judge:
        """Read all of it, from keyaudit.yaml where no option says it; raises PolicyError, UsageError.

        Policies that governed before are those of `period`, its first and last instant.
        """
        from keyaudit.cli.gathering import governing
        from keyaudit.cli.report_differences import read_report
        from keyaudit.model import Severity

        held = None if self.baseline is None else read_report(self.baseline)
        named = tuple(self.frameworks or settings.frameworks)
        policy, frameworks = governing(self.policy or settings.policy, named)
        former = earlier_policies.read(self.earlier, settings.earlier_policies, frameworks, period)
        gate = self.fail_on or settings.fail_on
        fail_on = None if gate == "none" else Severity(gate)
        return Judge(policy, former, frameworks, named, fail_on, self.engine, self.baseline, held)


@dataclass(frozen=True, slots=True)
class Judge:
    """What was read of it. `named` are frameworks as they were asked for, `fail_on` is None for no gate."""

    policy: Policy
    earlier: tuple[tuple[Policy, int], ...]
    frameworks: tuple[Framework, ...]
    named: tuple[str, ...]
    fail_on: Severity | None
    engine: str
    baseline: str | None
    held: Report | None

    def report(self, inventory: Inventory, as_of: int, given: Given) -> Report:
        """Audit, and hold the gate against the earlier report; raises what `audit` raises."""
        from keyaudit.audit import audit
        from keyaudit.cli.report_differences import gate_against

        report = audit(
            inventory,
            self.policy,
            self.frameworks,
            as_of,
            given.period,
            records=given.records,
            earlier=self.earlier,
            engine=self.engine,
            fail_on=self.fail_on,
        )
        return gate_against(self.held, report)

    def kept(self) -> dict[str, Any]:
        """Give what a bundle keeps of it, as fields of `evidence.collecting.Material`."""
        from keyaudit.policy.frameworks import file_of

        return {
            "policy": self.policy,
            "earlier": self.earlier,
            "frameworks": self.frameworks,
            "framework_files": [file_of(name) for name in dict.fromkeys(self.named)],
            "fail_on": None if self.fail_on is None else str(self.fail_on),
            "engine": self.engine,
            "baseline": self._baseline(),
        }

    def _baseline(self) -> tuple[str, bytes] | None:
        if self.baseline is None:
            return None
        from keyaudit import report_document

        content = Path(self.baseline).read_bytes()
        if report_document.read(content, file=self.baseline) != self.held:
            hint = "a bundle holds what was audited: run the scan again while nothing writes to it"
            raise UsageError(f"{self.baseline}: changed while it was audited", hint=hint)
        return self.baseline, content


judging: options.Decorator = grouped(
    "judging",
    Judging,
    options.policy,
    earlier_policies.option,
    options.framework,
    click.option(
        "--fail-on",
        type=click.Choice(options.SEVERITIES),
        help="The mildest severity that makes the exit code 1.  [default: keyaudit.yaml's, else high]",
    ),
    click.option(
        "--engine",
        type=click.Choice(options.ENGINES),
        default="polars",
        show_default=True,
        help="Where the rules run; duckdb is for inventories larger than memory.",
    ),
    click.option(
        "--baseline",
        metavar="REPORT.JSON",
        help="Hold the gate against this earlier report: only failures that are new or rated worse close it.",
    ),
)

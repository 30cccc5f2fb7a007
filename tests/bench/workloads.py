"""What is measured, one workload a process: `python -m bench.workloads NAME ARGUMENTS…`.

Each prints how many seconds its own part took, imports left out, as `{"seconds": …}`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.fleet import AS_OF

FRAMEWORKS = ("pci-dss", "soc2", "hipaa", "iso27001")


def read_columns(path: str) -> Callable[[], object]:
    """Merely read the columns of a Parquet inventory: the floor under judging it."""
    import polars as pl

    return lambda: pl.scan_parquet(path).collect()


def judge(path: str, engine: str = "polars") -> Callable[[], object]:
    """Judge the same inventory: all rules, four frameworks, counts and findings in columns."""
    import narwhals  # noqa: F401
    import polars as _polars  # noqa: F401
    import pydantic  # noqa: F401

    from keyaudit import inventory
    from keyaudit.audit import audit
    from keyaudit.policy import frameworks as shipped
    from keyaudit.policy import load
    from keyaudit.rules import CATALOGUE, RULES

    frameworks = shipped.load(FRAMEWORKS, {rule.name for rule in RULES})
    policy = load(None, rules=CATALOGUE, frameworks={})
    return lambda: audit(inventory.read([path]), policy, frameworks, AS_OF, engine=engine)


def render(name: str, findings: str) -> Callable[[], object]:
    """Render a report with that many findings."""
    from formats.sample_report import sample_report
    from keyaudit import formats

    report = sample_report(findings=int(findings), credentials=int(findings))
    return lambda: formats.render(name, report)


def main() -> None:
    """Run one workload and print its seconds."""
    prepare = {"read": read_columns, "judge": judge, "render": render}[sys.argv[1]]
    work = prepare(*sys.argv[2:])
    started = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started
    del result
    sys.stdout.write(json.dumps({"seconds": seconds}) + "\n")


if __name__ == "__main__":
    Path.cwd()
    main()

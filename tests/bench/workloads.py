"""What is measured, one workload a process: `python -m bench.workloads NAME ARGUMENTS…`.

Each prints how many seconds its own part took, imports left out, as `{"seconds": …}`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.fleet import AS_OF
from keyaudit.times import DAY

FRAMEWORKS = ("pci-dss", "soc2", "hipaa", "iso27001")
Work = Callable[[], object]


def read_columns(path: str) -> Work:
    """Merely read the columns of a Parquet inventory: the floor under judging it."""
    import polars as pl

    return lambda: pl.scan_parquet(path).collect()


def load(path: str) -> Work:
    """Read the same file as an inventory: every value checked."""
    from keyaudit import inventory

    return lambda: inventory.read([path]).credentials


def read_days(folder: str) -> Work:
    """Merely read the columns of each day's inventory: the floor under replaying them."""
    import polars as pl

    return lambda: [pl.scan_parquet(path).collect().height for path in sorted(Path(folder).iterdir())]


def load_days(folder: str) -> Work:
    """Read the same files as inventories, one after the other: every value checked."""
    from keyaudit import inventory

    paths = sorted(Path(folder).iterdir())
    return lambda: [inventory.read([path]).credentials.collect().height for path in paths]


def replay_days(folder: str) -> Work:
    """Replay them as a history, and condense it."""
    from keyaudit import history

    return lambda: len(history.write(history.read([folder])))


def judge(path: str, engine: str = "polars") -> Work:
    """Judge the same inventory: all rules, four frameworks, counts and findings in columns."""
    from keyaudit import inventory, policy
    from keyaudit.audit import audit
    from keyaudit.policy import frameworks as shipped
    from keyaudit.rules import CATALOGUE

    frameworks = shipped.load(FRAMEWORKS, set(CATALOGUE))
    rules = policy.load(None, rules=CATALOGUE, frameworks={})
    return lambda: audit(inventory.read([path]), rules, frameworks, AS_OF, engine=engine)


def ledger(path: str) -> Work:
    """Judge the same with half a year beside it, and write what became of every value in that time."""
    from keyaudit import formats, inventory, policy
    from keyaudit.audit import audit
    from keyaudit.policy import frameworks as shipped
    from keyaudit.rules import CATALOGUE

    frameworks = shipped.load(FRAMEWORKS, set(CATALOGUE))
    rules = policy.load(None, rules=CATALOGUE, frameworks={})
    period = (AS_OF - 181 * DAY, AS_OF - 1)
    return lambda: formats.render("ledger", audit(inventory.read([path]), rules, frameworks, AS_OF, period))


def render(name: str, findings: str) -> Work:
    """Render a report with that many findings."""
    from formats.sample_report import sample_report
    from keyaudit import formats

    report = sample_report(findings=int(findings), credentials=int(findings))
    return lambda: formats.render(name, report)


def bare_listing(endpoint: str) -> Work:
    """List secrets with nothing but a boto3 paginator, as a script of one's own would."""
    import boto3

    def work() -> object:
        client = boto3.client("secretsmanager", region_name="eu-west-1", endpoint_url=endpoint, **_keys())
        pages = client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
        return json.dumps([secret for page in pages for secret in page["SecretList"]], default=str)

    return work


def listed_scan(endpoint: str, written: str = "") -> Work:
    """List the same secrets as a source and judge them; with `written` also write the report document."""
    import boto3  # noqa: F401 - imported by both, hence by neither in its own time

    from keyaudit import formats, inventory, policy
    from keyaudit.audit import audit
    from keyaudit.policy import frameworks as shipped
    from keyaudit.rules import CATALOGUE
    from keyaudit.sources import open_source

    entry = {
        "name": "aws",
        "kind": "aws-secrets-manager",
        "regions": ["eu-west-1"],
        "depth": "list",
        "endpoint_url": endpoint,
        "requests_per_second": 10_000,
        "cache": False,
    }
    frameworks = shipped.load(["soc2"], set(CATALOGUE))
    rules = policy.load(None, rules=CATALOGUE, frameworks={})

    def work() -> object:
        pulled = open_source(entry, clock=lambda: AS_OF, cache_dir=None).pull(lambda _: None)
        listed = inventory.from_rows(pulled.rows, pulled.coverage, AS_OF, pulled.columns)
        report = audit(listed, rules, frameworks, AS_OF)
        return formats.render(written, report) if written else report

    return work


def bare_versions(endpoint: str, threads: str) -> Work:
    """List secrets and the versions of each with boto3 and a pool of threads, without any quota in mind."""
    from concurrent.futures import ThreadPoolExecutor

    import boto3
    from botocore.config import Config

    def work() -> object:
        config = Config(max_pool_connections=int(threads))
        client = boto3.client(
            "secretsmanager", region_name="eu-west-1", endpoint_url=endpoint, config=config, **_keys()
        )
        pages = client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
        arns = [secret["ARN"] for page in pages for secret in page["SecretList"]]
        with ThreadPoolExecutor(int(threads)) as pool:
            return list(
                pool.map(
                    lambda arn: client.list_secret_version_ids(SecretId=arn, IncludeDeprecated=True), arns
                )
            )

    return work


def pulled(endpoint: str, per_second: str, threads: str) -> Work:
    """Pull the same with the source; stderr says what it cost."""
    import boto3  # noqa: F401 - imported by both, hence by neither in its own time

    from keyaudit.sources import open_source

    entry = {
        "name": "aws",
        "kind": "aws-secrets-manager",
        "regions": ["eu-west-1"],
        "endpoint_url": endpoint,
        "requests_per_second": float(per_second),
        "calls_per_scope": int(threads),
        "cache": False,
    }

    def work() -> object:
        found = open_source(entry, clock=lambda: AS_OF, cache_dir=None).pull(lambda _: None)
        (scope,) = found.coverage
        if scope.status != "complete" or scope.credentials is None or scope.versions != 2 * scope.credentials:
            raise SystemExit(f"not complete: {scope}")
        return found

    return work


def _keys() -> dict[str, Any]:
    return {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


WORK: dict[str, Callable[..., Work]] = {
    "read": read_columns,
    "load": load,
    "read-days": read_days,
    "load-days": load_days,
    "replay-days": replay_days,
    "judge": judge,
    "ledger": ledger,
    "render": render,
    "bare-listing": bare_listing,
    "listed-scan": listed_scan,
    "bare-versions": bare_versions,
    "pulled": pulled,
}


def main() -> None:
    """Run one workload and print its seconds."""
    work = WORK[sys.argv[1]](*sys.argv[2:])
    started = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started
    del result
    sys.stdout.write(json.dumps({"seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()

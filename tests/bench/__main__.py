"""`make bench`: our figures against floors, as ratios in one run. Nothing here is a test."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.bundles import verifying
from bench.measuring import Runs, environment, in_turn, line, prepare, prepare_days, workload
from servers.listing import listing_server

SIZE = int(os.environ.get("BENCH_CREDENTIALS", "1000000"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "5"))
HEADER = f"{'':44} {'ours':>10} {'floor':>10} {'ratio':>8}   {'ours':>10} {'floor':>10} {'ratio':>7}   aim"


def judging(folder: Path) -> Iterator[str]:
    """All rules and four frameworks over Parquet, against merely reading the same columns."""
    path = folder / "fleet.parquet"
    prepare(path, SIZE)
    floor, loaded, ours = in_turn(
        [workload("read", path), workload("load", path), workload("judge", path)], REPEATS
    )
    yield line(f"{SIZE:,} credentials: read and checked", loaded, floor)
    yield line(f"{SIZE:,} credentials: judged", ours, floor, "at most 1.5x")
    [duck] = in_turn([workload("judge", path, "duckdb")], 1)
    yield line(f"{SIZE:,} credentials: judged on DuckDB", duck, floor)


def over_time(folder: Path) -> Iterator[str]:
    """Half a year audited beside how things stand and its ledger written, against judging without it."""
    path, size = folder / "fleet.parquet", SIZE // 10
    prepare(path, size)
    floor, ours = in_turn([workload("judge", path), workload("ledger", path)], REPEATS)
    yield line(f"{size:,} credentials: a period, its ledger as CSV", ours, floor)


def listing(_: Path) -> Iterator[str]:
    """A scan of 10,000 listed AWS secrets, against a bare boto3 paginator loop over the same server."""
    with listing_server(10_000) as server:
        floor, judged, written = in_turn(
            [
                workload("bare-listing", server),
                workload("listed-scan", server),
                workload("listed-scan", server, "json"),
            ],
            REPEATS,
        )
    yield line("10,000 AWS secrets: listed, judged", judged, floor, "at most 1.0x")
    yield line("the same, and 40,000 findings as JSON", written, floor)


def calling(_: Path) -> Iterator[str]:
    """Calls a thousand credentials by source, against its cost table."""
    command = [sys.executable, "-m", "bench.calls"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    yield from done.stdout.splitlines()


LATENCY = 0.03
QUOTA = 400
PULLED = 10_000


def pulling(_: Path) -> Iterator[str]:
    """A pull of 10,000 AWS secrets with their versions, 30 ms away: against a quota, and a bare client loop.

    The floor under a quota is its own: so many calls at so many a second, one second's worth at once.
    """
    calls = PULLED // 100 + PULLED
    with listing_server(PULLED, latency=LATENCY, quota=QUOTA) as server:
        [ours] = in_turn([workload("pulled", server, QUOTA, 32)], 1)
    floor = Runs(inner=[calls / QUOTA - 1], peak=ours.peak)
    yield line(f"{PULLED:,} AWS secrets pulled at {QUOTA} calls/s", ours, floor, "at most 1.1x of the quota")
    with listing_server(PULLED, latency=LATENCY) as server:
        floor, ours = in_turn(
            [workload("bare-versions", server, 32), workload("pulled", server, 100_000, 32)], 1
        )
    yield line(f"{PULLED:,} AWS secrets pulled without a quota", ours, floor)


def starting(folder: Path) -> Iterator[str]:
    """The program's start and a small scan, against a bare interpreter."""
    small = folder / "small.parquet"
    prepare(small, 50)
    program = [sys.executable, "-m", "keyaudit"]
    scan = [
        *program,
        "scan",
        "--inventory",
        str(small),
        "--framework",
        "soc2",
        "--as-of",
        "2026-05-01T00:00:00Z",
    ]
    floor, help_, scanned = in_turn([[sys.executable, "-c", "pass"], [*program, "--help"], scan], REPEATS)
    yield line("keyaudit --help", help_, floor)
    yield line("scan of 50 credentials", scanned, floor)


def rendering(_: Path) -> Iterator[str]:
    """HTML and PDF, against writing the same report as JSON."""
    for findings in (1_000, 10_000):
        floor, page, paper = in_turn(
            [workload("render", name, findings) for name in ("json", "html", "pdf")], min(REPEATS, 3)
        )
        yield line(f"{findings:,} findings as HTML", page, floor)
        yield line(f"{findings:,} findings as PDF", paper, floor)


DAYS = int(os.environ.get("BENCH_DAYS", "365"))
DAILY = int(os.environ.get("BENCH_DAILY", "10000"))


def replaying(folder: Path) -> Iterator[str]:
    """A year of daily inventories replayed and condensed, against merely reading the same columns.

    `BENCH_DAILY=100000` is the year that the product promises; it takes some 2 GB and a few minutes.
    """
    prepare_days(folder, DAILY, DAYS)
    floor, loaded, ours = in_turn(
        [workload(name, folder) for name in ("read-days", "load-days", "replay-days")], 1
    )
    yield line(f"{DAYS} days of {DAILY:,}: read and checked", loaded, floor)
    yield line(f"{DAYS} days of {DAILY:,}: replayed", ours, floor)
    yield line(f"{DAYS} days of {DAILY:,}: replayed, against checked", ours, loaded, "at most 1.5x")


PARTS: dict[str, Callable[[Path], Iterator[str]]] = {
    "start": starting,
    "list": listing,
    "calls": calling,
    "pull": pulling,
    "render": rendering,
    "judge": judging,
    "period": over_time,
    "replay": replaying,
    "verify": verifying,
}


def main() -> None:
    """Run the parts that are named, or all of them; raises SystemExit for a name that is none."""
    unknown = [name for name in sys.argv[1:] if name not in PARTS]
    if unknown:
        raise SystemExit(f"no part is called {unknown[0]}: there are {', '.join(PARTS)}")
    sys.stdout.write(f"{HEADER}\n")
    for name in sys.argv[1:] or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            for text in PARTS[name](Path(folder)):
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()

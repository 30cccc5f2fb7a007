"""Processes in turn, A B A B …, with the operating system's own account of time and memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Runs:
    """What several runs of one command took. `inner` is the time a workload says its own part took."""

    wall: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    inner: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median of the part that matters: a workload's own, else the whole process."""
        return statistics.median(self.inner or self.wall)

    @property
    def mebibytes(self) -> float:
        """The median of the peak memory of the process."""
        return statistics.median(self.peak)


def workload(name: str, *arguments: object) -> list[str]:
    """Give the command that runs one workload of `bench.workloads` in a process of its own."""
    return [sys.executable, "-m", "bench.workloads", name, *map(str, arguments)]


def prepare(path: Path, credentials: int) -> None:
    """Write a fleet, in a process of its own: a child's peak memory begins with its parent's."""
    code = "import sys; from pathlib import Path; from bench import fleet; fleet.write(Path(sys.argv[1]), int(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", code, str(path), str(credentials)], check=True)


def prepare_days(folder: Path, credentials: int, days: int) -> None:
    """Write the inventories of some days, in a process of its own, too."""
    code = "import sys; from pathlib import Path; from bench import fleet; fleet.write_days(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))"
    subprocess.run([sys.executable, "-c", code, str(folder), str(credentials), str(days)], check=True)


def in_turn(commands: Sequence[Sequence[str]], repeats: int = 5) -> list[Runs]:
    """Run commands alternately after one uncounted round each; every one must succeed."""
    results = [Runs() for _ in commands]
    for turn in range(repeats + 1):
        for command, runs in zip(commands, results, strict=True):
            wall, peak, output = _once(command)
            if turn:
                runs.wall.append(wall)
                runs.peak.append(peak)
                if output.startswith(b"{"):
                    runs.inner.append(json.loads(output)["seconds"])
    return results


def _once(command: Sequence[str]) -> tuple[float, float, bytes]:
    started = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    # A scan ends in 1 or 3 for what it found; a workload that ends so has crashed and measured nothing.
    fine = {0} if "bench.workloads" in command else {0, 1, 3}
    if process.returncode not in fine:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024, output


def environment() -> dict[str, str]:
    """Bytecode is kept, as it is wherever something is installed; the uncounted round writes it.

    Nobody's credentials, for servers that ask for some.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


def line(label: str, ours: Runs, floor: Runs, aim: str = "") -> str:
    """Print one comparison."""
    ratio = ours.seconds / floor.seconds
    memory = ours.mebibytes / floor.mebibytes
    return (
        f"{label:44} {ours.seconds:8.3f} s {floor.seconds:8.3f} s {ratio:7.2f}x   "
        f"{ours.mebibytes:6.0f} MiB {floor.mebibytes:6.0f} MiB {memory:6.2f}x   {aim}"
    )

"""Evidence bundles, measured: `python -m bench.bundles check|verify BUNDLE` runs one part by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measuring import environment, in_turn, line, prepare

SIZE = int(os.environ.get("BENCH_BUNDLED", "20000"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "5"))


def verifying(folder: Path) -> Iterator[str]:
    """A bundle's digests against sha256sum of the same bytes; audited again, against the scan itself."""
    inventory, bundle = folder / "fleet.parquet", folder / "bundle"
    prepare(inventory, SIZE)
    scan = [
        sys.executable, "-m", "keyaudit", "scan", "--inventory", str(inventory), "--framework", "soc2",
        "--as-of", "2026-05-01T00:00:00Z", "--format", "json", "--output",
    ]  # fmt: skip
    subprocess.run(
        [*scan, str(folder / "out"), "--bundle", str(bundle)],
        env=environment(),
        stderr=subprocess.DEVNULL,
        check=False,
    )
    size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) / (1 << 20)
    sums = ["sh", "-c", f"cd {bundle} && sha256sum -c --quiet SHA256SUMS"]
    floor, checked = in_turn([sums, _part("check", bundle)], REPEATS)
    yield line(f"bundle of {SIZE:,}, {size:.0f} MiB: verified, no replay", checked, floor, "at most 1.2x")
    floor, whole = in_turn([[*scan, str(folder / "out")], _part("verify", bundle)], 1)
    yield line(f"bundle of {SIZE:,}: verified, audited again", whole, floor)


def _part(name: str, bundle: Path) -> list[str]:
    return [sys.executable, "-m", "bench.bundles", name, str(bundle)]


def main() -> None:
    """Verify a bundle and print its seconds, imports left out."""
    from keyaudit.evidence.comparing import check_replay  # noqa: F401 - its imports are not what is measured
    from keyaudit.evidence.trust import Trust
    from keyaudit.evidence.verifying import Asked, verify

    asked = Asked(Trust(), None, replay=sys.argv[1] == "verify")
    started = time.perf_counter()
    found = verify([Path(sys.argv[2])], asked)
    seconds = time.perf_counter() - started
    if found.exit_code != 3:
        raise SystemExit(f"a bundle that nobody signed is not {found.outcome}")
    sys.stdout.write(json.dumps({"seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()

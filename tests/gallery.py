"""`reports/`: the reports of the examples in every format. `python tests/gallery.py` writes all of it anew."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from keyaudit.formats import FORMATS
from transcripts import EXAMPLES, READMES, ROOT, keyaudit, refreshed

AS_OF = "2026-05-01T00:00:00Z"
AT = {
    "12-period-audit": (
        "2026-07-01T00:00:00Z",
        *("--period", "2026-01-01/2026-06-30"),
        *("--sample", "2", "--seed", "2026-H1/7f3a", "--stratify", "environment"),
    ),
}
"""Of when an example is, and what else is asked of it: a period with its ledger, and a sample of it."""
REPORTS = ROOT / "reports"


def make(example: Path, folder: Path) -> int:
    """Write the reports of one example into `folder` in every format; give the exit code."""
    at, *more = AT.get(example.name, (AS_OF,))
    named = [name for name, known in FORMATS.items() if not known.of or more]
    wanted = [part for name in named for part in ("--format", name)]
    anchor = ["--anchor", f"examples/{example.name}/policy.yaml"]
    hub = ["--security-hub", "111122223333/eu-central-1"]
    done = keyaudit(["scan", "--as-of", at, *more, *wanted, *anchor, *hub, "--output", str(folder)], example)
    if not (folder / "report.json").exists():
        raise AssertionError(done.stderr.decode())
    return done.returncode


def main() -> None:
    """Write READMEs and reports anew; the difference is what a review looks at."""
    for readme in READMES:
        with tempfile.TemporaryDirectory() as folder:
            readme.write_text(refreshed(readme, Path(folder)), "utf-8")
        sys.stdout.write(f"{readme.relative_to(ROOT)}\n")
    for example in EXAMPLES:
        folder = REPORTS / example.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        sys.stdout.write(f"reports/{example.name}: exit code {make(example, folder)}\n")


if __name__ == "__main__":
    main()

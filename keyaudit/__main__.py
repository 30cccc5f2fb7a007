"""`python -m keyaudit` and the `keyaudit` command are the same program."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from keyaudit.cli import run

    # The process is short and what it makes has next to no cycles: in reports of many rows, walking
    # them all again and again to find that out took most of the time.
    gc.disable()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

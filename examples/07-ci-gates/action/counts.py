"""Print what a report counts as outputs of a step, NAME=NUMBER a line: counts.py report.json."""  # noqa: INP001 - a program, not a package

import json
import sys
from pathlib import Path

SEVERITIES = ("critical", "high", "medium", "low", "info")
VERDICTS = ("unknown", "waived")

report = json.loads(Path(sys.argv[1]).read_bytes())
summary = report["summary"]
counted = [(name, summary["by_severity"].get(name, 0)) for name in SEVERITIES]
counted += [(name, summary["verdicts"][name]) for name in VERDICTS]
# Without a baseline there is no such number: zero would say that nothing is new.
if baseline := report.get("baseline"):
    known = baseline["known"]
    counted += [("new", summary["verdicts"]["fail"] - known), ("known", known)]
# Numbers only: a name could carry a line of its own.
sys.stdout.write("".join(f"{name}={int(count)}\n" for name, count in counted))

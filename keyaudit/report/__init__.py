"""Verdicts → findings → controls → Report: everything a reader is shown, sorted and counted once."""

from keyaudit.report.building import Outcome, build

__all__ = ["Outcome", "build"]

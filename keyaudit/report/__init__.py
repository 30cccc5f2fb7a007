"""Verdicts → findings → controls → Report: everything a reader is shown, sorted and counted once."""

from keyaudit.report.building import build
from keyaudit.report.inputs import Inputs
from keyaudit.report.outcome import Outcome

__all__ = ["Inputs", "Outcome", "build"]

"""Verdicts → findings → controls → Report: everything a reader is shown, sorted and counted once.

building                 the one pass; `inputs` is what it is given, `questions` what it asks the engine,
                         `outcome` what that answered
findings, sentences      findings in columns; what each says; `version_choice`, `fixing`
subjects                 rules about scopes, waivers and the policy
waiving, exceptions      failures that are accepted; controls that are broken
controls                 what each clause of a framework came to
population               every credential that was audited
ledger                   the rotation ledger of a period: `ledger_questions` and `ledger_asking` are what the
                         engine is asked, `ledger_entries` one value, `ledger_records` who agreed to it,
                         `ledger_gaps` what nobody knows
"""

from keyaudit.report.building import build
from keyaudit.report.inputs import Inputs
from keyaudit.report.outcome import Outcome

__all__ = ["Inputs", "Outcome", "build"]

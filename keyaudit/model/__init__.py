"""The nouns. No input or output, no clock, and no field that could hold a secret value.

Times are int microseconds since the epoch, UTC; durations are int microseconds; `None` means
"not known". Large tables (credentials, findings, the population of a report) live in columns
and are seen through `Sequence`s that make a row object only when one is asked for.

known      inventory: what the stores say, and how much of it could be seen
required   policy and frameworks
checked    rules
reported   findings, controls, the report
"""

from __future__ import annotations

from keyaudit.model.checked import Basis, Check, Param, Rule, Severity
from keyaudit.model.known import EVERY_SCOPE, Collection, Coverage, Inventory, ScopeStatus, VersionState
from keyaudit.model.reported import (
    Baseline,
    ControlRef,
    ControlResult,
    CredentialRef,
    Finding,
    FrameworkResult,
    InventorySummary,
    PolicySummary,
    PopulationRow,
    RecordSummary,
    Report,
    RuleResult,
    ScheduleSummary,
    Summary,
    Verdict,
    VersionBar,
    WaiverResult,
)
from keyaudit.model.required import (
    Classification,
    Control,
    Framework,
    FrameworkDemand,
    Number,
    Policy,
    RiskFactor,
    RuleSetting,
    Schedule,
    Waiver,
)

__all__ = [
    "EVERY_SCOPE",
    "Baseline",
    "Basis",
    "Check",
    "Classification",
    "Collection",
    "Control",
    "ControlRef",
    "ControlResult",
    "Coverage",
    "CredentialRef",
    "Finding",
    "Framework",
    "FrameworkDemand",
    "FrameworkResult",
    "Inventory",
    "InventorySummary",
    "Number",
    "Param",
    "Policy",
    "PolicySummary",
    "PopulationRow",
    "RecordSummary",
    "Report",
    "RiskFactor",
    "Rule",
    "RuleResult",
    "RuleSetting",
    "Schedule",
    "ScheduleSummary",
    "ScopeStatus",
    "Severity",
    "Summary",
    "Verdict",
    "VersionBar",
    "VersionState",
    "Waiver",
    "WaiverResult",
]

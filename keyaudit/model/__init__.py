"""The nouns. No input or output, no clock, and no field that could hold a secret value.

Times are int microseconds since the epoch, UTC; durations are int microseconds; `None` means
"not known". Large tables (credentials, findings, the population of a report) live in columns
and are seen through `Sequence`s that make a row object only when one is asked for.

known      inventory: what the stores say, and how much of it could be seen
required   policy and frameworks
checked    rules
period     what happened in a period: the rotation ledger
sampled    a sample of the population
reported   findings, controls, the report
"""

from __future__ import annotations

from keyaudit.model.checked import Basis, Check, Param, Rule, Severity
from keyaudit.model.known import (
    EVERY_SCOPE,
    Collection,
    Coverage,
    History,
    Inventory,
    ScopeStatus,
    VersionState,
)
from keyaudit.model.period import (
    Grace,
    HistoryFile,
    HistoryGap,
    HistorySummary,
    Ledger,
    LedgerEntry,
    LedgerResult,
    LedgerRow,
    Operation,
    PolicyPart,
    Recorded,
)
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
from keyaudit.model.sampled import Drawn, Sample, Stratum

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
    "Drawn",
    "Finding",
    "Framework",
    "FrameworkDemand",
    "FrameworkResult",
    "Grace",
    "History",
    "HistoryFile",
    "HistoryGap",
    "HistorySummary",
    "Inventory",
    "InventorySummary",
    "Ledger",
    "LedgerEntry",
    "LedgerResult",
    "LedgerRow",
    "Number",
    "Operation",
    "Param",
    "Policy",
    "PolicyPart",
    "PolicySummary",
    "PopulationRow",
    "RecordSummary",
    "Recorded",
    "Report",
    "RiskFactor",
    "Rule",
    "RuleResult",
    "RuleSetting",
    "Sample",
    "Schedule",
    "ScheduleSummary",
    "ScopeStatus",
    "Severity",
    "Stratum",
    "Summary",
    "Verdict",
    "VersionBar",
    "VersionState",
    "Waiver",
    "WaiverResult",
]

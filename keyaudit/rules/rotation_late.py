"""KA111 rotation-late: a value stayed in use beyond its rotation period at some time in the audit period.

## What it checks

Only in an audit of a period: how old each value grew while it was in use inside the period, against
`rotation_period` plus `overdue_tolerance` of the requirement of that time. A rotation that was late and
has been done since is still late. The rotation ledger shows every value that this looks at.

- A value is in use from its creation until its version was superseded or, where nothing says when, until the
  next version was created. What goes on counts up to the last instant of the period.
- Replaced in the instant in which it was due passes; a microsecond later fails. A value that was replaced in
  the first instant of the period, or before, was not in use in it.
- After a rollback the older value is in use again, and its age counts from its own creation.
- A store forgets versions. Where the oldest one listed took over inside the period and is more than a day
  younger than its credential, another value was in use before it. How old that one was is not known, but
  never older than the credential: unknown, unless even that would have been in time. So is a version without
  a date, and one that was switched off and may never have been in use. Versions that are not known: unknown.
  Earlier inventories, audit logs and rotation records (`--history`, `--audit-log`, `--rotation-records`) know
  what a store forgot; then their bounds count. What is no longer listed is judged by its past.
- So is what followed a value that was superseded more than a day before the next known one was made: it is
  taken to be as old as that value. One that only earlier inventories know, listed last as the value in use,
  was replaced between that list and the next known value: others may have come and gone.
- Passes only where a value that fell due was replaced in time. Not applicable: nothing fell due in the period
  (the control did not operate, and that proves nothing), what fell due was deleted or switched off and
  nothing replaced it, or what fell due is in use at its end and not late
  yet; nothing surely fell due and nothing can have been late; no period is defined (see period-undefined),
  replicas, dynamic secrets. What was superseded in the instant in which it was made never was in use.

Where the policy changed within the period (`--earlier-policy`), each part is judged by the policy of its
time: a value is too old at an instant if its age then exceeds what the policy in force then allows. One that
a shorter period makes too old at once is due in the first instant of the new policy. Only requirements come
from earlier policies; credentials are classified, rules set and failures waived by the policy of today.

## Why is this bad?

An audit of how things stand sees the last rotation only. Management says that keys are replaced every ninety
days, and whoever tests that over a year asks for every due date in it. One key that waited for a hundred and
twenty is an exception, however young its successor is.

## Example

The policy gives production 90 days. A key of 1 January was replaced on 1 May and its successor is a week old
when the audit is made: rotation-overdue passes, and this fails, because the old one was thirty days too old
when it went.

## Remediation

What is past cannot be mended. Write down why it was late and what has been changed, and have somebody else
accept it by a waiver: that is what an auditor will ask for. Then see that it does not come again.

- `keyaudit plan` lists what falls due, before it does.
- Let the store rotate by itself, or remind: see schedule-too-slow and rotation-missed.
- A store that keeps few versions cannot show a year. Keep the inventory of every day.

## References

- SOC 2 CC5.3 and CC6.1 (Type 2: operated throughout the period); ISO/IEC 27001:2022 A.5.36
- PCI DSS 4.0.1, 3.7.4, 8.6.3; NIST SP 800-53 IA-5; HIPAA 45 CFR 164.308(a)(5)(ii)(D)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask every credential of which a value fell due in the period, whether it is in use today or not."""
    dynamic = (facts.cls == "dynamic-secret").fill_null(value=False)
    return Check(
        applies=~facts.is_replica & ~dynamic & facts.fell_due,
        fails=facts.exceeds(facts.late_by_min, facts.late_by_max, 0),
    )


RULE = Rule(
    id="KA111",
    name="rotation-late",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="a value in use in the period was {age_in_period_min} old; {schedule} allows {rotation_period}",
    doc=__doc__,
    check=check,
    needs=("versions.created_at",),
    evidence=(
        "aged_version",
        "aged_from",
        "aged_until",
        "age_in_period_min",
        "age_in_period_max",
        "rotation_period",
        "schedule",
    ),
    per_requirement=True,
    of_period=True,
)

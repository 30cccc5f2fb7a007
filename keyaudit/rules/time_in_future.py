"""KA906 time-in-future: a timestamp lies later than the audit.

## What it checks

Whether any time that ought to lie in the past lies after the audit: creation, last change, last rotation,
last use and compromise of the credential, and creation, replacement, revocation and last use of its versions.
The very instant of the audit passes. Expiry and next rotation belong in the future and are not looked at.

Every credential is asked, and a time that is not known is not in the future.

## Why is this bad?

A value dated tomorrow is young for ever. keyaudit takes no age from such a date, so the rules about age say
unknown; this one says why. The cause is a clock that is wrong, a document that was edited by hand, or an
audit as of a moment before the inventory was collected.

## Example

An inventory was collected on 2 May and is audited as of 1 May. A secret that was rotated on 2 May fails.

## Remediation

Audit as of the moment of collection or later (`--as-of`), or take an inventory from before. If the date is
wrong in the document, correct it there. If it is wrong in the store, replace the value: its history proves
nothing.

## References

- NIST SP 800-53 rev. 5, AU-8 (time stamps): https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask everything: a time from the future means a wrong clock, or a wrong document."""
    return Check(applies=facts.in_use | ~facts.in_use, fails=facts.time_in_future)


RULE = Rule(
    id="KA906",
    name="time-in-future",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="{latest_instant} is later than the audit of {as_of}",
    doc=__doc__,
    check=check,
    evidence=("latest_instant", "as_of"),
)

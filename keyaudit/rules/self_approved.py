"""KA702 self-approved: a rotation was requested and approved by the same person.

## What it checks

Only in an audit of a period, and only where rotation records were given: of each promotion that a record puts
inside the period, the first and the last instant included, whether somebody else than the requester approved
it. The same name in another spelling is the same person: case, width, spaces, characters that do not show
and letters of another script that look the same do not count.

- One promotion that its requester approved fails, whatever the others say. The earliest is shown.
- Nobody named as requester or as approver (nothing, or a word such as "n/a"): unknown. Who agreed may stand
  in the ticket; this record does not say so, and what it does not say is not passed.
- An emergency is no exception here: whoever was asked afterwards is not on the record. Accept it by a waiver.
- A record in a file with a problem is none, see rotation-undocumented.
- Not applicable: no record of a promotion in the period, replicas. No records given: not tested.

Names are what was given on the command line. That a name belongs to the person who typed it is for the system
that ran the rotation to show.

## Why is this bad?

Whoever can replace a production key alone can also put a key of their own there. The second pair of eyes is
the control; a request that approves itself is one pair.

## Example

The record says `requested_by: sam@acme.example` and `approved_by: Sam@acme.example`.

## Remediation

Have somebody else approve: `keyaudit rotate run NAME --requested-by … --approved-by … --ticket …`, best from
a pipeline whose environment needs an approver and hands both names over. For the rotation at hand, have it
reviewed now, write down by whom, and accept it by a waiver that another person approves.

## References

- ISO/IEC 27001:2022 A.5.3; NIST SP 800-53 AC-5; SOC 2 CC8.1; PCI DSS 4.0.1, 6.5.1
- NIST SP 800-53 CM-3: changes are reviewed and approved before they are carried out
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask every credential of which a record tells a promotion in the period."""
    return Check(applies=~facts.is_replica & (facts.promotions_in_period > 0), fails=facts.self_approved)


RULE = Rule(
    id="KA702",
    name="self-approved",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="the promotion at {promoted_at} was requested by {requested_by} and approved by {approved_by}",
    doc=__doc__,
    check=check,
    needs=("rotation_records",),
    evidence=("promoted_at", "requested_by", "approved_by", "self_approved", "promotions_in_period"),
    of_period=True,
)

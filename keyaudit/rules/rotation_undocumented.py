"""KA701 rotation-undocumented: a rotation in the audit period has no rotation record.

## What it checks

Only in an audit of a period, and only where rotation records were given: every rotation inside the period,
the first and the last instant included, against the promotions that the records attest.

- A rotation is a version that took over from another one. It took over when it was created or, if that was
  later, when the version before it was superseded. The first value of a credential is none; a value that is
  more than a day younger than its credential is not the first. Nor is a copy by which a store goes back to a
  value that was replaced, and has its date: rolled-back tells of that.
- A record is of the same source, scope and id. One that names the version stands for it, whenever it was
  written. One that names none of the versions listed stands for the rotation inside the period that is
  nearest to it, no farther away than `within`, exactly that far included; one record never stands for two. A
  key that its provider lists is found by its id as well, whatever store it was rotated in.
- A promotion is on record with its result, or with its intent where a run was killed before it could write
  the result. A version that was only made, or given up before anybody was given it, is no promotion; where
  a store lists it as one that was replaced, the record of its end stands for it.
- A file whose chain of hashes is broken, or that has any other problem, is no evidence at all. Page one names
  it.
- A version without a date, or one that was switched off and may never have been in use, may be a rotation:
  without a record it is unknown. So are versions that are not known.
- Not applicable: no rotation in the period, replicas, dynamic secrets, and what a service rotates by itself
  (`managed_by`). No records given: not tested.

## Why is this bad?

An auditor who samples the rotations of a period asks of each who asked for it, who agreed, when it was done
and that the old value ended. A new version in a store answers none of that. It may as well have been put
there by somebody who wanted to go on reading.

## Example

The period is the first half of the year. A secret has versions from January, April and June; the records tell
of April and June. The one of January is the finding.

## Remediation

Rotate with `keyaudit rotate run NAME --requested-by … --approved-by … --ticket …` and keep the record that it
writes, with its last hash elsewhere or signed. A record cannot be written afterwards: for a rotation that has
none, gather the change ticket and the store's audit log, and have somebody accept it by a waiver.

- Records of the same credential under another scope or id are not found: both must be as `keyaudit inventory
  show` prints them.

## References

- SOC 2 CC8.1; PCI DSS 4.0.1, 6.5.1; ISO/IEC 27001:2022 A.8.32; NIST SP 800-53 CM-3
- HIPAA 45 CFR 164.316(b)(1): actions that must be documented are kept in writing
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Ask every rotation of the period; what may have been one fails nothing for certain."""
    dynamic = (facts.cls == "dynamic-secret").fill_null(value=False)
    ours = ~facts.is_replica & ~dynamic & facts.managed_by.is_null()
    return Check(
        applies=ours & (facts.record_gap_max != facts.NONE),
        fails=facts.exceeds(facts.record_gap_min, facts.record_gap_max, settings["within"]),
    )


RULE = Rule(
    id="KA701",
    name="rotation-undocumented",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="version {rotated_version} took over at {rotated_at} and no record tells of it",
    doc=__doc__,
    check=check,
    params={
        "within": Param(
            "duration",
            "How far a record that names no version may lie from the rotation that it stands for.",
        )
    },
    needs=("rotation_records", "versions.created_at"),
    evidence=("rotated_version", "rotated_at", "record_gap_min"),
    of_period=True,
)

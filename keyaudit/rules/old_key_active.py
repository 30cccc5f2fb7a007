"""KA201 old-key-active: a replaced key still authenticates after its grace period.

## What it checks

How long ago the longest-replaced key that still authenticates was replaced, against `grace_period`; and how
old the oldest of them is, against `max_age`, which no grace period extends. Exactly as long passes.

- A key counts by what its provider says: `authenticates` true. One that may still authenticate (null) cannot
  pass once its grace is over: unknown.
- It counts from `superseded_at`. Without that date it was replaced somewhere between the creation of the
  value in use and the last change of the credential; if the grace period ends inside that interval, the
  verdict is unknown.
- A key that was destroyed in the store and still works at its provider counts. No replaced key at all passes.
- Not known what class it is, and an old key is over its grace period: unknown. It may be an encryption key,
  whose old versions must go on decrypting. This holds too where classes were not collected: say what it is.
- Without a grace period only `max_age` is asked. A benchmark that wants every active key to be young, such as
  CIS AWS 2.12, is compared with `max_age` alone.
- Not applicable: the store cannot know whether keys authenticate, replicas, and encryption and signing keys
  (see retired-key-encrypts).

## Why is this bad?

Rotation ends the life of the old key, not the arrival of the new one. As long as the old key works, every
copy of it works, and the only effect of the rotation was that there are two keys to lose instead of one.
Products that keep two keys alive by design double the life of each one without saying so.

## Example

The policy allows 24 hours. An IAM user received a second access key nine days ago, the application uses it,
and the first one is still Active.

## Remediation

Check that nothing uses the old key, switch it off in a way that can be undone, wait, delete.

- AWS IAM: `aws iam get-access-key-last-used --access-key-id KEY`, then `aws iam update-access-key --user-name
  USER --access-key-id KEY --status Inactive`, later `aws iam delete-access-key`.
- Google service accounts: `gcloud iam service-accounts keys disable KEY --iam-account=ACCOUNT`, later
  `delete`.
- Anthropic: set the key inactive through the Admin API or the Console; archive it when nothing complains.
- OpenAI: delete the project API key; there is no state in between, so look at its last use first.
- Databases: `ALTER ROLE … NOLOGIN` for the old one of two alternating users, then drop it.

## References

- AWS, Update access keys:
  https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html
- OWASP Non-Human Identities Top 10, NHI1: https://owasp.org/www-project-non-human-identities-top-10/
- PCI DSS 4.0.1, 8.6.3; SOC 2 CC6.1, CC6.2; ISO/IEC 27001:2022 A.5.17; HIPAA 45 CFR 164.312(a)(1)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Ask everything but encryption and signing keys, whose old versions must keep working."""
    a_key = facts.is_key.fill_null(value=False)
    # -1 says that there is none; what was replaced in the future has no age.
    longest = nw.when(facts.old_active_max >= -1).then(facts.old_active_max)
    graced = ~facts.grace_period.is_null()
    late = graced & facts.exceeds(facts.old_active_min, longest, facts.grace_period)
    aged = facts.exceeds(facts.old_active_age_min, facts.old_active_age_max, settings["max_age"])
    return Check(applies=~facts.is_replica & ~a_key, fails=(late | aged) & ~facts.is_key)


RULE = Rule(
    id="KA201",
    name="old-key-active",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message=(
        "a replaced key, {old_active_age_min} old, still works {old_active_min} after it was replaced; "
        "{schedule} allows {grace_period}"
    ),
    doc=__doc__,
    check=check,
    params={"max_age": Param("duration", "how old a replaced key may be while it still works")},
    needs=("versions.authenticates",),
    evidence=(
        "class",
        "old_active_min",
        "old_active_max",
        "old_active_age_min",
        "old_active_age_max",
        "grace_period",
        "schedule",
    ),
    fixes={
        "aws-iam": (
            "aws iam update-access-key --user-name {name} --access-key-id {version} --status Inactive"
        ),
    },
    per_requirement=True,
)

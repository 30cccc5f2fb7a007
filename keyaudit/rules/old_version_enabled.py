"""KA202 old-version-enabled: a store still serves a replaced version after its grace period.

## What it checks

How long ago the longest-replaced version that the store still serves was replaced, against `grace_period`, in
the stores that the policy names in `sources`. Exactly the grace period passes.

- Served means state superseded: kept and readable. Disabled and destroyed versions do not count.
- It counts from `superseded_at`, or from an interval, as in old-key-active; if the grace period ends inside
  it, unknown.
- No replaced version passes. Versions that are not known: unknown.
- Not known what class it is, and an old version is over its grace period: unknown. It may be an encryption
  key, and disabling its old version makes the data behind it unreadable. This holds too where classes were
  not collected: say what it is.
- Not applicable: a store that the policy does not name, no grace period, replicas, and encryption and signing
  keys, whose old versions must stay readable.

AWS Secrets Manager keeps the previous version on purpose, as its way back; that is why stores are named one
by one.

## Why is this bad?

Whoever may read the secret may read its old versions too. If the old value still works somewhere it is a
second live credential, and if it does not, a client that pins the old version will fail without anybody
knowing why.

## Example

A secret in Google Secret Manager has versions 1 to 7, all enabled. Version 6 was replaced a month ago.

## Remediation

Move whoever still pins the old version, then disable it, which can be undone, and destroy it later, which
cannot.

- Google Secret Manager: `gcloud secrets versions disable VERSION --secret=ID`, later `gcloud secrets versions
  destroy`.
- Vault KV: `vault kv delete -versions=N PATH` can be undone with `vault kv undelete`; `vault kv destroy`
  cannot.
- AWS Secrets Manager, if your policy names it: take AWSPREVIOUS and other labels off the old version with
  `aws secretsmanager update-secret-version-stage`; versions without labels are purged by the service in time.

## References

- Google, Disable a secret version: https://cloud.google.com/secret-manager/docs/disable-secret-version
- Vault, KV version 2: https://developer.hashicorp.com/vault/docs/secrets/kv/kv-v2
- SOC 2 CC6.1, CC6.2; ISO/IEC 27001:2022 A.5.17
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Ask the stores that the policy names, and never encryption or signing keys."""
    sources = list(settings["sources"])
    named = facts.source.is_in(sources) if sources else nw.lit(value=False)
    a_key = facts.is_key.fill_null(value=False)
    # -1 says that there is none; what was replaced in the future has no age.
    longest = nw.when(facts.old_enabled_max >= -1).then(facts.old_enabled_max)
    return Check(
        applies=named & ~facts.is_replica & ~a_key & ~facts.grace_period.is_null(),
        fails=facts.exceeds(facts.old_enabled_min, longest, facts.grace_period) & ~facts.is_key,
    )


RULE = Rule(
    id="KA202",
    name="old-version-enabled",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message=(
        "a replaced version can still be read {old_enabled_min} after it was replaced; {schedule} "
        "allows {grace_period}"
    ),
    doc=__doc__,
    check=check,
    params={"sources": Param("names", "the stores in which replaced versions must be retired")},
    needs=("versions",),
    evidence=("class", "old_enabled_min", "old_enabled_max", "grace_period", "schedule"),
    fixes={
        "gcp-secret-manager": "gcloud secrets versions disable {version} --secret={secret}",
        "vault": "vault kv delete -versions={version} {id}",
    },
    per_requirement=True,
)

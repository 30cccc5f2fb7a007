"""KA108 compromise-not-rotated: a compromised value can still be used, or was replaced too late.

## What it checks

Credentials that carry a `compromised_at`. Two things fail:

- a value that existed at that moment can be used now. This is an emergency, at once: `within` is no time to
  wait. A value in use counts as usable; any other counts if it is known to authenticate. A value created in
  the very instant of the compromise counts as compromised.
- the first new value came later than `within` after the compromise, even if all is well by now. Exactly
  `within` passes. With `within: 0s` every replacement is late.

Only `authenticates: false` shows that an old value is dead. Unknown, therefore:

- an old version whose `authenticates` is not known or was not collected, also if the store has disabled or
  destroyed its copy: that revokes nothing at the provider.
- the version that was in use at that moment is not listed any more, or the versions are not known. Surely
  usable, though, is a value without a version list of which nothing was changed since.
- a flag from the future, while the value can be used.

Withdrawing the credential without a successor passes, once the old value is refused.

Not applicable: not flagged, or flags were not collected. Replicas are asked: a copy is as exposed as its
primary. Once the old value is revoked, how long it went on working is not judged here.

## Why is this bad?

Somebody else may be holding the key now. Until the old value is refused at its provider, storing a new one
changes nothing for them. This is the one case in which an outage is the smaller harm.

## Example

A key was found in a public repository on Monday at 09:00 and flagged. A new version was stored at 11:00 and
deployed. On Tuesday the provider still lists the old key as active, so it fails, as it has since Monday. It
passes from the moment in which the old key is revoked, because the new one came within a day.

## Remediation

Revoke first if you can bear it, then replace. Deleting the leaked copy does not help.

- AWS IAM: `aws iam update-access-key --user-name USER --access-key-id KEY --status Inactive`, then look
  through CloudTrail for what the key did.
- AWS Secrets Manager: `aws secretsmanager rotate-secret --secret-id ID`, and revoke the old value where it is
  honoured: the store only keeps it.
- Google service account keys: `gcloud iam service-accounts keys disable KEY --iam-account=ACCOUNT`.
- Google Secret Manager: `gcloud secrets versions add ID --data-file=-`, then `gcloud secrets versions disable
  VERSION --secret=ID`.
- Vault: `vault lease revoke -prefix PATH` for issued credentials; write a new value for KV.
- OpenAI and Anthropic: delete or deactivate the key in the console; do not wait for the deployment.

## References

- OWASP Non-Human Identities Top 10, NHI2: https://owasp.org/www-project-non-human-identities-top-10/
- NIST SP 800-61 rev. 3: https://csrc.nist.gov/pubs/sp/800/61/r3/final
- PCI DSS 4.0.1, 3.7.5, 8.6.3; SOC 2 CC7.4; ISO/IEC 27001:2022 A.5.17, A.5.26
- HIPAA 45 CFR 164.308(a)(6)(ii); NIST SP 800-53 IA-5, IR-4
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Fail while an exposed value can be used, and for a replacement that came late."""
    flagged = facts.compromised_at
    happened = nw.when(flagged <= facts.as_of).then(nw.lit(value=True))
    late = (facts.replaced_after > settings["within"]).fill_null(value=False)
    return Check(applies=~flagged.is_null(), fails=(facts.exposed & happened) | late)


RULE = Rule(
    id="KA108",
    name="compromise-not-rotated",
    severity=Severity.CRITICAL,
    basis=Basis.POLICY,
    message="compromised {compromised_at}, and still usable or replaced too late",
    doc=__doc__,
    check=check,
    params={"within": Param("duration", "how long the replacement of a compromised value may take")},
    needs=("compromised_at",),
    evidence=("compromised_at", "exposed", "replaced_after"),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
        "vault-transit": "vault write -f {id}/rotate",
        "gcp-secret-manager": "gcloud secrets versions add {secret} --data-file=-",
        "aws-iam": (
            'aws iam update-access-key --user-name {name} --access-key-id "$ACCESS_KEY_ID" --status Inactive'
        ),
    },
)

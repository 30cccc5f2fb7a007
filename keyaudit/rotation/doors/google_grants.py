"""The least that IAM of Google Cloud must grant to whoever rotates: what each party declares.

Whoever audits has another role, which cannot change anything, and a denial of values on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_SERVICES = ("iam", "monitoring", "secretmanager")
_ROLE = """\
# rotate.yaml, for
#   gcloud iam roles create keyaudit_rotate --project=PROJECT --file=rotate.yaml
# Bind it on the secret and on the service account alone, not on the project; what is asked of
# monitoring can only be granted on the project, in a role of its own:
#   gcloud secrets add-iam-policy-binding SECRET --role=projects/PROJECT/roles/keyaudit_rotate \\
#     --member=serviceAccount:KEYAUDIT_ROTATE
#   gcloud iam service-accounts add-iam-policy-binding ACCOUNT --role=… --member=…
title: keyaudit rotate
description: Rotates the secrets and the service accounts that it is bound on.
stage: GA
includedPermissions:
{permissions}
"""


def permissions(parties: Iterable[object]) -> tuple[str, ...]:
    """Give what parties declare to ask of Google, in order, each once."""
    found: set[str] = set()
    for party in parties:
        calls = getattr(party, "calls", {})
        if isinstance(calls, Mapping):
            found.update(call for each in calls.values() for call in each)
    return tuple(sorted(call for call in found if call.split(".")[0] in _SERVICES and " " not in call))


def least_privilege(parties: Iterable[object]) -> str:
    """Give the custom role of the identity that rotates, as YAML."""
    return _ROLE.format(permissions="\n".join(f"- {each}" for each in permissions(parties)))

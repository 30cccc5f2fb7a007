"""The least that a role must grant for a pull, as a custom role of IAM.

One table a kind: what it asks for, and what of its service must stay out of reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keyaudit.sources.pulling.settings import PullSettings

LISTS: dict[str, tuple[str, ...]] = {
    "gcp-iam": ("iam.serviceAccountKeys.list", "iam.serviceAccounts.list", "monitoring.timeSeries.list"),
    "gcp-secret-manager": (
        "cloudasset.assets.listResource",
        "secretmanager.locations.list",
        "secretmanager.secrets.list",
        "secretmanager.versions.list",
    ),
}

ONLY_WITH: dict[str, tuple[str, object]] = {
    "cloudasset.assets.listResource": ("bulk", True),
    "monitoring.timeSeries.list": ("last_use", True),
    "secretmanager.locations.list": ("finds_locations", True),
    "secretmanager.secrets.list": ("bulk", False),
    "secretmanager.versions.list": ("asks_each", True),
}
"""Permissions that are needed only where a setting has a value."""

NEVER: dict[str, tuple[str, ...]] = {
    "gcp-iam": (
        "iam.googleapis.com/serviceAccountKeys.create",
        "iam.googleapis.com/serviceAccountKeys.delete",
        "iam.googleapis.com/serviceAccounts.actAs",
        "iam.googleapis.com/serviceAccounts.getAccessToken",
        "iam.googleapis.com/serviceAccounts.getOpenIdToken",
        "iam.googleapis.com/serviceAccounts.implicitDelegation",
        "iam.googleapis.com/serviceAccounts.setIamPolicy",
        "iam.googleapis.com/serviceAccounts.signBlob",
        "iam.googleapis.com/serviceAccounts.signJwt",
    ),
    "gcp-secret-manager": (
        "secretmanager.googleapis.com/secrets.create",
        "secretmanager.googleapis.com/secrets.delete",
        "secretmanager.googleapis.com/secrets.setIamPolicy",
        "secretmanager.googleapis.com/secrets.update",
        "secretmanager.googleapis.com/versions.access",
        "secretmanager.googleapis.com/versions.add",
        "secretmanager.googleapis.com/versions.destroy",
        "secretmanager.googleapis.com/versions.disable",
        "secretmanager.googleapis.com/versions.enable",
    ),
}
"""Values and changes, as far as deny policies know them and as they spell them."""

_ROLE = """\
# role.yaml, for one project, or with --organization=NUMBER for all of them:
#   gcloud iam roles create keyaudit --project=PROJECT --file=role.yaml
#   gcloud projects add-iam-policy-binding PROJECT --role=projects/PROJECT/roles/keyaudit \\
#     --member=serviceAccount:KEYAUDIT
title: keyaudit
description: Lists credentials and their dates; reads no value, changes nothing.
stage: GA
includedPermissions:
{permissions}
"""

_QUOTA = """\
#
# In the project of `quota_project` it also needs serviceusage.services.use
# (roles/serviceusage.serviceUsageConsumer).
"""

_IMPERSONATED = """\
#
# Whoever starts keyaudit needs roles/iam.serviceAccountTokenCreator on the account that `impersonate`
# names, and nothing else; the role above belongs to that account.
"""

_DENY = """\
#
# A denial on top wins over whatever else the account is granted. deny.yaml, for
#   gcloud iam policies create keyaudit-never --kind=denypolicies --policy-file=deny.yaml \\
#     --attachment-point=cloudresourcemanager.googleapis.com%2Fprojects%2FPROJECT
#
# displayName: keyaudit never reads a value
# rules:
# - denyRule:
#     deniedPrincipals:
#     - principal://iam.googleapis.com/projects/-/serviceAccounts/KEYAUDIT
#     deniedPermissions:
{permissions}
"""


def least_privilege(wanted: Mapping[str, Sequence[PullSettings]]) -> str:
    """Give the custom role of the account that pulls, as YAML, for kinds of Google Cloud and settings.

    The denial of values and changes stands below as a comment: it is a policy of its own.
    """
    lists = sorted(
        {each for kind, settings in wanted.items() for each in LISTS[kind] if _used(each, settings)}
    )
    never = sorted({permission for kind in wanted for permission in NEVER[kind]})
    entries = [entry for settings in wanted.values() for entry in settings]
    return "".join(
        (
            _ROLE.format(permissions="\n".join(f"- {each}" for each in lists)),
            _QUOTA if any(getattr(entry, "quota_project", None) for entry in entries) else "",
            _IMPERSONATED if any(getattr(entry, "impersonate", None) for entry in entries) else "",
            _DENY.format(permissions="\n".join(f"#     - {each}" for each in never)),
        )
    ).rstrip("\n")


def _used(permission: str, entries: Sequence[PullSettings]) -> bool:
    """Say whether any entry needs a permission; without entries every setting may be in use."""
    if permission not in ONLY_WITH or not entries:
        return True
    setting, value = ONLY_WITH[permission]
    return any(getattr(entry, setting) == value for entry in entries)

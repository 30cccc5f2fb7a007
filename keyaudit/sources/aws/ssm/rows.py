"""Parameters as inventory rows, trap by trap.

* `LastModifiedDate` is when the newest version was created: nothing but PutParameter moves it, and
  that always makes a version. So it dates the value in use, and ends the one before.
* Older versions can be read by number, but when they came is told only together with their values.
* AWS keeps the newest hundred versions; none of them can be taken away alone.
* A parameter was created with its first version, so when is known only while there is no other.
* Parameter Store rotates nothing by itself: rotation is off, or somebody is reminded.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.sources.aws.json_lists import instant
from keyaudit.sources.aws.ssm.lists import Parameter
from keyaudit.sources.aws.ssm.policies import Policies, schedule
from keyaudit.sources.labels import read_labels

SOURCE = "aws-ssm"
KEPT = 100
"""Versions of a parameter that AWS keeps, the current one included."""


def parameter_row(
    scope: str, parameter: Parameter, policies: Policies, tags: Mapping[str, str] | None
) -> Credential:
    """Map one parameter; `tags` are None where not known. Raises ValueError if a time makes no sense."""
    modified = instant(parameter.modified)
    return Credential(
        source=SOURCE,
        scope=scope,
        id=parameter.arn,
        name=parameter.name,
        labels=None if tags is None else dict(tags),
        created_at=modified if parameter.version == 1 else None,
        last_changed_at=modified,
        expires_at=policies.expires_at,
        rotation=_rotation(modified, policies),
        versions=_versions(parameter.version, modified),
        **read_labels(tags or {}),
    )


def _rotation(modified: int | None, policies: Policies) -> Rotation:
    if policies.unreadable or modified is None:
        return Rotation()
    if policies.reminder is None:
        return Rotation(enabled=False)
    next_at = modified + policies.reminder
    return Rotation(enabled=True, schedule=schedule(policies.reminder), next_at=next_at, by="reminder")


def _versions(newest: int, modified: int | None) -> list[Version]:
    """Number the versions that AWS still has, newest first."""
    current = Version(id=str(newest), state="current", created_at=modified)
    older = [
        Version(id=str(number), state="superseded", superseded_at=modified if number == newest - 1 else None)
        for number in range(newest - 1, max(newest - KEPT, 0), -1)
    ]
    return [current, *older]

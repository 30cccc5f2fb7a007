"""Which regions of an account to ask, and how sure we are that these are all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keyaudit.sources.aws.accounts import Session
from keyaudit.sources.aws.refusals import RepeatedTokenError, expected, explain, promised
from keyaudit.sources.aws.settings import AwsSecretsManagerSettings

_ACCOUNT_API = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
"""Where the account service of each partition answers."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Regions to ask; `declared` if the settings named them; `note` if the list is second best."""

    names: tuple[str, ...]
    declared: bool
    note: str | None = None


def find_regions(session: Session, settings: AwsSecretsManagerSettings) -> Regions:
    """Give the declared regions, else the enabled ones, else all that botocore knows, and say so."""
    if not settings.every_region:
        return Regions(settings.regions, declared=True)
    partition = session.raw.get_partition_for_region(session.home_region())
    try:
        enabled = _enabled(session.client("account", _ACCOUNT_API.get(partition, session.home_region())))
    except expected() as error:
        offline = session.raw.get_available_regions("secretsmanager", partition_name=partition)
        note = (
            f"account:ListRegions was not answered ({explain(error).reason}), "
            "so the regions that botocore knows were asked"
        )
        return Regions(tuple(sorted(offline)), declared=False, note=note)
    return Regions(tuple(sorted(enabled)), declared=False)


def _enabled(client: Any) -> set[str]:
    names: set[str] = set()
    tokens: set[str] = set()
    extra: dict[str, str] = {}
    while True:
        answer = client.list_regions(
            RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"], MaxResults=50, **extra
        )
        names.update(str(region["RegionName"]) for region in promised(answer, "Regions"))
        token = answer.get("NextToken")
        if not token:
            return names
        if token in tokens:
            raise RepeatedTokenError
        tokens.add(token)
        extra = {"NextToken": token}

"""Which regions of an account to ask, and how sure we are that these are all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keyaudit.sources.aws.accounts import Session
from keyaudit.sources.aws.refusals import promised, refusing
from keyaudit.sources.aws.settings import AwsSettings
from keyaudit.sources.pulling.pages import Page, walk
from keyaudit.sources.pulling.refusals import Kind, RefusedError

_ACCOUNT_API = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
"""Where the account service of each partition answers."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Regions to ask; `declared` if the settings named them; `note` if the list is second best."""

    names: tuple[str, ...]
    declared: bool
    note: str | None = None


def find_regions(session: Session, settings: AwsSettings, service: str) -> Regions:
    """Give the declared regions, else the enabled ones, else all that botocore knows, and say so.

    Raises RefusedError where that leaves none: every account has regions that cannot be disabled, so
    a list without any is no answer.
    """
    if not settings.every_region:
        return Regions(settings.regions, declared=True)
    partition = session.raw.get_partition_for_region(session.home_region())
    try:
        enabled = _enabled(session.client("account", _ACCOUNT_API.get(partition, session.home_region())))
    except RefusedError as error:
        offline = session.raw.get_available_regions(service, partition_name=partition)
        note = (
            f"account:ListRegions was not answered ({error.refusal.reason}), "
            "so the regions that botocore knows were asked"
        )
        if not offline:
            raise RefusedError(Kind.OTHER, saying=f"{note}, and it knows none") from None
        return Regions(tuple(sorted(offline)), declared=False, note=note)
    if not enabled:
        raise RefusedError(Kind.UNREADABLE, saying="account:ListRegions listed no region")
    return Regions(tuple(sorted(enabled)), declared=False)


def _enabled(client: Any) -> set[str]:
    def ask(token: str | None) -> Page[str]:
        extra = {"NextToken": token} if token else {}
        with refusing():
            answer = client.list_regions(
                RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"], MaxResults=50, **extra
            )
        names = [str(promised(region, "RegionName")) for region in promised(answer, "Regions")]
        return Page(names, token=answer.get("NextToken"))

    return {name for page in walk(ask) for name in page.entries}

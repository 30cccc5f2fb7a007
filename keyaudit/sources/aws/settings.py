"""What keyaudit.yaml may say about a source of AWS, besides what all sources share.

sources:
  - name: production
    kind: aws-secrets-manager
    profile: audit                  # of ~/.aws/config; without it the usual chain of credentials
    regions: all                    # or a list; `all` asks account:ListRegions which are enabled
    accounts: ["111122223333"]      # ids or role ARNs; without it the account that signs in
    role: keyaudit                  # the role to assume where `accounts` gives only an id
    external_id: acme-audit
    endpoint_url: http://127.0.0.1:5000   # emulators only

Only `name` and `kind` are needed.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from keyaudit.sources.pulling.settings import Endpoint, PullSettings, distinct

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}")
_ACCOUNT = re.compile(r"\d{12}")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/[\w+=,.@/-]{1,576}", re.ASCII)
_ROLE = re.compile(r"[\w+=,.@/-]{1,576}", re.ASCII)


def _region(text: str) -> str:
    if not _REGION.fullmatch(text):
        raise ValueError("not a region such as eu-west-1")
    return text


def _account(text: object) -> object:
    if isinstance(text, int):
        raise ValueError("an account id needs quotes, or its leading zeros are lost")  # noqa: TRY004
    if isinstance(text, str) and not (_ACCOUNT.fullmatch(text) or _ROLE_ARN.fullmatch(text)):
        raise ValueError("neither a 12-digit account id nor a role ARN")
    return text


def _role(text: str) -> str:
    if not _ROLE.fullmatch(text):
        raise ValueError("not a role name; write a full ARN under `accounts`")
    return text


def _regions(value: object) -> object:
    if isinstance(value, str):
        return () if value == "all" else (value,)
    if isinstance(value, (list, tuple)) and not value:
        raise ValueError("name at least one region, or write `all`")
    return value


def _one_entry_each(accounts: tuple[str, ...]) -> tuple[str, ...]:
    distinct(tuple(account_of(entry) for entry in accounts))
    return accounts


Regions = Annotated[
    tuple[Annotated[str, AfterValidator(_region)], ...], BeforeValidator(_regions), AfterValidator(distinct)
]
Accounts = Annotated[tuple[Annotated[str, BeforeValidator(_account)], ...], AfterValidator(_one_entry_each)]


class AwsSettings(PullSettings):
    """Checked settings of any source of AWS; `regions` is empty for `all`."""

    profile: str | None = None
    regions: Regions = ()
    accounts: Accounts = ()
    role: Annotated[str, AfterValidator(_role)] = "keyaudit"
    external_id: str | None = Field(default=None, min_length=2, max_length=1224)
    endpoint_url: Endpoint | None = None

    @property
    def every_region(self) -> bool:
        """Say whether the enabled regions are to be found out rather than declared."""
        return not self.regions


def account_of(entry: str) -> str:
    """Give the account id of an entry of `accounts`."""
    match = _ROLE_ARN.fullmatch(entry)
    return match[1] if match else entry

"""What keyaudit.yaml may say about a source of AWS, besides what all sources share.

sources:
  - name: production
    kind: aws-secrets-manager
    profile: audit                  # of ~/.aws/config; without it the usual chain of credentials
    regions: all                    # or a list; `all` asks account:ListRegions which are enabled
    accounts: ["111122223333"]      # ids or role ARNs, or `organization` for all that
                                    # organizations:ListAccounts lists; else the account that signs in
    skip_accounts: ["444455556666"] # of an organization, by choice; its coverage names them
    role: keyaudit                  # with `accounts`: the role to assume where that gives only an id
    external_id: acme-audit         # with `accounts`: what those roles ask for
    endpoint_url: http://127.0.0.1:5000   # emulators only

Only `name` and `kind` are needed. What is global in an account has no `regions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WrapValidator, field_validator

from keyaudit.sources.pulling.settings import Endpoint, PullSettings, distinct

ORGANIZATION = "organization"
"""Stands for every account of the organization."""

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


def _id(text: object) -> object:
    if isinstance(text, str) and not _ACCOUNT.fullmatch(text):
        raise ValueError("not a 12-digit account id")
    return _account(text)


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


def _accounts(value: object, check: Callable[[object], Any]) -> Any:
    if value == ORGANIZATION:
        return (ORGANIZATION,)
    if isinstance(value, str):
        raise ValueError("write a list of accounts, or `organization`")  # noqa: TRY004
    return check(value)


Regions = Annotated[
    tuple[Annotated[str, AfterValidator(_region)], ...], BeforeValidator(_regions), AfterValidator(distinct)
]
Listed = Annotated[tuple[Annotated[str, BeforeValidator(_account)], ...], AfterValidator(_one_entry_each)]
Accounts = Annotated[Listed, WrapValidator(_accounts)]


class AccountSettings(PullSettings):
    """Checked settings of any source of AWS; `accounts` is empty for the one that signs in."""

    profile: str | None = None
    accounts: Accounts = ()
    skip_accounts: Annotated[tuple[Annotated[str, BeforeValidator(_id)], ...], AfterValidator(distinct)] = ()
    role: Annotated[str, AfterValidator(_role)] = "keyaudit"
    external_id: str | None = Field(default=None, min_length=2, max_length=1224)
    endpoint_url: Endpoint | None = None

    @property
    def whole_organization(self) -> bool:
        """Say whether the accounts are to be found out rather than declared."""
        return self.accounts == (ORGANIZATION,)

    @property
    def declared_region(self) -> str | None:
        """Give a region that is declared, if any is."""
        return None

    @field_validator("role", "external_id")
    @classmethod
    def _some_role_is_assumed(cls, given: str | None, others: ValidationInfo) -> str | None:
        if given is not None and others.data.get("accounts") == ():
            raise ValueError("only with `accounts`: our own account is listed without assuming a role")
        return given

    @field_validator("skip_accounts")
    @classmethod
    def _nothing_else_is_skipped(cls, skipped: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if skipped and others.data.get("accounts") != (ORGANIZATION,):
            raise ValueError("only with `accounts: organization`; leave the account out of the list instead")
        return skipped


class AwsSettings(AccountSettings):
    """Checked settings of a source that asks region by region; `regions` is empty for `all`."""

    regions: Regions = ()

    @property
    def declared_region(self) -> str | None:
        """See `AccountSettings.declared_region`."""
        return self.regions[0] if self.regions else None

    @property
    def every_region(self) -> bool:
        """Say whether the enabled regions are to be found out rather than declared."""
        return not self.regions


def account_of(entry: str) -> str:
    """Give the account id of an entry of `accounts`."""
    match = _ROLE_ARN.fullmatch(entry)
    return match[1] if match else entry

"""What keyaudit.yaml may say about an `aws-secrets-manager` source.

sources:
  - name: production
    kind: aws-secrets-manager
    profile: audit                  # of ~/.aws/config; without it the usual chain of credentials
    regions: all                    # or a list; `all` asks account:ListRegions which are enabled
    accounts: ["111122223333"]      # ids or role ARNs; without it the account that signs in
    role: keyaudit                  # the role to assume where `accounts` gives only an id
    external_id: acme-audit
    depth: versions                 # or `list`: no call a secret; ages become intervals
    version_use: true               # last use a version; `false` keeps warm scans cheaper
    cache: true                     # false, or a folder of its own
    requests_per_second: 20         # for one account and region, whose quota production shares
    concurrency: 8                  # accounts × regions asked at once
    calls_per_scope: 4              # calls in flight in one of them
    attempts: 10                    # of one call, the first included
    timeout: 30s                    # for one answer
    endpoint_url: http://127.0.0.1:5000   # emulators only

Only `name` and `kind` are needed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from keyaudit.times import SECOND, parse_duration

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}")
_ACCOUNT = re.compile(r"\d{12}")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/[\w+=,.@/-]{1,576}", re.ASCII)
_ROLE = re.compile(r"[\w+=,.@/-]{1,576}", re.ASCII)
_ENDPOINT = re.compile(r"https://[^/\s@]+/?|http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?/?", re.ASCII)


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


def _endpoint(text: str) -> str:
    if not _ENDPOINT.fullmatch(text):
        raise ValueError("neither https://HOST nor http:// on this machine; requests carry session tokens")
    return text


def _timeout(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("lists one thing twice")
    return values


def _one_entry_each(accounts: tuple[str, ...]) -> tuple[str, ...]:
    _distinct(tuple(account_of(entry) for entry in accounts))
    return accounts


Regions = Annotated[
    tuple[Annotated[str, AfterValidator(_region)], ...], BeforeValidator(_regions), AfterValidator(_distinct)
]
Accounts = Annotated[tuple[Annotated[str, BeforeValidator(_account)], ...], AfterValidator(_one_entry_each)]


class AwsSecretsManagerSettings(BaseModel):
    """Checked settings of one source; `regions` is empty for `all`, `timeout` in microseconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100)
    kind: Literal["aws-secrets-manager"]
    profile: str | None = None
    regions: Regions = ()
    accounts: Accounts = ()
    role: Annotated[str, AfterValidator(_role)] = "keyaudit"
    external_id: str | None = Field(default=None, min_length=2, max_length=1224)
    depth: Literal["versions", "list"] = "versions"
    version_use: bool = True
    cache: bool | Path = True
    requests_per_second: float = Field(default=20, gt=0, le=100_000)
    concurrency: int = Field(default=8, ge=1, le=64)
    calls_per_scope: int = Field(default=4, ge=1, le=64)
    attempts: int = Field(default=10, ge=1, le=50)
    timeout: Annotated[int, BeforeValidator(_timeout), Field(ge=SECOND // 10, le=600 * SECOND)] = 30 * SECOND
    endpoint_url: Annotated[str, AfterValidator(_endpoint)] | None = None

    @property
    def every_region(self) -> bool:
        """Say whether the enabled regions are to be found out rather than declared."""
        return not self.regions


def account_of(entry: str) -> str:
    """Give the account id of an entry of `accounts`."""
    match = _ROLE_ARN.fullmatch(entry)
    return match[1] if match else entry

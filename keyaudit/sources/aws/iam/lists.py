"""IAM's lists, read into just the fields that an audit needs.

They go on by Marker while IsTruncated; botocore has no paginator for some of them. botocore retries
what did not arrive but not what arrived cut short, so a page that cannot be read is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from keyaudit.sources.aws.iam.report import User
from keyaudit.sources.aws.refusals import promised, refusing
from keyaudit.sources.pulling.pages import Entry, Page, reread, walk, whole
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.times import from_datetime

_AS_MANY = 1000


class Key(msgspec.Struct, frozen=True, gc=False):
    """An access key, or what a service takes for one; `active` if IAM says that it works."""

    id: str
    active: bool
    created: int


class ServiceKey(msgspec.Struct, frozen=True, gc=False):
    """A service-specific credential; `is_password` where it comes with a user name of its own."""

    user: str
    service: str
    key: Key
    expires: int | None
    is_password: bool


class Use(msgspec.Struct, frozen=True, gc=False):
    """When a key was last used; None while no use of it is recorded."""

    at: int | None


def users(client: Any) -> Iterator[Page[User]]:
    """List every user."""

    def read(entry: Mapping[str, Any]) -> User:
        return User(entry["UserName"], entry["Arn"], from_datetime(entry["CreateDate"]))

    return _pages(lambda **at: client.list_users(MaxItems=_AS_MANY, **at), "Users", read)


def access_keys(client: Any, user: str) -> list[Key]:
    """List the access keys of one user; raises RefusedError."""

    def read(entry: Mapping[str, Any]) -> Key:
        return _key(entry, entry["AccessKeyId"])

    keys = whole(_pages(lambda **at: client.list_access_keys(UserName=user, **at), "AccessKeyMetadata", read))
    if len({key.id for key in keys}) < len(keys):
        raise RefusedError(Kind.REPEATED)
    return keys


def service_keys(client: Any) -> Iterator[Page[ServiceKey]]:
    """List the service-specific credentials of all users.

    Resetting one keeps its id and its date: its value may be younger than it says, never older.
    """

    def read(entry: Mapping[str, Any]) -> ServiceKey:
        expires = entry.get("ExpirationDate")
        return ServiceKey(
            entry["UserName"],
            entry["ServiceName"],
            _key(entry, entry["ServiceSpecificCredentialId"]),
            None if expires is None else from_datetime(expires),
            bool(entry.get("ServiceUserName")),
        )

    def ask(**at: str) -> Any:
        return client.list_service_specific_credentials(AllUsers=True, MaxItems=_AS_MANY, **at)

    return _pages(ask, "ServiceSpecificCredentials", read)


def tags_of(client: Any, user: str) -> dict[str, str]:
    """List the tags of one user; raises RefusedError."""

    def read(entry: Mapping[str, Any]) -> tuple[str, str]:
        return entry["Key"], entry.get("Value") or ""

    return dict(whole(_pages(lambda **at: client.list_user_tags(UserName=user, **at), "Tags", read)))


def last_use(client: Any, key: str) -> Use:
    """Ask when an access key was last used; raises RefusedError."""

    def ask(key: str) -> Use:
        with refusing():
            answer = promised(client.get_access_key_last_used(AccessKeyId=key), "AccessKeyLastUsed")
        promised(answer, "ServiceName")
        used = answer.get("LastUsedDate")
        return Use(None if used is None else from_datetime(used))

    return reread(lambda: key, ask)


def root_has_keys(client: Any) -> bool:
    """Ask whether root has any access key; raises RefusedError."""

    def ask(client: Any) -> bool:
        with refusing():
            summary = promised(client.get_account_summary(), "SummaryMap")
        return bool(promised(summary, "AccountAccessKeysPresent"))

    return reread(lambda: client, ask)


def _key(entry: Mapping[str, Any], identifier: str) -> Key:
    return Key(identifier, entry["Status"] == "Active", from_datetime(entry["CreateDate"]))


def _pages(
    ask: Callable[..., Any], field: str, read: Callable[[Mapping[str, Any]], Entry]
) -> Iterator[Page[Entry]]:
    def page(marker: str | None) -> Page[Entry]:
        with refusing():
            answer = ask(Marker=marker) if marker else ask()
        entries, unreadable = [], 0
        for entry in promised(answer, field):
            try:
                entries.append(read(entry))
            except (KeyError, ValueError):
                unreadable += 1
        following = promised(answer, "Marker") if answer.get("IsTruncated") else None
        return Page(entries, unreadable, following)

    return walk(lambda marker: reread(lambda: marker, page))

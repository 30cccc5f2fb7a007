"""What IAM is asked: a project's service accounts, page by page, and the keys of one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyaudit.sources.gcp.iam.entries import Account, Key, account_of, is_users_own, key_of
from keyaudit.sources.gcp.messages import only_page, plain
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.pulling.pages import Page, walk
from keyaudit.sources.pulling.refusals import Kind, RefusedError

PAGE = 100
"""IAM gives no more, and 20 to those who do not ask."""


def iam() -> Any:
    """Import Google's client of IAM."""
    return library("google.cloud.iam_admin_v1")


class Iam:
    """IAM's two lists through `client`; each method may raise RefusedError."""

    def __init__(self, client: Any) -> None:
        """Ask nothing yet."""
        self._client = client
        self._types = iam()

    def accounts(self, project: str) -> Iterator[Page[Account]]:
        """List the service accounts of `projects/ID`."""

        def ask(token: str | None) -> Page[Account]:
            request = self._types.ListServiceAccountsRequest(
                name=project, page_size=PAGE, page_token=token or ""
            )
            answer = only_page(self._client.list_service_accounts(request))
            entries, unreadable = [], 0
            for message in answer.accounts:
                try:
                    entries.append(account_of(message))
                except ValueError:
                    unreadable += 1
            return Page(entries, unreadable, answer.next_page_token)

        return walk(ask)

    def keys(self, account: Account) -> list[Key]:
        """List the keys that users made for an account, all in one answer; all of them or none.

        Google's own keys, which it rotates by itself, are not asked for.
        """
        managed = self._types.ListServiceAccountKeysRequest.KeyType.USER_MANAGED
        request = self._types.ListServiceAccountKeysRequest(name=account.name, key_types=[managed])
        answer = plain(self._client.list_service_account_keys(request))
        try:
            return [key_of(message) for message in answer.keys if is_users_own(message)]
        except ValueError:
            raise RefusedError(Kind.UNREADABLE) from None

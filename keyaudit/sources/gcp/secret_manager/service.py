"""What Secret Manager itself is asked: its locations, secrets page by page, and a secret's versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyaudit.sources.gcp.messages import only_page
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.gcp.secret_manager.entries import Secret, SecretVersion, read_message
from keyaudit.sources.gcp.secret_manager.settings import LOCATION
from keyaudit.sources.pulling.pages import Page, walk
from keyaudit.sources.pulling.refusals import Kind, RefusedError

PAGE = 2_500
"""The service would give 25,000, of which each may carry 16 KiB of annotations."""


def client_class() -> Any:
    """Give the class of clients to ask through."""
    return library("google.cloud.secretmanager_v1").SecretManagerServiceClient


def endpoint(location: str) -> str:
    """Give the host that alone knows the secrets of a location."""
    return f"secretmanager.{location}.rep.googleapis.com"


class Service:
    """Secret Manager at its global endpoint, or in one location; every method may raise RefusedError."""

    def __init__(self, client: Any) -> None:
        """Ask through `client`, one of `client_class`."""
        self._client = client
        self.counted = 0
        """How many secrets the service itself says there are."""

    def locations(self, parent: str) -> list[str]:
        """Name the locations where a project may keep regional secrets."""

        def ask(token: str | None) -> Page[str]:
            answer = self._client.list_locations({"name": parent, "page_token": token or ""})
            found = [str(each.location_id) for each in answer.locations]
            if not all(map(LOCATION.fullmatch, found)):
                raise RefusedError(Kind.UNREADABLE)
            return Page(found, token=answer.next_page_token)

        return sorted({name for page in walk(ask) for name in page.entries} - {"global"})

    def secrets(self, parent: str) -> Iterator[Page[Secret]]:
        """List every secret, page by page."""

        def ask(token: str | None) -> Page[Secret]:
            answer = only_page(self._client.list_secrets(_request(parent, token)))
            self.counted = max(self.counted, answer.total_size)
            entries = []
            for message in answer.secrets:
                try:
                    entries.append(read_message(message, Secret))
                except ValueError:
                    continue
            return Page(entries, len(answer.secrets) - len(entries), answer.next_page_token)

        return walk(ask)

    def versions(self, secret: str) -> list[SecretVersion]:
        """List every version of a secret, whatever its state.

        All of them or none: a list that lacks one could take an old value for the one in use.
        """
        counted = 0
        own = secret[secret.rindex("/secrets/") :]

        def ask(token: str | None) -> Page[SecretVersion]:
            nonlocal counted
            answer = only_page(self._client.list_secret_versions(_request(secret, token)))
            counted = max(counted, answer.total_size)
            try:
                found = [read_message(message, SecretVersion) for message in answer.versions]
            except ValueError:
                raise RefusedError(Kind.UNREADABLE) from None
            if not all(each.name.rpartition("/versions/")[0].endswith(own) for each in found):
                raise RefusedError(Kind.UNREADABLE, "versions of another secret")
            return Page(found, token=answer.next_page_token)

        versions = [version for page in walk(ask) for version in page.entries]
        if len({version.name for version in versions}) < max(counted, len(versions)):
            raise RefusedError(Kind.UNREADABLE, "not as many versions as the service counts")
        return versions


def _request(parent: str, token: str | None) -> dict[str, Any]:
    return {"parent": parent, "page_size": PAGE, "page_token": token or ""}

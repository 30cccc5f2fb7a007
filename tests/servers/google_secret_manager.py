"""Google Secret Manager as its protocol documents it: newest first, numbers for names, values and all.

Handlers take the client library's own messages and give them back; `grpc_server.py` carries them. What
changes anything is in `google_secret_changes.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, TypeVar

from google.cloud import secretmanager_v1 as sm
from google.cloud.location import locations_pb2
from google.protobuf import timestamp_pb2

from servers.clock import Clock
from servers.crc32c import crc32c
from servers.google_secret_changes import Changes
from servers.grpc_errors import Refused
from servers.grpc_server import Handler, Method

SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"
LOCATIONS = "google.cloud.location.Locations"
LARGEST_PAGE = 25_000
_FEWER_LOCATIONS = 3
"""A page of locations is short here, so that clients must turn it."""

Row = TypeVar("Row")


def timestamp(micros: int) -> timestamp_pb2.Timestamp:
    seconds, rest = divmod(micros, 1_000_000)
    return timestamp_pb2.Timestamp(seconds=seconds, nanos=rest * 1000)


def page_of(rows: Sequence[Row], size: int, token: str) -> tuple[Sequence[Row], str]:
    """Cut a page; a token that this server never gave is an invalid argument."""
    if token and not token.removeprefix("after-").isdigit():
        raise Refused("INVALID_ARGUMENT")
    start = int(token.removeprefix("after-")) if token else 0
    end = start + size
    return rows[start:end], f"after-{end}" if end < len(rows) else ""


class SecretManager:
    """All of a service's state; secrets by name, versions by secret, each a message of the client library."""

    def __init__(
        self, projects: dict[str, int], locations: Sequence[str] = (), clock: Clock | None = None
    ) -> None:
        self.projects = projects
        self.clock = clock or Clock()
        self.locations = list(locations)
        self.secrets: dict[str, sm.Secret] = {}
        self.versions: dict[str, list[sm.SecretVersion]] = {}
        self.payloads: dict[str, bytes] = {}
        self.largest_page = LARGEST_PAGE
        self.unlisted: set[str] = set()
        """Secrets and versions that are counted but, by some fault, left out of a list."""
        self._lock = threading.RLock()
        self._changes = Changes(self)

    def methods(self) -> dict[str, Method]:
        answers = {
            "ListSecrets": self.list_secrets,
            "GetSecret": self.get_secret,
            "ListSecretVersions": self.list_secret_versions,
            "GetSecretVersion": self.get_secret_version,
            "AccessSecretVersion": self.access_secret_version,
            **self._changes.answers(),
        }
        own = {
            f"/{SERVICE}/{name}": Method(getattr(sm, f"{name}Request"), self._in_turn(answer))
            for name, answer in answers.items()
        }
        own[f"/{LOCATIONS}/ListLocations"] = Method(locations_pb2.ListLocationsRequest, self.list_locations)
        return own

    def _in_turn(self, answer: Handler) -> Handler:
        """One request after another; what is kept is answered as a copy, which stays as it was."""

        def locked(request: Any) -> Any:
            with self._lock:
                self._changes.settle()
                found = answer(request)
                return type(found)(found) if isinstance(found, sm.Secret | sm.SecretVersion) else found

        return locked

    def plant(
        self,
        name: str,
        *,
        project: str,
        created: int,
        value: bytes,
        location: str | None = None,
        **fields: Any,
    ) -> sm.Secret:
        """Create a secret with one version; gives the message, to bend."""
        where = f"/locations/{location}" if location else ""
        full = f"projects/{self.projects[project]}{where}/secrets/{name}"
        kind = {} if location else {"replication": {"automatic": {}}}
        secret = sm.Secret(name=full, create_time=timestamp(created), etag='"1"', **kind, **fields)
        self.secrets[full] = secret
        self.versions[full] = []
        self.add_version(secret, created=created, value=value)
        return secret

    def add_version(
        self, secret: sm.Secret, *, created: int, value: bytes, state: str = "ENABLED", **fields: Any
    ) -> sm.SecretVersion:
        versions = self.versions[secret.name]
        version = sm.SecretVersion(
            name=f"{secret.name}/versions/{len(versions) + 1}",
            create_time=timestamp(created),
            state=sm.SecretVersion.State[state],
            etag='"1"',
            **fields,
        )
        versions.append(version)
        if state != "DESTROYED":
            self.payloads[version.name] = value
        return version

    def by_number(self, name: str) -> str:
        """Give a name as the service answers it: with the number of the project."""
        project, slash, rest = name.removeprefix("projects/").partition("/")
        known = self.projects.get(project, project)
        if project not in self.projects and project not in map(str, self.projects.values()):
            raise Refused("PERMISSION_DENIED", "CONSUMER_INVALID", {"consumer": f"projects/{project}"})
        return f"projects/{known}{slash}{rest}"

    def list_locations(self, request: Any) -> Any:
        names, token = page_of(self.locations, _FEWER_LOCATIONS, request.page_token)
        parent = self.by_number(request.name)
        return locations_pb2.ListLocationsResponse(
            locations=[
                locations_pb2.Location(name=f"{parent}/locations/{name}", location_id=name) for name in names
            ],
            next_page_token=token,
        )

    def list_secrets(self, request: Any) -> Any:
        prefix = f"{self.by_number(request.parent)}/secrets/"
        rows = [secret for name, secret in self.secrets.items() if name.startswith(prefix)]
        shown = [secret for secret in rows if secret.name not in self.unlisted]
        page, token = page_of(shown, self._size(request), request.page_token)
        return sm.ListSecretsResponse(secrets=page, next_page_token=token, total_size=len(rows))

    def get_secret(self, request: Any) -> Any:
        return self._found(self.secrets, request.name)

    def list_secret_versions(self, request: Any) -> Any:
        rows = self._found(self.versions, request.parent)[::-1]
        shown = [version for version in rows if version.name not in self.unlisted]
        page, token = page_of(shown, self._size(request), request.page_token)
        return sm.ListSecretVersionsResponse(versions=page, next_page_token=token, total_size=len(rows))

    def get_secret_version(self, request: Any) -> Any:
        return self.version(request.name)

    def access_secret_version(self, request: Any) -> Any:
        version = self.version(request.name)
        if version.state != sm.SecretVersion.State.ENABLED:
            raise Refused("FAILED_PRECONDITION")
        value = self.payloads[version.name]
        return sm.AccessSecretVersionResponse(
            name=version.name, payload=sm.SecretPayload(data=value, data_crc32c=crc32c(value))
        )

    def secret(self, name: str) -> sm.Secret:
        return self._found(self.secrets, name)

    def version(self, name: str) -> sm.SecretVersion:
        """Find a version by number, by `latest` (the newest, whatever its state) or by alias."""
        parent, _, wanted = name.rpartition("/versions/")
        secret, versions = self.secret(parent), self._found(self.versions, parent)
        if wanted == "latest":
            number = len(versions)
        else:
            number = int(wanted) if wanted.isdigit() else secret.version_aliases.get(wanted, 0)
        if not 0 < number <= len(versions):
            raise Refused("NOT_FOUND")
        return versions[number - 1]

    def _size(self, request: Any) -> int:
        return min(request.page_size or self.largest_page, self.largest_page)

    def _found(self, rows: dict[str, Row], name: str) -> Row:
        found = rows.get(self.by_number(name))
        if found is None:
            raise Refused("NOT_FOUND")
        return found

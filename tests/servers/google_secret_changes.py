"""What changes Google's secrets: create, update, add a version, enable, disable, destroy, delete.

After the guides "Use entity tags" and "Delay destruction" and the protocol's own comments:

* An etag that is given must be the current one, or the call fails with FAILED_PRECONDITION (not ABORTED,
  which Google's later rule for new services asks for). None given: not compared.
* Every accepted change gives its own resource a new etag, even where nothing changed, and no other resource:
  neither adding nor changing a version touches the etag of the secret.
* AddSecretVersion takes no etag, so only UpdateSecret can be a lock.
* With a `version_destroy_ttl`, destroying disables and schedules; enabling or disabling again cancels that.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import TYPE_CHECKING, Any

from google.cloud import secretmanager_v1 as sm
from google.protobuf import empty_pb2

from servers.crc32c import crc32c
from servers.grpc_errors import Refused
from servers.grpc_server import Handler

if TYPE_CHECKING:
    from servers.google_secret_manager import SecretManager

LARGEST_PAYLOAD = 65_536
MOST_ALIASES = 50
MOST_TOPICS = 10
LARGEST_ANNOTATIONS = 16_384
_SHORTEST_DELAY, _LONGEST_DELAY = dt.timedelta(days=1), dt.timedelta(days=1000)
_SHORTEST_PERIOD = dt.timedelta(hours=1)
_ID = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_ALIAS = re.compile(r"(?!(latest|NEW)$)[a-zA-Z][a-zA-Z0-9_-]{0,62}")
_MUTABLE = {
    "annotations",
    "expire_time",
    "labels",
    "rotation",
    "topics",
    "version_aliases",
    "version_destroy_ttl",
}
_WRONG = Refused("INVALID_ARGUMENT")
State = sm.SecretVersion.State


class Changes:
    def __init__(self, store: SecretManager) -> None:
        self._store = store
        self._etags = itertools.count(2)
        self._scheduled: list[sm.SecretVersion] = []

    def answers(self) -> dict[str, Handler]:
        return {
            "CreateSecret": self.create_secret,
            "UpdateSecret": self.update_secret,
            "DeleteSecret": self.delete_secret,
            "AddSecretVersion": self.add_secret_version,
            "EnableSecretVersion": self.enable_secret_version,
            "DisableSecretVersion": self.disable_secret_version,
            "DestroySecretVersion": self.destroy_secret_version,
        }

    def settle(self) -> None:
        """Destroy what was scheduled and is due."""
        now = _timestamp(self._store.clock())
        for version in [each for each in self._scheduled if each.scheduled_destroy_time <= now]:
            self._scheduled.remove(version)
            self._destroy(version, version.scheduled_destroy_time)

    def create_secret(self, request: Any) -> Any:
        name = f"{self._store.by_number(request.parent)}/secrets/{request.secret_id}"
        regional = "/locations/" in request.parent
        if not _ID.fullmatch(request.secret_id) or regional is ("replication" in request.secret):
            raise _WRONG
        if name in self._store.secrets:
            raise Refused("ALREADY_EXISTS")
        _check(request.secret, versions=0)
        secret = sm.Secret(request.secret)
        secret.name, secret.etag = name, self._etag()
        secret.create_time = _timestamp(self._store.clock())
        self._store.secrets[name], self._store.versions[name] = secret, []
        return secret

    def update_secret(self, request: Any) -> Any:
        """Change what the mask names, whole fields only; the etag stands within the secret."""
        stored, given, paths = (
            self._store.secret(request.secret.name),
            request.secret,
            request.update_mask.paths,
        )
        if not paths or not set(paths) <= _MUTABLE:
            raise _WRONG
        changed = sm.Secret(stored)
        for path in paths:
            setattr(changed, path, getattr(given, path) if path in given else None)
        _check(changed, versions=len(self._store.versions[stored.name]))
        self._compare(stored, given.etag)
        changed.etag = self._etag()
        self._store.secrets[stored.name] = changed
        return changed

    def delete_secret(self, request: Any) -> Any:
        secret = self._store.secret(request.name)
        self._compare(secret, request.etag)
        for version in self._store.versions.pop(secret.name):
            self._store.payloads.pop(version.name, None)
        del self._store.secrets[secret.name]
        return empty_pb2.Empty()

    def add_secret_version(self, request: Any) -> Any:
        secret, payload = self._store.secret(request.parent), request.payload
        checked = "data_crc32c" in payload
        if not 0 < len(payload.data) <= LARGEST_PAYLOAD:
            raise _WRONG
        if checked and payload.data_crc32c != crc32c(payload.data):
            raise _WRONG
        version = self._store.add_version(
            secret,
            created=self._store.clock(),
            value=payload.data,
            client_specified_payload_checksum=checked,
        )
        version.etag = self._etag()
        return version

    def enable_secret_version(self, request: Any) -> Any:
        return self._turn(request, State.ENABLED)

    def disable_secret_version(self, request: Any) -> Any:
        return self._turn(request, State.DISABLED)

    def destroy_secret_version(self, request: Any) -> Any:
        version = self._turn(request, State.DISABLED)
        secret, now = self._store.secret(request.name.rpartition("/versions/")[0]), self._store.clock()
        if "version_destroy_ttl" in secret:
            version.scheduled_destroy_time = _timestamp(now) + secret.version_destroy_ttl
            self._scheduled.append(version)
        else:
            self._destroy(version, _timestamp(now))
        return version

    def _turn(self, request: Any, state: State) -> sm.SecretVersion:
        """Give a version another state; only a number names one here, and what is destroyed stays so."""
        if not request.name.rpartition("/")[2].isdigit():
            raise _WRONG
        version = self._store.version(request.name)
        self._compare(version, request.etag)
        if version.state == State.DESTROYED:
            raise Refused("FAILED_PRECONDITION")
        version.state, version.scheduled_destroy_time, version.etag = state, None, self._etag()
        self._scheduled = [each for each in self._scheduled if each is not version]
        return version

    def _destroy(self, version: sm.SecretVersion, when: Any) -> None:
        version.state, version.destroy_time, version.scheduled_destroy_time = State.DESTROYED, when, None
        version.etag = self._etag()
        self._store.payloads.pop(version.name, None)

    def _compare(self, stored: sm.Secret | sm.SecretVersion, etag: str) -> None:
        if etag and etag != stored.etag:
            raise Refused("FAILED_PRECONDITION")

    def _etag(self) -> str:
        return f'"{next(self._etags):x}"'


def _check(secret: sm.Secret, *, versions: int) -> None:
    """Refuse what the protocol's comments forbid."""
    notes, aliases, rotation = secret.annotations, secret.version_aliases, secret.rotation
    if sum(len(text.encode()) for pair in notes.items() for text in pair) > LARGEST_ANNOTATIONS:
        raise _WRONG
    if len(aliases) > MOST_ALIASES or not all(map(_ALIAS.fullmatch, aliases)):
        raise _WRONG
    # Unverified which code the service gives for a version that is not there; nobody says it is accepted.
    if not all(0 < number <= versions for number in aliases.values()):
        raise Refused("FAILED_PRECONDITION")
    if len(secret.topics) > MOST_TOPICS:
        raise _WRONG
    if "rotation" in secret and ("next_rotation_time" not in rotation or not secret.topics):
        raise _WRONG
    if "rotation_period" in rotation and rotation.rotation_period < _SHORTEST_PERIOD:
        raise _WRONG
    delay = secret.version_destroy_ttl if "version_destroy_ttl" in secret else _SHORTEST_DELAY
    if not _SHORTEST_DELAY <= delay <= _LONGEST_DELAY:
        raise _WRONG


def _timestamp(micros: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=micros)

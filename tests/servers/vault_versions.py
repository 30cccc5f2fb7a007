"""Versions of Vault's KV store: written with check-and-set, deleted, undeleted, destroyed, forgotten.

After the source of both projects (path_data.go, path_delete.go, path_destroy.go, path_metadata.go):

* `options.cas` must be the current version, 0 for a secret without any; deleting a version, or every one,
  does not lower it, deleting the metadata does.
* So many versions are kept as the larger of the secret's `max_versions` and the engine's says, else ten;
  the others go when the next one is written.
* `delete_version_after` dates a version's deletion when it is written or undeleted, not those before.
* `custom_metadata` is replaced as a whole by POST and merged by PATCH, neither moves `updated_time`, and
  neither is compared with anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keyaudit.times import SECOND
from servers.vault_refusals import EMPTY, Refused
from servers.vault_stamps import duration, instant, seconds, stamp

KEPT = 10
MOST_KEYS, LONGEST_KEY, LONGEST_VALUE = 64, 128, 512
_SETTINGS = {
    "max_versions": 0,
    "cas_required": False,
    "custom_metadata": None,
    "delete_version_after": "0s",
}
"""What may be changed of a secret's metadata, and what stands there if nothing was."""
_NO_DATA = Refused(400, "no data provided")
_NO_VERSION = Refused(400, "No version number provided")
_MISMATCH = Refused(400, "check-and-set parameter did not match the current version")
_REQUIRED = Refused(400, "check-and-set parameter required for this call")
_DURATION = Refused(400, "Field validation failed: error converting input for field delete_version_after")

Entry = dict[str, Any]


class Versions:
    """What is written to the metadata `entries` of an engine, and the values of its versions."""

    def __init__(self, entries: dict[str, Entry], canary: str, clock: Callable[[], int]) -> None:
        self._entries = entries
        self._canary = canary
        self._clock = clock
        self._values: dict[tuple[str, int], dict[str, Any]] = {}
        self.max_versions = 0
        self.cas_required = False

    def read(self, entry: Entry, name: str, asked: str) -> dict[str, Any]:
        if asked and not asked.isdigit():
            raise Refused(400, "Field validation failed: error converting input for field version")
        number = int(asked or 0) or entry["current_version"]
        about = self._about(entry, number)
        if self._gone(about):
            raise Refused(404, data={"data": None, "metadata": about})
        planted = {"password": f"{self._canary}-value-of-{name}"}
        return {"data": self._values.get((name, number), planted), "metadata": about}

    def write(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(body.get("data"), dict):
            raise _NO_DATA
        entry = self._entries.get(name) or self._empty()
        self._check_and_set(entry, body)
        return self._add(name, entry, body["data"])

    def patch(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(body.get("data"), dict):
            raise _NO_DATA
        if name not in self._entries:
            raise EMPTY
        entry = self._entries[name]
        self._check_and_set(entry, body)
        about = self._about(entry, entry["current_version"])
        if self._gone(about):
            raise Refused(404, data=about)
        before = self._values.get((name, entry["current_version"]), {})
        return self._add(name, entry, merged(before, body["data"]))

    def delete_latest(self, name: str) -> None:
        if name in self._entries:
            self._delete(self._entries[name], [self._entries[name]["current_version"]])

    def delete(self, name: str, body: Mapping[str, Any]) -> None:
        self._delete(self._entries.get(name, {}), _numbers(body))

    def undelete(self, name: str, body: Mapping[str, Any]) -> None:
        for version in _chosen(self._entries.get(name, {}), _numbers(body)):
            if not version["destroyed"]:
                version["deletion_time"] = self._ends(self._entries[name])

    def destroy(self, name: str, body: Mapping[str, Any]) -> None:
        numbers = _numbers(body)
        for version in _chosen(self._entries.get(name, {}), numbers):
            version["destroyed"] = True
        for number in numbers:
            self._values.pop((name, number), None)

    def write_metadata(self, name: str, body: Mapping[str, Any]) -> None:
        changes = _changes(body)
        if not changes:
            return
        if "custom_metadata" in changes:
            changes["custom_metadata"] = _checked(changes["custom_metadata"] or {})
        self._entries[name] = {**(self._entries.get(name) or self._empty()), **changes}

    def patch_metadata(self, name: str, body: Mapping[str, Any]) -> None:
        changes = _changes(body)
        given = changes.get("custom_metadata")
        if given is not None:
            kept = _checked({key: value for key, value in given.items() if value is not None})
            changes["custom_metadata"] = {**given, **kept}
        if name not in self._entries:
            raise EMPTY
        settings = merged({field: self._entries[name][field] for field in _SETTINGS}, changes)
        self._entries[name] = {**self._entries[name], **_SETTINGS, **settings}

    def delete_metadata(self, name: str) -> None:
        entry = self._entries.pop(name, {"versions": {}})
        for number in entry["versions"]:
            self._values.pop((name, int(number)), None)

    def _check_and_set(self, entry: Entry, body: Mapping[str, Any]) -> None:
        wanted = (body.get("options") or {}).get("cas")
        if wanted is None:
            if self.cas_required or entry["cas_required"]:
                raise _REQUIRED
        elif int(wanted) != entry["current_version"]:
            raise _MISMATCH

    def _add(self, name: str, entry: Entry, value: dict[str, Any]) -> dict[str, Any]:
        now, number = stamp(self._clock()), entry["current_version"] + 1
        version = {"created_time": now, "deletion_time": self._ends(entry), "destroyed": False}
        versions, oldest = {**entry["versions"], str(number): version}, entry["oldest_version"]
        kept = max(entry["max_versions"], self.max_versions) or KEPT
        if number - oldest >= kept:
            for gone in range(oldest, number - kept + 1):
                versions.pop(str(gone), None)
                self._values.pop((name, gone), None)
            oldest = number - kept + 1
        self._values[name, number] = value
        self._entries[name] = {
            **entry,
            "created_time": entry["created_time"] or now,
            "updated_time": now,
            "current_version": number,
            "oldest_version": oldest,
            "versions": versions,
        }
        return self._about(self._entries[name], number)

    def _ends(self, entry: Entry) -> str:
        lasts = seconds(entry["delete_version_after"])
        return stamp(self._clock() + lasts * SECOND) if lasts else ""

    def _delete(self, entry: Entry, numbers: list[int]) -> None:
        for version in _chosen(entry, numbers):
            if not self._gone(version):
                version["deletion_time"] = stamp(self._clock())

    def _gone(self, version: Mapping[str, Any]) -> bool:
        ends = version["deletion_time"]
        return bool(version["destroyed"] or (ends and instant(ends) <= self._clock()))

    def _about(self, entry: Entry, number: int) -> dict[str, Any]:
        if str(number) not in entry["versions"]:
            raise EMPTY
        version = entry["versions"][str(number)]
        return {**version, "version": number, "custom_metadata": entry["custom_metadata"]}

    def _empty(self) -> Entry:
        now = stamp(self._clock())
        return {
            **_SETTINGS,
            "created_time": now,
            "current_version": 0,
            "oldest_version": 0,
            "updated_time": now,
            "versions": {},
        }


def merged(before: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    whole = dict(before) if isinstance(before, dict) else {}
    for key, value in patch.items():
        whole[key] = None if value is None else merged(whole.get(key), value)
    return {key: value for key, value in whole.items() if key not in patch or patch[key] is not None}


def _chosen(entry: Entry, numbers: list[int]) -> list[dict[str, Any]]:
    """Give the versions of these numbers; numbers without one are passed over."""
    versions = entry.get("versions", {})
    return [versions[str(number)] for number in numbers if str(number) in versions]


def _numbers(body: Mapping[str, Any]) -> list[int]:
    given = body.get("versions") or []
    numbers = [int(each) for each in (given.split(",") if isinstance(given, str) else given)]
    if not numbers:
        raise _NO_VERSION
    return numbers


def _changes(body: Mapping[str, Any]) -> dict[str, Any]:
    changes = {field: body[field] for field in _SETTINGS if field in body}
    if "delete_version_after" in changes:
        lasts = seconds(changes["delete_version_after"])
        if lasts is None:
            raise _DURATION
        changes["delete_version_after"] = duration(lasts)
    return changes


def _checked(given: Mapping[str, Any]) -> dict[str, str]:
    """Check custom metadata as the server does: what is given, not what it adds up to."""
    texts = {key: _text(value) for key, value in given.items()}
    wrong = len(texts) > MOST_KEYS or any(
        not 0 < len(key.encode()) <= LONGEST_KEY
        or not 0 < len(value.encode()) <= LONGEST_VALUE
        or not (key + value).isprintable()
        for key, value in texts.items()
    )
    if wrong:
        raise Refused(400, "1 error occurred:\n\t* custom_metadata validation failed\n\n")
    return texts


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise Refused(400, "custom_metadata validation failed: expected type 'string'")
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)

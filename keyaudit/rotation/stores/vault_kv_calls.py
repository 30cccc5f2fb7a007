"""What Vault's KV is asked about one secret that rotates: its entry, the note, and what is staged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import model_validator

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.vault import Answer, VaultAccess, VaultDoor
from keyaudit.rotation.party import Means, StoreSettings
from keyaudit.rotation.secret import Secret
from keyaudit.sources.vault.rotated import NOTE_OF, STAGING_OF
from keyaudit.sources.vault.settings import Path_

STAGED = "staged-"
"""Begins the versions that are in `staging/pending`, and not yet in `path`."""

Data = Mapping[str, Any]


class VaultKvSettings(StoreSettings, VaultAccess):
    """Checked settings of one secret."""

    mount: Path_ = "secret"
    path: Path_
    field: str | None = None
    staging: Path_ | None = None
    old_versions: Literal["destroy", "delete", "keep"] = "destroy"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.field is None) is (not self.fields):
            raise ValueError("say which field is the value: `field: api_key`, or `fields` for several")
        if self.staging == self.path:
            raise ValueError("`staging` is where values are that no application may read yet")
        return self


class KvEntry:
    """One secret in KV, and the folder beside it. Raises RotationError where it is refused."""

    def __init__(self, settings: VaultKvSettings, means: Means) -> None:
        """Ask nothing yet."""
        self._settings = settings
        staging = settings.staging or f"{settings.path}.keyaudit"
        self._note, self._pending = f"{staging}/note", f"{staging}/pending"
        self.calls = self._calls()
        every = {call for calls in self.calls.values() for call in calls}
        self._door = VaultDoor(settings, means, sorted(every), settings.timeout)

    def _calls(self) -> Mapping[str, tuple[str, ...]]:
        entry, note, pending = self._settings.path, self._note, self._pending
        read = (self._call("read", "data", entry), self._call("read", "data", pending))
        look = (self._call("read", "metadata", entry), self._call("read", "data", note), *read)
        ends = () if self._settings.old_versions == "keep" else (self._settings.old_versions,)
        change = (
            *look,
            self._call("update", "data", note),
            self._call("read", "metadata", pending),
            self._call("update", "destroy", pending),
            self._call("patch", "metadata", entry),
            *(self._call("update", end, entry) for end in ends),
        )
        first = tuple(self._call("update", "metadata", each) for each in (note, pending))
        return {
            "look": look,
            "read": read,
            "stage": (*change, *first, self._call("update", "data", pending)),
            "void": (*change, *first),
            "decide": change,
            "promote": (*change, self._call("update", "data", entry)),
            "restore": (*change, self._call("update", "data", entry)),
            "drop": change,
        }

    def _call(self, capability: str, kind: str, path: str) -> str:
        return f"{capability} {self._settings.mount}/{kind}/{path}"

    def about(self) -> Data:
        """Give the metadata of the entry; nothing for one that is not there."""
        return self._door.ask(self._call("read", "metadata", self._settings.path)).data

    def staged_versions(self) -> tuple[str, ...]:
        """Name what is staged and not destroyed, the oldest first."""
        about = self._door.ask(self._call("read", "metadata", self._pending)).data
        live = [number for number, each in about.get("versions", {}).items() if not each["destroyed"]]
        return tuple(f"{STAGED}{number}" for number in sorted(live, key=int))

    def write(self, data: Data, cas: int) -> Data | None:
        """Write the next version of the entry; None if another is the newest by now."""
        body = {"data": dict(data), "options": {"cas": cas}}
        answer = self._door.ask(self._call("update", "data", self._settings.path), body)
        return answer.data if answer.status == 200 else None

    def write_note(self, text: str, cas: int) -> bool:
        """Replace the note; False if it is another by now."""
        if cas == 0:
            of = self._settings.path
            for path, about in (
                (self._note, {"custom_metadata": {NOTE_OF: of}, "cas_required": True}),
                (self._pending, {"custom_metadata": {STAGING_OF: of}}),
            ):
                self._door.ask(self._call("update", "metadata", path), about)
        body = {"data": {"note": text}, "options": {"cas": cas}}
        return self._door.ask(self._call("update", "data", self._note), body).status == 200

    def end(self, versions: list[int]) -> None:
        """Take versions of the entry out of reach, as the settings say."""
        how = self._settings.old_versions
        if versions and how != "keep":
            self._door.ask(self._call("update", how, self._settings.path), {"versions": versions})

    def note(self) -> Answer:
        """Give the note as it is kept; a status of 404 where there is none yet."""
        answer = self._door.ask(self._call("read", "data", self._note))
        if answer.status == 404 and answer.data:
            raise RotationError(
                f"the note {self._settings.mount}/{self._note} was deleted", hint="undelete its last version"
            )
        return answer

    def data(self, version: str) -> Data:
        """Give the fields of a version."""
        found = self.kept(version)
        if found is None:
            raise RotationError(
                f"version {version} of {self._settings.path} is deleted, or not kept any more"
            )
        return found

    def kept(self, version: str) -> Data | None:
        """Give the fields of a version, None if they are not there any more."""
        staged = version.startswith(STAGED)
        call = self._call("read", "data", self._pending if staged else self._settings.path)
        found = self._door.ask(call, version=version.removeprefix(STAGED)).data.get("data")
        return found if isinstance(found, dict) else None

    def text(self, data: Data) -> Secret:
        """Give the value among the fields, or all of them where the value is several."""
        if self._settings.field is None:
            return Secret(json.dumps(data))
        found = data.get(self._settings.field)
        if not isinstance(found, str):
            raise RotationError(f"{self._settings.path} has no field {self._settings.field!r} that is text")
        return Secret(found)

    def stage(self, data: Data) -> str:
        """Put fields where no application reads; gives the version."""
        answer = self._door.ask(self._call("update", "data", self._pending), {"data": data})
        if answer.status != 200:
            raise RotationError("Vault: the answer could not be read")
        return f"{STAGED}{answer.data['version']}"

    def unstage(self, *versions: str) -> None:
        """Destroy what was staged."""
        if versions:
            numbers = [int(each.removeprefix(STAGED)) for each in versions]
            self._door.ask(self._call("update", "destroy", self._pending), {"versions": numbers})

    def label(self, labels: Mapping[str, str | None]) -> None:
        """Change labels and leave the others alone, as hvac cannot: a POST would replace them all."""
        call = self._call("patch", "metadata", self._settings.path)
        self._door.ask(call, {"custom_metadata": dict(labels)})

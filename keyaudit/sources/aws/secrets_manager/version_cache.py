"""What version lists said last time, so that a warm pull asks only about what changed.

One file an account and region, keyed by ARN. An answer is used again while nothing that it says
can have changed:

* `LastChangedDate` and the staging labels are those of the list now. Any new value, label or
  edit moves them. Within `SETTLING` of a change nothing is kept, because the list may lag
  behind the secret by five minutes.
* The secret has not been read since, or has only one version (whose last use is the secret's
  own). Reads are known to the day: an answer given on the very day of the last read serves until
  that day ends (UTC) and is asked for once more.

Only ids, labels and dates are kept: values are never fetched. A file that cannot be read is
ignored, rebuilt, and said.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from keyaudit.files import read_own, write_atomically
from keyaudit.sources.aws.json_lists import instant
from keyaudit.sources.aws.secrets_manager.entries import Secret, SecretVersion
from keyaudit.sources.pulling.decoding import MALFORMED
from keyaudit.times import DAY, HOUR, MINUTE

SCHEMA = "keyaudit/aws-version-cache/1"
SETTLING = 10 * MINUTE
CHECKPOINT = 500
"""Answers that a killed pull may have to ask for again, at least."""


class _Answer(msgspec.Struct, frozen=True, gc=False):
    changed: int
    accessed: int | None
    asked: int
    stages: dict[str, list[str]]
    versions: list[SecretVersion]


class _File(msgspec.Struct, frozen=True):
    schema: str
    answers: dict[str, _Answer]


class VersionCache:
    """Answers of one account and region; `note` says if the old file was of no use."""

    def __init__(self, path: Path | None, *, now: int, version_use: bool) -> None:
        """Read the file if there is one. Without `path` nothing is remembered."""
        self._path = path
        self._now = now
        self._version_use = version_use
        self.note: str | None = None
        self._old: dict[str, _Answer] = {}
        self._new: dict[str, _Answer] = {}
        self._unsaved = 0
        if path is not None:
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            content = msgspec.json.decode(read_own(path), type=_File)
        except FileNotFoundError:
            return
        except (OSError, *MALFORMED):
            self.note = "the version cache could not be read and was rebuilt"
            return
        if content.schema == SCHEMA:
            self._old = content.answers

    def recall(self, secret: Secret) -> list[SecretVersion] | None:
        """Give the versions of a secret if they are sure to be what AWS would answer now."""
        answer = self._old.get(secret.arn)
        if (
            answer is None
            or answer.changed != instant(secret.last_changed)
            or answer.stages != _labels(secret)
        ):
            return None
        accessed = instant(secret.last_accessed)
        if len(answer.versions) == 1:
            versions = [msgspec.structs.replace(answer.versions[0], last_accessed=secret.last_accessed)]
        elif self._version_use and not self._unread_since(answer, accessed):
            return None
        else:
            versions = answer.versions
        self._new[secret.arn] = answer
        return versions

    def _unread_since(self, answer: _Answer, accessed: int | None) -> bool:
        if accessed != answer.accessed:
            return False
        if accessed is None:
            return True
        asked_later = answer.asked >= accessed + DAY + HOUR
        return asked_later or answer.asked // DAY == self._now // DAY

    def keep(self, secret: Secret, versions: list[SecretVersion]) -> None:
        """Remember an answer, unless the secret changed too recently to trust the list about it."""
        changed = instant(secret.last_changed)
        if changed is None or self._now - changed < SETTLING:
            return
        accessed = instant(secret.last_accessed)
        self._unsaved += 1
        self._new[secret.arn] = _Answer(changed, accessed, self._now, _labels(secret), versions)

    def checkpoint(self) -> None:
        """Write now and then, so that a pull that is killed resumes where it stopped."""
        if self._unsaved >= max(CHECKPOINT, len(self._new) // 10):
            self.save(listed=None)

    def save(self, *, listed: Iterable[str] | None) -> None:
        """Write what is known: of the secrets `listed`, or of all if the list was not finished.

        A folder that cannot be written costs only the next pull's time, and is noted.
        """
        if self._path is None:
            return
        self._unsaved = 0
        kept = {**self._old, **self._new}
        if listed is not None:
            still = set(listed)
            kept = {arn: answer for arn, answer in kept.items() if arn in still}
        if kept == self._old:
            return
        content = msgspec.json.encode(_File(SCHEMA, kept), order="sorted")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._path, content, mode=0o600)
        except OSError:
            self.note = "the version cache could not be written"


def _labels(secret: Secret) -> dict[str, list[str]]:
    return {version: sorted(labels) for version, labels in sorted((secret.stages or {}).items())}

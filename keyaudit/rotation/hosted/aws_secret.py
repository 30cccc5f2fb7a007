"""A secret that AWS rotates by itself, and what the labels of its versions say.

    AWSCURRENT, AWSPREVIOUS, AWSPENDING   AWS's own; AWSPENDING is on a version that may be empty still
    keyaudit-key-KEY        on a version: which of the provider's keys its value is, until that is retired
    keyaudit-base-KEY       on a version: the key of the one before it (left by `keyaudit rotate`)
    keyaudit-minting-TOKEN  on any version: a key named by TOKEN was asked for, and may exist

The first is attached in the very call that stores a value, so a version without it holds no value of
ours. AWS deprecates no version that has a label: none is lost before its key is retired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.aws import call, instant
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.stores.aws_secret_calls import PUT, RemoteSecret
from keyaudit.rotation.stores.aws_secret_labels import BASE, CURRENT, KEY, PENDING, PREVIOUS
from keyaudit.rotation.stores.protocol import LostRaceError

MINTING = "keyaudit-minting-"
_MILLISECOND = 1000
"""How exactly AWS gives times."""

_REFUSED = (
    "AccessDeniedException",
    "DecryptionFailure",
    "EncryptionFailure",
    "InvalidParameterException",
    "InvalidRequestException",
    "LimitExceededException",
    "ResourceNotFoundException",
    "ThrottlingException",
    "ValidationException",
)
"""Codes after which it is certain that nothing was stored."""


class NotStoredError(RotationError):
    """AWS refused to store a value: it is certain that it did not."""


@dataclass(frozen=True)
class Seen:
    """What DescribeSecret says. `at` maps a label to its version; `changed` is never too early."""

    arn: str
    at: Mapping[str, str]
    changed: int | None
    rotates: bool

    @property
    def current(self) -> str | None:
        """The version that applications are given."""
        return self.at.get(CURRENT)

    @property
    def pending(self) -> str | None:
        """The version of the rotation under way; None once it took over."""
        found = self.at.get(PENDING)
        return None if found == self.current else found

    @property
    def keys(self) -> Mapping[str, str]:
        """The keys that labels name, each with its version."""
        found = {label.removeprefix(KEY): on for label, on in self.at.items() if label.startswith(KEY)}
        previous = self.at.get(PREVIOUS)
        if previous is not None and previous not in found.values():
            for label, on in self.at.items():
                if label.startswith(BASE) and on == self.current:
                    found.setdefault(label.removeprefix(BASE), previous)
        return found

    def key_on(self, version: str | None) -> str | None:
        """Give the key that a version is."""
        return next((key for key, on in sorted(self.keys.items()) if on == version), None)

    @property
    def old(self) -> tuple[str, ...]:
        """Versions whose key is to be retired: what was in use last comes first."""
        kept = {self.current, self.pending}
        found = {on for on in self.keys.values() if on not in kept}
        return tuple(sorted(found, key=lambda on: (on != self.at.get(PREVIOUS), on)))

    @property
    def minting(self) -> Mapping[str, str]:
        """Tokens under which a key was asked for, each with the version that its label is on."""
        return {label.removeprefix(MINTING): on for label, on in self.at.items() if label.startswith(MINTING)}


class LambdaSecret(RemoteSecret):
    """Such a secret; each call by its name in IAM, as the class that it extends."""

    def seen(self) -> Seen:
        """Look; reads no value."""
        answer = self._describe()
        at = {label: version for version, on in answer.get("VersionIdsToStages", {}).items() for label in on}
        changed = instant(answer.get("LastChangedDate"))
        # AWS cuts times to the millisecond: the next one is not earlier than the truth.
        since = None if changed is None else changed + _MILLISECOND
        return Seen(str(answer["ARN"]), at, since, bool(answer.get("RotationEnabled")))

    def put_pending(self, token: str, value: Secret, key_id: str, rotation_token: str | None) -> None:
        """Store the value of a rotation under way.

        Raises LostRaceError where it has another value already, NotStoredError where AWS refuses.
        """
        refused = {code: _refused(code) for code in _REFUSED}
        proof = {} if rotation_token is None else {"RotationToken": rotation_token}
        call(
            PUT,
            self._changing.put_secret_value,
            {**refused, "ResourceExistsException": LostRaceError},
            SecretId=self._name,
            ClientRequestToken=token,
            SecretString=value.reveal(),
            VersionStages=[PENDING, KEY + key_id],
            **proof,
        )

    def name_key(self, seen: Seen, version: str, key_id: str) -> None:
        """Attach the label that says which key a version is."""
        if seen.at.get(KEY + key_id) != version:
            self.move(KEY + key_id, to=version, source=seen.at.get(KEY + key_id))

    def take_off(self, seen: Seen, *labels: str) -> None:
        """Take labels off, each from where it was seen; one that is gone is fine."""
        for label in labels:
            if (holder := seen.at.get(label)) is not None:
                try:
                    self.move(label, source=holder)
                except LostRaceError:
                    continue


def _refused(code: str) -> partial[NotStoredError]:
    hint = "may this function's role store a value, and use the secret's KMS key?"
    return partial(NotStoredError, f"{PUT}: {code}; nothing was stored", hint=hint)

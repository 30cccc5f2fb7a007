"""A secret of AWS Secrets Manager: versions beside each other, and labels that are moved by compare-and-swap.

    store:
      kind: aws-secrets-manager
      secret: prod/openai             # name or ARN; needed
      fields: {key: OPENAI_API_KEY}   # part → field of a JSON object; without it the whole text
      tags: true                      # tell the audit which key the secret holds: `keyaudit:key_id`
      timeout: 30s                    # for one answer
      profile: rotation               # these five as `doors.aws` says
      region: eu-west-1               # that of an ARN, if the secret is named by one
      role: arn:aws:iam::111122223333:role/keyaudit-rotate
      external_id: acme-rotate
      endpoint_url: http://127.0.0.1:5000

What the labels mean is in `aws_secret_labels`. No value is read to look. A value that is taken back is
stored once more (`sources.aws.secrets_manager.restored`), so AWSCURRENT never returns to a version
that it left. Nothing is written while a key drains, or `LastChangedDate`, from which the time counts,
would move. A secret that AWS, or a service, rotates by itself is left alone.

Sources: the API reference of PutSecretValue (the token is the version's id; the same token with
another value is refused) and UpdateSecretVersionStage.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.aws import AwsAccess
from keyaudit.rotation.party import Means, StoreSettings
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Place, Question, Shed, Shelf
from keyaudit.rotation.stores.aws_secret_calls import DESCRIBE, GET, LIST, MOVE, PUT, TAG, RemoteSecret
from keyaudit.rotation.stores.aws_secret_labels import (
    BASE,
    CURRENT,
    KEY,
    MOST_LABEL,
    PENDING,
    PREVIOUS,
    Labels,
    decision,
)
from keyaudit.rotation.stores.protocol import Credential, LostRaceError
from keyaudit.sources.aws.secrets_manager.given_up import CLOSED
from keyaudit.sources.aws.secrets_manager.restored import restored_id, value_created_at

_VOID = "keyaudit: nothing was stored under this token"
_RESTORED = "keyaudit-restored"
_LOOK = (DESCRIBE, LIST)


class AwsSecretSettings(StoreSettings, AwsAccess):
    """Checked settings of one secret."""

    kind: Literal["aws-secrets-manager"]
    secret: Annotated[str, Field(min_length=1, max_length=2048)]
    tags: bool = True


class AwsSecret:
    """The store that `kind: aws-secrets-manager` configures; methods as `protocol.Store` says."""

    kind = "aws-secrets-manager"
    Settings = AwsSecretSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "look": _LOOK,
        "read": (GET,),
        "stage": (*_LOOK, PUT),
        "void": (*_LOOK, PUT),
        "decide": (*_LOOK, MOVE),
        "promote": (*_LOOK, MOVE, TAG),
        "restore": (*_LOOK, GET, PUT, MOVE, TAG),
        "drop": (*_LOOK, MOVE),
    }

    def __init__(self, settings: AwsSecretSettings) -> None:
        """Nothing is asked yet."""
        self._secret = RemoteSecret(settings.secret, settings, settings.timeout)
        self._tags = settings.tags

    @classmethod
    def opened(cls, settings: AwsSecretSettings, means: Means) -> Self:
        """Open a secret; needs nothing of the environment but what botocore reads."""
        del means
        return cls(settings)

    @property
    def credential(self) -> Credential:
        """Name the secret as the audit does; asks AWS the first time."""
        return self._secret.credential

    def look(self) -> Shelf:
        """Show the places; reads no value."""
        return self._secret.labels().shelf()

    def read(self, version: str) -> Secret:
        """Give a version's text; raises RotationError where it is none."""
        return self._secret.read(version)

    def stage(self, token: str, value: Secret, key_id: str, *, base: Place) -> None:
        """Put the value as a new version whose id is the token: AWS takes one value for an id, for good."""
        seen = self._secret.labels()
        shelf = seen.shelf()
        if any((place.token, place.key_id) == (token, key_id) for place in shelf.places):
            return
        if token != seen.token or seen.under_way or seen.current != base.version or shelf.foreign:
            raise LostRaceError
        labels = [PENDING, _label(KEY, key_id)]
        if base.key_id is not None and seen.key_on(base.version) is None:
            labels.append(_label(BASE, base.key_id))
        self._secret.put(token, value, labels)

    def void(self, token: str) -> None:
        """Take the id of the token for a value that says that there is none."""
        seen = self._secret.labels()
        if token in seen.spent:
            return
        if token != seen.token or seen.under_way or seen.current is None:
            raise LostRaceError
        self._secret.put(token, Secret(_VOID), [CLOSED])

    def decide(self, token: str, question: Question, answer: bool) -> bool:  # noqa: FBT001  # the protocol's
        """Attach the label that settles it, which only the first can."""
        seen = self._under_way(token)
        held = seen.decided(question)
        if held is not None:
            return held
        other = seen.previous if seen.promoted else seen.current
        if other is None or (question == "final" and not seen.promoted):
            raise LostRaceError
        with suppress(LostRaceError):  # then somebody was faster
            self._secret.move(decision(question, token), to=token if answer else other)
        # Looked at again: another's answer may hold, or the rotation have ended in between.
        held = self._under_way(token).decided(question)
        if held is None:
            raise LostRaceError
        return held

    def promote(self, token: str) -> None:
        """Move AWSCURRENT from the version that it is on; AWSPREVIOUS follows by itself."""
        seen = self._under_way(token)
        if seen.promoted:
            return
        if seen.pending is None or seen.overtaken or not seen.decided("forward"):
            raise LostRaceError
        shelf = seen.shelf()
        self._secret.move(CURRENT, to=token, source=seen.current)
        if seen.at.get(PENDING) == token:
            self._secret.move(PENDING, source=token)
        self._tag(shelf.pending, shelf.current)

    def restore(self, token: str) -> None:
        """Store the old value as a version of its own, and move AWSCURRENT there."""
        seen = self._under_way(token)
        if seen.restored:
            return
        if not seen.promoted or seen.previous is None or seen.decided("final") is not False:
            raise LostRaceError
        shelf, old = seen.shelf(), seen.previous
        key_id = None if shelf.previous is None else shelf.previous.key_id
        copy = restored_id(token, value_created_at(old, seen.versions.get(old)))
        self._secret.put(copy, self.read(old), [_label(KEY, key_id) if key_id else _RESTORED])
        self._secret.move(CURRENT, to=copy, source=token)
        self._tag(shelf.previous, shelf.current)

    def drop(self, place: Shed, token: str) -> None:
        """Take off AWS's label, and ours: such a version is deprecated, and AWS deletes it in time.

        The closing label comes before and the key's after, so that at every moment the version is
        either on the shelf or known to be given up.
        """
        seen = self._under_way(token)
        if place == "pending" and seen.pending and (seen.overtaken or seen.decided("forward") is False):
            unwanted, label = seen.pending, PENDING
        elif place == "previous" and seen.previous and (seen.restored or seen.decided("final")):
            unwanted, label = seen.previous, PREVIOUS
        else:
            raise LostRaceError
        for old, holder in list(seen.leftover()):
            self._secret.move(old, source=holder)
        if (place == "previous" or not seen.overtaken) and seen.at.get(CLOSED) != unwanted:
            self._secret.move(CLOSED, to=unwanted, source=seen.at.get(CLOSED))
        if place == "pending" and (base := seen.shelf().current) is not None:
            self._keep_name(seen, base.version, base.key_id)
        if place == "previous" and seen.at.get(PENDING) == token:  # the end of a promotion that was cut off
            self._secret.move(PENDING, source=token)
        if seen.at.get(label) == unwanted:
            self._secret.move(label, source=unwanted)
        for key in seen.labels_on(unwanted, KEY):
            self._secret.move(KEY + key, source=unwanted)

    def _keep_name(self, seen: Labels, version: str, key_id: str | None) -> None:
        """Write on the version in use which key it is, which only the label of the dropped one said."""
        if key_id is not None and seen.key_on(version) is None:
            self._secret.move(_label(KEY, key_id), to=version, source=seen.at.get(KEY + key_id))

    def _under_way(self, token: str) -> Labels:
        seen = self._secret.labels()
        if seen.under_way != token:
            raise LostRaceError
        return seen

    def _tag(self, new: Place | None, old: Place | None) -> None:
        """Tell the audit which key it is; that is no part of the rotation.

        A refusal leaves the audit without that link, or with the old one, and the rotation as it is.
        """
        if not self._tags or new is None or new.key_id is None:
            return
        with suppress(RotationError):
            self._secret.tag(new.key_id, None if old is None else old.key_id)


def _label(prefix: str, key_id: str) -> str:
    label = prefix + key_id
    if len(label) > MOST_LABEL:
        raise RotationError(f"the key's id is too long for a label: {len(key_id)} characters")
    return label

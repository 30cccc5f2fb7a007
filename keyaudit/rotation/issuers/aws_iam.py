"""Access keys of an IAM user: two at most, made and deleted by the API.

    issuer:
      kind: aws-iam
      user: deployer                  # whose keys they are; needed
      timeout: 30s                    # for one answer
      profile: rotation               # these five as `doors.aws` says
      region: us-east-1
      role: arn:aws:iam::111122223333:role/keyaudit-rotate
      external_id: acme-rotate
      endpoint_url: http://127.0.0.1:5000

Parts: `access_key_id`, `secret_access_key`; so the store needs `fields` for both. Keys have no names:
one that a dead run left behind is found by the record and by its date, and a human says what it is.

A key is deleted in one call. Deactivating it first would leave, after a crash in between, a key that
nobody deletes and that takes one of the two slots.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from keyaudit.errors import RotationError, SlotsFullError
from keyaudit.rotation.doors.aws import Aws, AwsAccess, call, field, instant
from keyaudit.rotation.issuers.protocol import Minted
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Key

_LIST, _CREATE, _DELETE = "iam:ListAccessKeys", "iam:CreateAccessKey", "iam:DeleteAccessKey"


class AwsIamSettings(PartySettings, AwsAccess):
    """Checked settings of one user's keys."""

    kind: Literal["aws-iam"]
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+=,.@-]{1,64}$")]


class _Full(Exception):
    pass


class AwsAccessKeys:
    """The issuer that `kind: aws-iam` configures; methods as `protocol.Issuer` says."""

    kind = "aws-iam"
    whole = "secret_access_key"
    names_keys = False
    Settings = AwsIamSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "keys": (_LIST,),
        "mint": (_CREATE, _LIST),
        "revoke": (_DELETE,),
        "recognise": (),
    }

    def __init__(self, settings: AwsIamSettings) -> None:
        """Nothing is asked yet."""
        self._user = settings.user
        self._aws = Aws(settings, settings.timeout)

    @classmethod
    def opened(cls, settings: AwsIamSettings, means: Means) -> Self:
        """Open a user's keys; needs nothing of the environment but what botocore reads."""
        del means
        return cls(settings)

    def keys(self) -> tuple[Key, ...]:
        """List both; what is not `Active` does not work (`Inactive`, `Expired`)."""
        return tuple(
            Key(
                str(field(_LIST, each, "AccessKeyId")),
                active=each.get("Status") == "Active",
                created_at=instant(each.get("CreateDate")),
            )
            for each in self._listed()
        )

    def mint(self, token: str, in_use: AbstractSet[str]) -> Minted:
        """Make a key. Asked once: a lost answer leaves a key that the next run finds."""
        del token
        create = self._aws.changing("iam").create_access_key
        try:
            answer = call(_CREATE, create, {"LimitExceeded": _Full}, UserName=self._user)
        except _Full:
            pass
        else:
            made: Mapping[str, Any] = field(_CREATE, answer, "AccessKey")
            parts = {
                "access_key_id": str(field(_CREATE, made, "AccessKeyId")),
                "secret_access_key": str(field(_CREATE, made, "SecretAccessKey")),
            }
            return Minted(parts["access_key_id"], parts, instant(made.get("CreateDate")))
        raise self._slots_full(in_use)

    def revoke(self, key_id: str) -> None:
        """Delete a key; none of that id, or no such user, is success."""
        delete = self._aws.changing("iam").delete_access_key
        try:
            call(_DELETE, delete, {"NoSuchEntity": _Gone}, UserName=self._user, AccessKeyId=key_id)
        except _Gone:
            return

    def recognise(self, parts: Parts, keys: tuple[Key, ...] | None) -> str | None:
        """Tell by the key's own id, which is part of the value."""
        found = parts.get("access_key_id")
        return found if any(key.id == found for key in keys or ()) else None

    def _listed(self) -> Iterator[Mapping[str, Any]]:
        more: dict[str, str] = {}
        gone = partial(RotationError, f"there is no IAM user {self._user}", hint="issuer.user")
        while True:
            listing = self._aws.reading("iam").list_access_keys
            page = call(_LIST, listing, {"NoSuchEntity": gone}, UserName=self._user, **more)
            yield from field(_LIST, page, "AccessKeyMetadata")
            if not page.get("IsTruncated"):
                return
            more = {"Marker": str(field(_LIST, page, "Marker"))}

    def _slots_full(self, in_use: AbstractSet[str]) -> SlotsFullError:
        said, free = [], []
        for key in self.keys():
            if key.id not in in_use:
                free.append(key.id)
            state = "in use here" if key.id in in_use else "active" if key.active else "inactive"
            said.append(f"{key.id} ({state})")
        delete = f"aws iam delete-access-key --user-name {self._user} --access-key-id"
        return SlotsFullError(
            f"user {self._user} has two access keys already: {', '.join(said)}",
            hint="find out who uses the other one, then: "
            + " or ".join(f"{delete} {key_id}" for key_id in free or ["KEY"]),
        )


class _Gone(Exception):
    pass

"""A CloudTrail event, decoded into just the fields that say which credential and which version it is about.

Values have no field here. Field names: the request and answer of each operation in its API reference,
as CloudTrail spells them; `aRN` is what Secrets Manager's answers were called before February 2024.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

import msgspec

from keyaudit.history.events import Told
from keyaudit.history.logs.happening import Happening, Subject
from keyaudit.times import parse_instant

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]


class Asked(msgspec.Struct, frozen=True):
    """`requestParameters`, of all operations that are read."""

    secret: str | None = msgspec.field(name="secretId", default=None)
    name: str | None = None
    token: str | None = msgspec.field(name="clientRequestToken", default=None)
    stages: list[str] | None = msgspec.field(name="versionStages", default=None)
    stage: str | None = msgspec.field(name="versionStage", default=None)
    moved_to: str | None = msgspec.field(name="moveToVersionId", default=None)
    removed_from: str | None = msgspec.field(name="removeFromVersionId", default=None)
    user: str | None = msgspec.field(name="userName", default=None)
    access_key: str | None = msgspec.field(name="accessKeyId", default=None)
    status: str | None = None
    key: str | None = msgspec.field(name="keyId", default=None)
    names: list[str] | None = None
    type: str | None = None


class AccessKey(msgspec.Struct, frozen=True):
    """The key that was made; IAM answers with its secret too, which CloudTrail leaves out."""

    id: str | None = msgspec.field(name="accessKeyId", default=None)
    user: str | None = msgspec.field(name="userName", default=None)


class Answered(msgspec.Struct, frozen=True):
    """`responseElements`, of all operations that are read."""

    arn: str | None = None
    arn_capital: str | None = msgspec.field(name="ARN", default=None)
    arn_old: str | None = msgspec.field(name="aRN", default=None)
    version_id: str | None = msgspec.field(name="versionId", default=None)
    version: int | None = None
    access_key: AccessKey | None = msgspec.field(name="accessKey", default=None)
    key: str | None = msgspec.field(name="keyId", default=None)


class Named(msgspec.Struct, frozen=True):
    """What service events say of the secret they are about."""

    secret: str | None = msgspec.field(name="SecretId", default=None)
    secret_too: str | None = msgspec.field(name="secretId", default=None)


class Resource(msgspec.Struct, frozen=True):
    """A resource that the event was about."""

    arn: str | None = msgspec.field(name="ARN", default=None)


class Caller(msgspec.Struct, frozen=True):
    """Who called: some operations are about the caller where they name nobody."""

    type: str | None = None
    name: str | None = msgspec.field(name="userName", default=None)
    account: str | None = msgspec.field(name="accountId", default=None)


class Call(msgspec.Struct, frozen=True, dict=True):
    """One event."""

    id: Text = msgspec.field(name="eventID")
    time: Text = msgspec.field(name="eventTime")
    region: Text = msgspec.field(name="awsRegion")
    recipient: Text | None = msgspec.field(name="recipientAccountId", default=None)
    request: str | None = msgspec.field(name="requestID", default=None)
    caller: Caller | None = msgspec.field(name="userIdentity", default=None)
    asked_raw: Asked | None = msgspec.field(name="requestParameters", default=None)
    answered_raw: Answered | None = msgspec.field(name="responseElements", default=None)
    additional: Named | None = msgspec.field(name="additionalEventData", default=None)
    details: Named | None = msgspec.field(name="serviceEventDetails", default=None)
    resources: list[Resource] | None = None

    @cached_property
    def asked(self) -> Asked:
        """The request; nothing in it where there was none."""
        return self.asked_raw or Asked()

    @cached_property
    def answered(self) -> Answered:
        """The answer; nothing in it where CloudTrail has none."""
        return self.answered_raw or Answered()

    @cached_property
    def at(self) -> int:
        """When, in microseconds; raises ValueError for a time that is none."""
        return parse_instant(self.time)

    @property
    def account(self) -> str:
        """Whose trail has the event; before event version 1.02 only the caller's account is said."""
        return self.recipient or (self.caller and self.caller.account) or ""

    @property
    def place(self) -> str:
        """Account and region, as the sources of AWS spell a scope."""
        return f"{self.account}/{self.region}"

    def says(self, subject: Subject, version: str | None, told: Told, *, if_known: bool = False) -> Happening:
        """Give one thing that this event tells."""
        return Happening(subject, version, told, self.at, if_known=if_known)


def place_of(arn: str) -> str | None:
    """Give account and region of an ARN, None for one that does not name both."""
    parts = arn.split(":", 5)
    return f"{parts[4]}/{parts[3]}" if len(parts) == 6 and parts[3] and parts[4] else None

"""What keyaudit.yaml may say about an aws-iam source, besides what all of AWS share.

lists: [access-keys, service-specific]   # or one of them: Bedrock API keys, CodeCommit, Keyspaces, …
tags: false                              # true costs one call for each user with keys; fills labels
every_user: false                        # true asks about all users without keys too, see below

IAM gives a credential report again for four hours. One that is older than five minutes does not know
who got a first key since, so then users without keys are asked about too, a call each, if there are no
more than a thousand of them; with more, the pull is partial unless `every_user` is true.

IAM is global, so there are no `regions`. Its quota is low and shared with everybody who signs in.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from keyaudit.sources.aws.settings import AccountSettings
from keyaudit.sources.pulling.settings import distinct, not_empty

Part = Literal["access-keys", "service-specific"]


class AwsIamSettings(AccountSettings):
    """Checked settings of one aws-iam source."""

    kind: Literal["aws-iam"]
    lists: Annotated[tuple[Part, ...], AfterValidator(distinct), AfterValidator(not_empty)] = (
        "access-keys",
        "service-specific",
    )
    tags: bool = False
    every_user: bool = False
    requests_per_second: float = Field(default=10, gt=0, le=100_000)

    @field_validator("every_user")
    @classmethod
    def _access_keys_are_listed(cls, every_user: bool, others: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's
        if every_user and "access-keys" not in others.data.get("lists", ("access-keys",)):
            raise ValueError("only with `access-keys` among `lists`: it is their users who are asked about")
        return every_user

"""One secret of AWS Secrets Manager and what is asked about it, each call by its name in IAM.

What AWS refuses because the secret is not as expected is a lost race; all else is a RotationError.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.aws import Aws, AwsAccess, call, field, instant
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.stores.aws_secret_labels import Labels
from keyaudit.rotation.stores.protocol import Credential, LostRaceError

DESCRIBE, LIST = "secretsmanager:DescribeSecret", "secretsmanager:ListSecretVersionIds"
GET, PUT = "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"
MOVE, TAG = "secretsmanager:UpdateSecretVersionStage", "secretsmanager:TagResource"

_MILLISECOND = 1000
"""How exactly AWS gives times."""


class RemoteSecret:
    """A secret by name or ARN; nothing is asked before the first call."""

    def __init__(self, secret: str, access: AwsAccess, timeout: int) -> None:
        """`timeout` in microseconds, for one answer."""
        self._name = secret
        named = secret.split(":")[3] if secret.startswith("arn:") else None
        self._region = access.region or named
        self._aws = Aws(access, timeout)
        self._credential: Credential | None = None

    @property
    def credential(self) -> Credential:
        """Name the secret as the audit does; asks AWS the first time."""
        if self._credential is None:
            self._describe()
        assert self._credential is not None  # or it could not be described
        return self._credential

    def read(self, version: str) -> Secret:
        """Give a version's text; raises RotationError where it is none."""
        answer = call(
            GET,
            self._reading.get_secret_value,
            {"ResourceNotFoundException": partial(RotationError, f"version {version} holds no value")},
            SecretId=self._name,
            VersionId=version,
        )
        if "SecretString" not in answer:
            raise RotationError(f"version {version} holds bytes, not a text")
        return Secret(str(answer["SecretString"]))

    @property
    def _reading(self) -> Any:
        return self._aws.reading("secretsmanager", self._region)

    @property
    def _changing(self) -> Any:
        return self._aws.changing("secretsmanager", self._region)

    def _describe(self) -> Mapping[str, Any]:
        answer = call(DESCRIBE, self._reading.describe_secret, SecretId=self._name)
        arn, name = (str(field(DESCRIBE, answer, each)) for each in ("ARN", "Name"))
        region, account = arn.split(":")[3:5]
        self._name = arn  # from now on, whatever is called by that name later
        self._credential = Credential("aws-secrets-manager", f"{account}/{region}", arn, name)
        if answer.get("DeletedDate") is not None:
            raise RotationError("the secret is to be deleted", hint="aws secretsmanager restore-secret")
        if answer.get("PrimaryRegion") not in {None, region}:
            raise RotationError(
                "this is a copy of a secret in another region", hint=f"region: {answer['PrimaryRegion']}"
            )
        return answer

    def labels(self) -> Labels:
        """Look: versions first, so that none is missing that a label is on by then."""
        versions: dict[str, int | None] = {}
        more: dict[str, Any] = {}
        while True:
            page = call(
                LIST,
                self._reading.list_secret_version_ids,
                SecretId=self._name,
                IncludeDeprecated=True,
                MaxResults=100,
                **more,
            )
            for each in field(LIST, page, "Versions"):
                versions[each["VersionId"]] = instant(each.get("CreatedDate"))
            if not page.get("NextToken"):
                break
            more = {"NextToken": page["NextToken"]}
        answer = self._describe()
        at = {label: version for version, on in answer.get("VersionIdsToStages", {}).items() for label in on}
        changed = instant(answer.get("LastChangedDate"))
        # AWS cuts times to the millisecond: the next one is not earlier than the truth.
        since = None if changed is None else changed + _MILLISECOND
        return Labels(answer["ARN"], at, versions, since, _other_rotation(answer))

    def put(self, version: str, value: Secret, labels: list[str]) -> None:
        """Add a version; the same again does nothing. LostRaceError where the id has another value."""
        call(
            PUT,
            self._changing.put_secret_value,
            {"ResourceExistsException": LostRaceError, "LimitExceededException": _full},
            SecretId=self._name,
            ClientRequestToken=version,
            SecretString=value.reveal(),
            VersionStages=labels,
        )

    def move(self, label: str, *, to: str | None = None, source: str | None = None) -> None:
        """Attach, move or take off a label; raises LostRaceError where it is not at `source`."""
        ends = {"MoveToVersionId": to, "RemoveFromVersionId": source}
        call(
            MOVE,
            self._changing.update_secret_version_stage,
            {
                "InvalidParameterException": LostRaceError,
                "ResourceNotFoundException": LostRaceError,
                "LimitExceededException": _full,
            },
            SecretId=self._name,
            VersionStage=label,
            **{name: version for name, version in ends.items() if version is not None},
        )

    def tag(self, key_id: str, old_key_id: str | None) -> None:
        """Name the key that the secret holds, and the one before, as `inventory.recorded` reads them."""
        named = {"keyaudit:key_id": key_id, "keyaudit:old_key_id": old_key_id or ""}
        tags = [{"Key": name, "Value": value} for name, value in named.items()]
        call(TAG, self._changing.tag_resource, SecretId=self._name, Tags=tags)


def _full() -> RotationError:
    return RotationError(
        "the secret has all the labels, or versions, that AWS allows: 20, and about 100",
        hint="aws secretsmanager describe-secret shows its labels; take off those that nobody needs",
    )


def _other_rotation(answer: Mapping[str, Any]) -> str | None:
    if answer.get("OwningService"):
        return f"the service {answer['OwningService']} owns this secret and rotates it"
    if answer.get("RotationEnabled"):
        return "AWS rotates this secret by itself (RotationEnabled)"
    return None

"""When the old version of a secret was last fetched from AWS Secrets Manager.

    silence:
      kind: aws-secrets-manager
      secret: prod/openai             # name or ARN; needed
      delay: 1h                       # how late a fetch may show
      timeout: 30s                    # for one answer
      profile: rotation               # these five as `doors.aws` says
      region: eu-west-1
      role: arn:aws:iam::111122223333:role/keyaudit-rotate
      external_id: acme-rotate
      endpoint_url: http://127.0.0.1:5000

It sees who *fetches* the old value, not who *uses* the old key: an application that fetched it at its
start, and keeps it, is silent here. Prefer a witness of the provider's where there is one, or a window
longer than any application lives.

AWS tells the day (UTC), so the last fetch is taken to be at that day's end: nothing is silent before
midnight and the window have passed. A runner's own reads count, since nobody can tell them apart: it
reads the old version before it promotes, which does no harm, and afterwards only where neither the
store nor the provider says which key it is. Copies of the secret in other regions count their own
fetches, so every region is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.aws import Aws, AwsAccess, call, field, instant
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.sight import Quiet
from keyaudit.sources.pulling.settings import Duration
from keyaudit.times import DAY, HOUR

_DESCRIBE, _LIST = "secretsmanager:DescribeSecret", "secretsmanager:ListSecretVersionIds"


class VersionAccessSettings(PartySettings, AwsAccess):
    """Checked settings; `delay` in microseconds."""

    kind: Literal["aws-secrets-manager"]
    secret: Annotated[str, Field(min_length=1, max_length=2048)]
    delay: Annotated[Duration, Field(ge=0)] = HOUR


class VersionLastAccessed:
    """The witness that `kind: aws-secrets-manager` configures."""

    kind = "aws-secrets-manager"
    Settings = VersionAccessSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {"ask": (_DESCRIBE, _LIST)}

    def __init__(self, settings: VersionAccessSettings, clock: Callable[[], int]) -> None:
        """Nothing is asked yet. `clock` gives microseconds, UTC."""
        self._settings, self._clock = settings, clock
        self._aws = Aws(settings, settings.timeout)

    @classmethod
    def opened(cls, settings: VersionAccessSettings, means: Means) -> Self:
        """Open a witness."""
        return cls(settings, means.clock)

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        """Give the end of the last day on which the version was fetched, in any region."""
        del key_id, since
        seen_until = self._clock() - self._settings.delay
        days = [self._last_day(arn, region, version) for arn, region in self._copies()]
        fetched = [day + DAY for day in days if day is not None]
        return Quiet(seen_until, max(fetched, default=None), self.kind)

    def _copies(self) -> list[tuple[str, str]]:
        """Give the secret's ARN in each region that has it, its own first."""
        secret = self._settings.secret
        home = self._settings.region or (secret.split(":")[3] if secret.startswith("arn:") else None)
        answer = call(_DESCRIBE, self._aws.reading("secretsmanager", home).describe_secret, SecretId=secret)
        parts = str(field(_DESCRIBE, answer, "ARN")).split(":")
        regions = [parts[3], *(each["Region"] for each in answer.get("ReplicationStatus") or ())]
        return [(":".join([*parts[:3], region, *parts[4:]]), region) for region in regions]

    def _last_day(self, arn: str, region: str, version: str) -> int | None:
        """Give the day in a region; raises RotationError where the version is not listed."""
        listing = self._aws.reading("secretsmanager", region).list_secret_version_ids
        more: dict[str, Any] = {}
        while True:
            page = call(_LIST, listing, SecretId=arn, IncludeDeprecated=True, MaxResults=100, **more)
            for each in field(_LIST, page, "Versions"):
                if each.get("VersionId") == version:
                    return instant(each.get("LastAccessedDate"))
            if not page.get("NextToken"):
                raise RotationError(f"version {version} is not listed in {region}")
            more = {"NextToken": page["NextToken"]}

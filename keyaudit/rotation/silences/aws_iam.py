"""When an IAM access key was last used, by IAM's own account of it.

    silence:
      kind: aws-iam
      delay: 4h                       # how late a use may show
      timeout: 30s                    # for one answer
      profile: rotation               # these five as `doors.aws` says
      region: us-east-1
      role: arn:aws:iam::111122223333:role/keyaudit-rotate
      external_id: acme-rotate
      endpoint_url: http://127.0.0.1:5000

IAM writes down the first of the uses within a quarter of an hour (AWS, credential reports), so the
last one is taken to be at its end. How soon a use shows is not documented: `delay` is a guess on the
safe side, the one that AWS names for the last use of services. It is added to the rotation's window.
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
from keyaudit.times import HOUR, MINUTE

_ACTION = "iam:GetAccessKeyLastUsed"
_SPAN = 15 * MINUTE


class AwsIamSilenceSettings(PartySettings, AwsAccess):
    """Checked settings; `delay` in microseconds."""

    kind: Literal["aws-iam"]
    delay: Annotated[Duration, Field(ge=0)] = 4 * HOUR


class KeyLastUsed:
    """The witness that `kind: aws-iam` configures."""

    kind = "aws-iam"
    Settings = AwsIamSilenceSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {"ask": (_ACTION,)}

    def __init__(self, settings: AwsIamSilenceSettings, clock: Callable[[], int]) -> None:
        """Nothing is asked yet. `clock` gives microseconds, UTC."""
        self._delay, self._clock = settings.delay, clock
        self._aws = Aws(settings, settings.timeout)

    @classmethod
    def opened(cls, settings: AwsIamSilenceSettings, means: Means) -> Self:
        """Open a witness."""
        return cls(settings, means.clock)

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        """Give the end of the span in which the key was last used."""
        del version, since
        if key_id is None:
            raise RotationError("which key the old value is, is not known", hint="name it: --old-key-id")
        seen_until = self._clock() - self._delay
        last_used = self._aws.reading("iam").get_access_key_last_used
        answer = call(_ACTION, last_used, AccessKeyId=key_id)
        said: Mapping[str, Any] = field(_ACTION, answer, "AccessKeyLastUsed")
        used = instant(said.get("LastUsedDate"))
        return Quiet(seen_until, None if used is None else used + _SPAN, self.kind)

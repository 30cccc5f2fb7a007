"""Whether an AWS access key works: GetCallerIdentity, which costs nothing and needs no permission.

    probe:
      kind: aws-sts
      timeout: 30s                    # for one answer
      region: eu-west-1               # whose STS is asked; us-east-1 without it
      endpoint_url: http://127.0.0.1:5000   # emulators only

It signs with the key that it was given and nothing else. The call leaves a mark in the key's last
use, so it is never made about a key that should go quiet. A new key may be refused for some seconds.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.aws import Aws, AwsAccess, Region, botocore
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Liveness
from keyaudit.sources.pulling.settings import Endpoint

_DEAD = frozenset({"InvalidClientTokenId", "InvalidAccessKeyId", "ExpiredToken", "ExpiredTokenException"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_CLOCK = ("Signature expired", "Signature not yet current")
"""How AWS says that the clock of this machine is off, under the code of a wrong secret."""


class AwsStsSettings(PartySettings):
    """Checked settings: where to ask. There is nobody else to sign as."""

    kind: Literal["aws-sts"]
    region: Region | None = None
    endpoint_url: Annotated[Endpoint | None, Field()] = None


class CallerIdentity:
    """The probe that `kind: aws-sts` configures."""

    kind = "aws-sts"
    Settings = AwsStsSettings
    calls: ClassVar[tuple[str, ...]] = ("sts:GetCallerIdentity",)

    def __init__(self, settings: AwsStsSettings) -> None:
        """Nothing is asked yet."""
        access = AwsAccess(region=settings.region, endpoint_url=settings.endpoint_url)
        self._aws = Aws(access, settings.timeout)

    @classmethod
    def opened(cls, settings: AwsStsSettings, means: Means) -> Self:
        """Open a probe; needs nothing of the environment."""
        del means
        return cls(settings)

    def ask(self, parts: Parts) -> Liveness:
        """Sign one call with the key. UNKNOWN also for parts that are no access key."""
        exceptions = botocore("exceptions")
        try:
            client = self._aws.probing("sts", parts["access_key_id"], parts["secret_access_key"])
            answer = client.get_caller_identity()
        except exceptions.ClientError as error:
            said = error.response.get("Error", {})
            return _meaning(str(said.get("Code")), str(said.get("Message")))
        except (exceptions.BotoCoreError, RotationError, LookupError, ValueError, TypeError):
            return Liveness.UNKNOWN
        except botocore("parsers").ResponseParserError:
            return Liveness.UNKNOWN
        return Liveness.ALIVE if answer.get("Arn") else Liveness.UNKNOWN


def _meaning(code: str, message: str) -> Liveness:
    if code == "SignatureDoesNotMatch":
        return Liveness.UNKNOWN if message.startswith(_CLOCK) else Liveness.DEAD
    if code in _DEAD:
        return Liveness.DEAD
    return Liveness.RESTRICTED if code in _DENIED else Liveness.UNKNOWN

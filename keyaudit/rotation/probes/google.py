"""Whether a key of a Google service account signs in: an access token is asked for, and thrown away.

    probe:
      kind: google
      token_uri: https://oauth2.googleapis.com/token   # without it, what the key's own file says

It costs nothing and needs no right. That the token endpoint refuses the key means that the key is dead,
or not known there yet, which may take a minute after it was made. That it refuses the time in the
signature means that this machine's clock is off, which says nothing of the key.
"""

from __future__ import annotations

import json
import logging
import re
from functools import partial
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator

from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Liveness
from keyaudit.sources.gcp.caller import SCOPE
from keyaudit.sources.gcp.packages import library
from keyaudit.times import SECOND

_DEAD = "invalid_grant"
_OF_TIME = "Invalid JWT: "
"""Begins what is said of an assertion that is not of now; one that nobody signed is called otherwise."""


_ADDRESS = re.compile(
    r"https://[^/\s@?#]+/[^\s@?#]*|http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?/[^\s@?#]*", re.ASCII
)


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("neither https://HOST/… nor http:// on this machine")
    return text


class AccessTokenSettings(PartySettings):
    """Checked settings of the probe."""

    token_uri: Annotated[str, AfterValidator(_address)] | None = None


class AccessToken:
    """Asks for an access token with the key that it is given."""

    kind = "google"
    Settings = AccessTokenSettings
    calls: ClassVar[tuple[str, ...]] = ("POST https://oauth2.googleapis.com/token",)

    def __init__(self, settings: AccessTokenSettings) -> None:
        """Ask nothing yet."""
        self._token_uri, self._timeout = settings.token_uri, settings.timeout / SECOND

    @classmethod
    def opened(cls, settings: AccessTokenSettings, means: Means) -> Self:
        """Open the probe that settings describe."""
        del means
        return cls(settings)

    def ask(self, parts: Parts) -> Liveness:
        """See `Probe.ask`."""
        exceptions = library("google.auth.exceptions")
        transport = library("google.auth.transport.requests")
        # At DEBUG it writes down what was sent and answered, the token too.
        logging.getLogger("google.auth.transport.requests").setLevel(logging.WARNING)
        try:
            credentials = self._credentials(parts)
        except (ValueError, KeyError, TypeError, exceptions.GoogleAuthError):
            return Liveness.UNKNOWN
        try:
            credentials.refresh(partial(transport.Request(), timeout=self._timeout))
        except exceptions.RefreshError as error:
            return _meant(error)
        except exceptions.GoogleAuthError:
            return Liveness.UNKNOWN
        return Liveness.ALIVE

    def _credentials(self, parts: Parts) -> Any:
        """Read a credentials file; raises ValueError, KeyError or TypeError for what is none."""
        info = json.loads(parts["json"])
        where = _address(str(self._token_uri or info["token_uri"]))
        kind = library("google.oauth2.service_account").Credentials
        return kind.from_service_account_info({**info, "token_uri": where}, scopes=[SCOPE])


def _meant(error: Any) -> Liveness:
    """Say what a refusal means, by its code."""
    said = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], dict) else {}
    if said.get("error") != _DEAD or str(said.get("error_description", "")).startswith(_OF_TIME):
        return Liveness.UNKNOWN
    return Liveness.DEAD

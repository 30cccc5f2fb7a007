"""Who asks Google: the caller's own credentials, or an account that they impersonate."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from keyaudit.errors import SourceError
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.gcp.refusals import unsigned
from keyaudit.sources.gcp.settings import GcpSettings

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""Secret Manager, IAM and Cloud Asset take no narrower one; the role narrows, not the token."""

_UNHEARD = logging.NullHandler()
"""google-auth gives advice about projects that we do not use, on stderr if nobody takes it."""

_EMAIL = re.compile(r"[!-?A-~]{1,200}@[!-?A-~]{1,253}", re.ASCII)

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; `credentials` is None for an emulator, which wants none.

    `charged_to` is the project whose quota all calls use, None where each project's own is used.
    """

    credentials: Any | None
    charged_to: str | None = None

    @property
    def identity(self) -> str:
        """Give what tells callers apart, for `PullingSource.identified_by` only: it may hold a token."""
        names = ("service_account_email", "client_id", "refresh_token", "account")
        return "\0".join(str(getattr(self.credentials, name, "")) for name in names)

    @property
    def email(self) -> str | None:
        """Give the address of who asks; None where the credentials do not say it (yet)."""
        said = (getattr(self.credentials, name, None) for name in ("service_account_email", "account"))
        return next((each for each in said if isinstance(each, str) and _EMAIL.fullmatch(each)), None)

    def headers(self, method: str, timeout: float) -> Headers:
        """Give what authorises one call, renewed where needed; raises RefusedError."""
        if self.credentials is None:
            return ()
        headers: dict[str, str] = {}
        ask = partial(library("google.auth.transport.requests").Request(), timeout=timeout)
        try:
            self.credentials.before_request(ask, "POST", method, headers)
        except library("google.auth.exceptions").GoogleAuthError as error:
            raise unsigned(error) from None
        return tuple(headers.items())


def sign_in(settings: GcpSettings) -> Caller:
    """Find the caller's credentials without using them; raises SourceError if there are none."""
    if settings.endpoint is not None:
        return Caller(None, settings.quota_project)
    exceptions = library("google.auth.exceptions")
    logging.getLogger("google.auth").addHandler(_UNHEARD)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found, _ = library("google.auth").default(scopes=[SCOPE], quota_project_id=settings.quota_project)
    except exceptions.GoogleAuthError as error:
        raise SourceError(
            f"source {settings.name}: no Google credentials that can be used ({type(error).__name__})",
            hint="run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS, "
            "or run where a service account or workload identity is attached",
        ) from None
    charged_to = getattr(found, "quota_project_id", None)
    if settings.impersonate is not None:
        found = library("google.auth.impersonated_credentials").Credentials(
            source_credentials=found,
            target_principal=settings.impersonate,
            target_scopes=[SCOPE],
            quota_project_id=charged_to,
        )
    return Caller(found, charged_to)

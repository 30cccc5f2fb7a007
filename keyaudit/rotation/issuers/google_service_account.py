"""Keys of a Google service account, made through IAM.

    issuer:
      kind: google-service-account
      project: acme-prod
      account: worker@acme-prod.iam.gserviceaccount.com
      impersonate: keyaudit-rotate@acme-prod.iam.gserviceaccount.com   # and `quota_project`, `endpoint`

A key is the JSON of a credentials file, its one part `json`. Keys have no names: what a run that died
has made is found by when it was made (`looking`). An account has ten keys at most, disabled ones too;
Google says only that a precondition failed, so they are counted first. A new key may be unknown for a
minute where tokens are given: `propagation` of the rotation waits for that. A revoked key is disabled,
then deleted; access tokens that it got before are good for up to an hour.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Self

from keyaudit.errors import RotationError, SlotsFullError
from keyaudit.rotation.doors.google import NEVER, READING, Google, GoogleError, GoogleSettings, said
from keyaudit.rotation.issuers.protocol import Minted
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Key
from keyaudit.sources.gcp.iam.entries import is_users_own, key_of, micros
from keyaudit.sources.gcp.messages import plain
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.gcp.settings import ServiceAccount

MOST_KEYS = 10
LIST, CREATE, DISABLE, DELETE = (
    f"iam.serviceAccountKeys.{verb}" for verb in ("list", "create", "disable", "delete")
)


class ServiceAccountSettings(PartySettings, GoogleSettings):
    """Checked settings of one account."""

    account: ServiceAccount


class ServiceAccountKeys:
    """The keys of one account that its users made; Google's own are left alone."""

    kind = "google-service-account"
    whole = "json"
    names_keys = False
    Settings = ServiceAccountSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "keys": (LIST,),
        "mint": (LIST, CREATE),
        "revoke": (DISABLE, DELETE),
        "recognise": (),
    }

    def __init__(self, settings: ServiceAccountSettings) -> None:
        """Ask nothing yet."""
        self._google = Google(settings, settings.timeout)
        self._account = settings.account
        self._name = f"projects/{settings.project}/serviceAccounts/{settings.account}"

    @classmethod
    def opened(cls, settings: ServiceAccountSettings, means: Means) -> Self:
        """Open the issuer that settings describe."""
        del means
        return cls(settings)

    def keys(self) -> tuple[Key, ...] | None:
        """See `Issuer.keys`."""
        types = library("google.cloud.iam_admin_v1")
        managed = types.ListServiceAccountKeysRequest.KeyType.USER_MANAGED
        request = {"name": self._name, "key_types": [managed]}
        answer = plain(self._google.ask(self._client.list_service_account_keys, request, needs=LIST))
        try:
            listed = [key_of(message) for message in answer.keys if is_users_own(message)]
        except ValueError:
            listed = None
        if listed is None:
            raise RotationError("Google: the list of keys could not be read")
        return tuple(Key(key.id, active=not key.disabled, created_at=key.valid_after) for key in listed)

    def mint(self, token: str, in_use: AbstractSet[str]) -> Minted:
        """See `Issuer.mint`."""
        del token, in_use
        if len(self.keys() or ()) >= MOST_KEYS:
            raise SlotsFullError(
                f"{self._name} has {MOST_KEYS} keys already, and may have no more",
                hint="delete one that nobody uses; disabled keys count too",
            )
        request = {"name": self._name}
        method = self._client.create_service_account_key
        key = plain(self._google.ask(method, request, needs=CREATE, again=NEVER))
        return Minted(_id(key), {"json": key.private_key_data.decode()}, micros(key.valid_after_time))

    def revoke(self, key_id: str) -> None:
        """See `Issuer.revoke`."""
        request = {"name": f"{self._name}/keys/{key_id}"}
        self._ended(self._client.disable_service_account_key, request, DISABLE)
        self._ended(self._client.delete_service_account_key, request, DELETE)

    def recognise(self, parts: Parts, keys: tuple[Key, ...] | None) -> str | None:
        """See `Issuer.recognise`: a credentials file names its account and its key, listed or gone."""
        del keys
        try:
            info = json.loads(parts["json"])
            account, key_id = info["client_email"], info["private_key_id"]
        except (ValueError, KeyError, TypeError):
            return None
        return key_id if account == self._account and isinstance(key_id, str) else None

    def _ended(self, method: Callable[..., Any], request: Mapping[str, str], needs: str) -> None:
        """End a key; one that is gone is ended."""
        try:
            self._google.call(method, request, again=READING)
        except GoogleError as error:
            refused = error
        else:
            return
        if refused.code != "NOT_FOUND":
            raise said(refused, needs)

    @property
    def _client(self) -> Any:
        return self._google.client(library("google.cloud.iam_admin_v1").IAMClient)


def _id(key: Any) -> str:
    return str(key.name.rpartition("/keys/")[2])

"""What the parties of Vault and OpenBao share: one server, one token, and what a refusal means.

    address: https://vault.acme.example:8200
    token_variable: VAULT_TOKEN     # the environment variable that holds the token
    namespace: team-a               # without it the token's own
    cluster: production             # what the audit calls this server; without it the address's host
    ca_cert: ca.pem                 # the authority that signed the server's certificate
    standbys: [https://vault-2.acme.example:8200]   # where the token may be sent on to

Calls are named as a policy grants them: a capability and a path, such as `read secret/data/app`. Of
what does not exist yet, `update` is `create`. Reads are repeated where that helps, nothing else is.
A refusal is its status: never the server's own words.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from keyaudit.errors import RotationError
from keyaudit.rotation.party import Means
from keyaudit.rotation.secret import Secret
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.sources.pulling.settings import Variable
from keyaudit.sources.vault.client import Vault
from keyaudit.sources.vault.mounts import quoted, scope_of
from keyaudit.sources.vault.settings import Address, Path_, Standby, VaultSettings
from keyaudit.times import SECOND

VERBS = {
    "read": ("GET",),
    "update": ("POST",),
    "patch": ("PATCH",),
}
"""The capability that each call is named by, and the verb of HTTP that it is sent with."""
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
_READS = 5
_PER_SECOND = 500.0
_MISMATCH = b"check-and-set"


class VaultAccess(BaseModel):
    """Settings of which server is asked, and as whom. No setting holds a token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Address
    token_variable: Variable = "VAULT_TOKEN"
    namespace: Path_ | None = None
    cluster: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,100}$")] | None = None
    ca_cert: Path | None = None
    standbys: tuple[Standby, ...] = ()

    def connection(self, timeout: int, attempts: int = 1) -> VaultSettings:
        """Give the same as a source of the audit has it; `timeout` in microseconds."""
        return VaultSettings(
            name="rotation",
            kind="vault",
            address=self.address,
            cluster=self.cluster,
            ca_cert=self.ca_cert,
            standbys=self.standbys,
            attempts=attempts,
        ).model_copy(update={"timeout": timeout})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. It may hold a value: it is not shown."""

    status: int
    data: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Answer(status={self.status})"


class VaultDoor:
    """Asks one server for what `calls` names, and for nothing else."""

    def __init__(self, access: VaultAccess, means: Means, calls: Iterable[str], timeout: int) -> None:
        """Ask nothing yet. Raises UsageError where the token is not set, MissingExtraError when asking."""
        self._access, self._timeout = access, timeout
        self._token: Secret = means.key(access.token_variable)
        base = re.escape(urlsplit(access.address).path.rstrip("/") + "/v1/")
        self._allowed = [
            (verb, re.compile(base + re.escape(quoted(path))))
            for capability, _, path in (call.partition(" ") for call in calls)
            for verb in VERBS[capability]
        ]
        self._doors: dict[int, Vault] = {}

    def ask(self, call: str, body: Mapping[str, Any] | None = None, *, version: str | None = None) -> Answer:
        """Give what was answered with a status of 200, 204 or 404; 409 for a compare-and-swap that failed.

        Raises RotationError for anything else, and where there was no answer.
        """
        capability, _, path = call.partition(" ")
        options: dict[str, Any] = {} if body is None else {"json": body}
        if version is not None:
            options["params"] = {"version": version}
        if capability == "patch":
            options["headers"] = dict(MERGE_PATCH)
        try:
            response = self._door(_READS if capability == "read" else 1).response(
                VERBS[capability][0], quoted(path), **options
            )
            return _answer(response, call)
        except RefusedError as error:
            reason = error.refusal.reason
        hint = None
        if capability != "read":
            hint = "whether it was done is not known; run it again, which looks first"
        raise RotationError(f"Vault: {reason}", hint=hint)

    def _door(self, attempts: int) -> Vault:
        if attempts not in self._doors:
            self._doors[attempts] = Vault(
                self._access.connection(self._timeout, attempts),
                self._token.reveal(),
                self._access.namespace or "",
                self._allowed,
                Meter(Pace(_PER_SECOND, threading.Event())),
            )
        return self._doors[attempts]


def _answer(response: Any, call: str) -> Answer:
    status = int(response.status_code)
    if status == 400 and _MISMATCH in response.content:
        return Answer(409, {})
    if status not in {200, 204, 404}:
        hint = f"the token's policy must grant: {call}" if status == 403 else None
        raise RotationError(f"Vault: refused (HTTP {status})", hint=hint)
    found: Any = None
    try:
        found = json.loads(response.content).get("data") if response.content else {}
    except (ValueError, AttributeError):
        if status == 200:
            found = "unreadable"
    if status == 200 and not isinstance(found, dict):
        raise RotationError("Vault: the answer could not be read")
    return Answer(status, found if isinstance(found, dict) else {})


def scope(access: VaultAccess, mount: str) -> str:
    """Spell the scope of a mount as the audit's own source does."""
    place = access.connection(30 * SECOND).place
    return scope_of(place, access.namespace or "", mount)

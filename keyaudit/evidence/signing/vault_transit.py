"""Vault's and OpenBao's transit engine: `hashivault://KEY`, a key of the type ed25519.

The URI and the variables of the environment are those of cosign and the Vault client: VAULT_ADDR,
VAULT_TOKEN, VAULT_NAMESPACE, VAULT_CACERT, and TRANSIT_SECRET_ENGINE_PATH (by default `transit`).
`transit/sign` answers `vault:vN:BASE64`, N being the version of the key; `transit/keys` has the public
parts. Needs `read` on transit/keys/KEY and `update` on transit/sign/KEY.
"""

from __future__ import annotations

import base64
import importlib
import re
from typing import Any

from keyaudit.errors import MissingExtraError, UsageError
from keyaudit.evidence.signing import Surroundings
from keyaudit.evidence.signing.ed25519 import Ed25519Signer

TIMEOUT = 30
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SIGNATURE = re.compile(r"vault:v([0-9]{1,9}):([A-Za-z0-9+/]+=*)")


def open_key(rest: str, surroundings: Surroundings) -> Ed25519Signer:
    """Ask for the newest public key; that version signs. See `signing.open_kms`."""
    name = rest.strip("/")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name}: no name of a key of transit", hint="such as hashivault://keyaudit")
    client = _client(surroundings)
    mount = surroundings.environment.get("TRANSIT_SECRET_ENGINE_PATH") or "transit"
    transit = client.secrets.transit
    key = _asked(lambda: transit.read_key(name, mount_point=mount))
    try:
        version = int(key["latest_version"])
        if key["type"] != "ed25519" or key.get("derived"):
            raise UsageError(
                "the key of transit: no Ed25519 key",
                hint=f"vault write -f transit/keys/{name} type=ed25519 makes one",
            )
        public = base64.b64decode(key["keys"][str(version)]["public_key"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise UsageError("transit gave no public key that can be read") from None

    def sign(message: bytes) -> bytes:
        given = base64.b64encode(message).decode()
        signed = _asked(
            lambda: transit.sign_data(name, hash_input=given, key_version=version, mount_point=mount)
        )
        found = _SIGNATURE.fullmatch(str(signed.get("signature")))
        if found is None:
            raise UsageError("transit gave no signature that can be read")
        return base64.b64decode(found[2])

    return Ed25519Signer(public, "hashivault", sign)


def _client(surroundings: Surroundings) -> Any:
    try:
        hvac = importlib.import_module("hvac")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] in {"hvac", "requests"}:
            raise MissingExtraError("vault", "signing with Vault") from None
        raise
    said = surroundings.environment
    address, token = surroundings.endpoint or said.get("VAULT_ADDR"), said.get("VAULT_TOKEN")
    if not address or not token:
        missing = "VAULT_TOKEN" if address else "VAULT_ADDR"
        raise UsageError(f"signing with Vault needs {missing}", hint="vault login, then export both")
    return hvac.Client(
        url=address,
        token=token,
        namespace=said.get("VAULT_NAMESPACE") or None,
        verify=said.get("VAULT_CACERT") or True,
        timeout=TIMEOUT,
        allow_redirects=False,
    )


def _asked(call: Any) -> Any:
    """Ask, and give the data of the answer; of a refusal only its kind is repeated, never its words."""
    hvac = importlib.import_module("hvac.exceptions")
    requests = importlib.import_module("requests")
    try:
        answer = call()
    except (hvac.VaultError, requests.RequestException) as error:
        hint = "the token needs read on transit/keys/KEY and update on transit/sign/KEY"
        raise UsageError(f"transit refused: {type(error).__name__}", hint=hint) from None
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise UsageError("transit gave no answer that can be read")
    return data

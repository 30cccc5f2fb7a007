"""Keys of Google's service accounts, with real key pairs: create, get, disable, enable, delete.

* The private key is answered once, by CreateServiceAccountKey, as the JSON of a credentials file.
* Ten keys an account; the eleventh is FAILED_PRECONDITION without a word of why (RESOURCE_EXHAUSTED until
  2021), disabled ones count.
* What was done to a key shows at once in this API, but where tokens are given only `propagation` later.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud import iam_admin_v1 as iam
from google.protobuf import empty_pb2

from servers.grpc_errors import Refused
from servers.grpc_server import Handler

if TYPE_CHECKING:
    from servers.google_iam import GoogleIam

MOST_KEYS = 10
KeyType = iam.ListServiceAccountKeysRequest.KeyType
Format = iam.ServiceAccountPrivateKeyType
_CREDENTIALS_FILE = {Format.TYPE_UNSPECIFIED, Format.TYPE_GOOGLE_CREDENTIALS_FILE}


class Keys:
    def __init__(self, google: GoogleIam) -> None:
        self._google = google
        self._public: dict[str, bytes] = {}
        self._honoured: dict[str, list[tuple[int, bool]]] = {}
        """Since when a key is honoured, or no longer, oldest first."""

    def answers(self) -> dict[str, tuple[Any, Handler]]:
        return {
            "CreateServiceAccountKey": (iam.CreateServiceAccountKeyRequest, self.create),
            "GetServiceAccountKey": (iam.GetServiceAccountKeyRequest, self.get),
            "DisableServiceAccountKey": (iam.DisableServiceAccountKeyRequest, self.disable),
            "EnableServiceAccountKey": (iam.EnableServiceAccountKeyRequest, self.enable),
            "DeleteServiceAccountKey": (iam.DeleteServiceAccountKeyRequest, self.delete),
        }

    def create(self, request: Any) -> Any:
        account = self._google.account(request.name)
        kept = [key for key in self._google.keys[account.name] if key.key_type == KeyType.USER_MANAGED]
        if len(kept) >= MOST_KEYS:
            raise Refused("FAILED_PRECONDITION")
        if request.private_key_type not in _CREDENTIALS_FILE:
            raise Refused("UNIMPLEMENTED")
        pair = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        name = self._google.put(account.name, secrets.token_hex(20), made=self._google.clock())
        self._public[name] = pair.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._note(name, honoured=True)
        key = iam.ServiceAccountKey(self._found(name))
        key.private_key_type = Format.TYPE_GOOGLE_CREDENTIALS_FILE
        key.private_key_data = self._file(account, name, pair)
        return key

    def get(self, request: Any) -> Any:
        key = iam.ServiceAccountKey(self._found(request.name))
        wanted = request.public_key_type
        if wanted == iam.ServiceAccountPublicKeyType.TYPE_RAW_PUBLIC_KEY:
            key.public_key_data = self._public.get(key.name, b"")
        elif wanted != iam.ServiceAccountPublicKeyType.TYPE_NONE:
            raise Refused("UNIMPLEMENTED")
        return key

    def disable(self, request: Any) -> Any:
        return self._turn(request, disabled=True)

    def enable(self, request: Any) -> Any:
        return self._turn(request, disabled=False)

    def delete(self, request: Any) -> Any:
        key = self._found(request.name)
        if key.key_type != KeyType.USER_MANAGED:
            raise Refused("FAILED_PRECONDITION")
        account = key.name.rpartition("/keys/")[0]
        self._google.keys[account] = [each for each in self._google.keys[account] if each.name != key.name]
        self._note(key.name, honoured=False)
        return empty_pb2.Empty()

    def honoured(self, account: str, *, at: int) -> dict[str, bytes]:
        """Give the public keys that signed for an account at an instant, by the key's id."""
        prefix = f"{account}/keys/"
        return {
            name.removeprefix(prefix): self._public[name]
            for name, history in self._honoured.items()
            if name.startswith(prefix) and next((yes for since, yes in history[::-1] if since <= at), False)
        }

    def _turn(self, request: Any, *, disabled: bool) -> Any:
        key = self._found(request.name)
        key.disabled = disabled
        self._note(key.name, honoured=not disabled)
        return empty_pb2.Empty()

    def _note(self, name: str, *, honoured: bool) -> None:
        self._honoured.setdefault(name, []).append((self._google.clock(), honoured))

    def _found(self, name: str) -> iam.ServiceAccountKey:
        parent, _, key_id = name.rpartition("/keys/")
        account = self._google.account(parent).name
        for key in self._google.keys[account]:
            if key.name == f"{account}/keys/{key_id}":
                return key
        raise Refused("NOT_FOUND")

    def _file(self, account: iam.ServiceAccount, name: str, pair: rsa.RSAPrivateKey) -> bytes:
        private = pair.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        content = {
            "type": "service_account",
            "project_id": account.project_id,
            "private_key_id": name.rpartition("/")[2],
            "private_key": private.decode(),
            "client_email": account.email,
            "client_id": account.unique_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": self._google.token_uri,
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/{account.email}",
            "universe_domain": "googleapis.com",
        }
        return json.dumps(content, indent=2).encode()

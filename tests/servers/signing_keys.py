"""One Ed25519 key behind the signing protocols of AWS KMS, Google Cloud KMS and Vault's transit.

Answers are as the API references have them: AWS's model of `Sign` and `GetPublicKey` (4,096 bytes of RAW
message at most), Google's REST reference of cryptoKeyVersions, Vault's API documentation of transit. A
request that authorises itself in no way, or for another key, is refused, with words that nobody may repeat.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from servers.crc32c import crc32c
from servers.loopback import Loopback

CANARY = "CANARY-of-the-server"
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"
VERSION = "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
NAME = "keyaudit"
TOKEN = "ya29.CANARY"
VAULT_TOKEN = "hvs.CANARY"
MOST = 4096


class Refused(Exception):
    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class SigningKeys(Loopback):
    """`kind` is `ed25519`, or `p256` for a key that is none; `denied` refuses all; `swapped` signs with another;
    `torn` are fields that Google's answers have on arrival in place of their own.
    """

    def __init__(self) -> None:
        self.key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        self.kind, self.denied, self.swapped, self.garbage = "ed25519", False, False, False
        self.torn: dict[str, Any] = {}
        self.calls: list[str] = []
        super().__init__()

    @property
    def raw(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def public(self, encoding: serialization.Encoding) -> bytes:
        other = ec.derive_private_key(7, ec.SECP256R1())
        key = self.key.public_key() if self.kind == "ed25519" else other.public_key()
        return key.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)

    def signature(self, message: bytes) -> bytes:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)) if self.swapped else self.key
        return key.sign(message)

    def aws(self, handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> dict[str, Any]:
        operation = handler.headers.get("x-amz-target", "").removeprefix("TrentService.")
        self.calls.append(operation)
        if self.denied or "/eu-west-1/kms/aws4_request" not in handler.headers.get("authorization", ""):
            raise Refused(400, {"__type": "AccessDeniedException", "message": CANARY})
        if asked["KeyId"] != ARN:
            raise Refused(400, {"__type": "NotFoundException", "message": CANARY})
        if operation == "GetPublicKey":
            der = base64.b64encode(self.public(serialization.Encoding.DER)).decode()
            return {"KeyId": ARN, "PublicKey": der, "KeyUsage": "SIGN_VERIFY"}
        message = base64.b64decode(asked["Message"])
        if asked["SigningAlgorithm"] != "ED25519_SHA_512" or asked["MessageType"] != "RAW":
            raise Refused(400, {"__type": "InvalidKeyUsageException", "message": CANARY})
        if len(message) > MOST:
            raise Refused(400, {"__type": "ValidationException", "message": CANARY})
        return {"KeyId": ARN, "Signature": base64.b64encode(self.signature(message)).decode()}

    def google(self, handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> dict[str, Any]:
        path = handler.path
        if path == "/token":
            return {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}
        self.calls.append(re.split("[/:]", path)[-1])
        if self.denied or handler.headers.get("authorization") != f"Bearer {TOKEN}":
            raise Refused(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": CANARY}})
        if path == f"/v1/{VERSION}/publicKey":
            algorithm = "EC_SIGN_ED25519" if self.kind == "ed25519" else "EC_SIGN_P256_SHA256"
            pem = self.public(serialization.Encoding.PEM)
            answer = {
                "pem": pem.decode(),
                "algorithm": algorithm,
                "pemCrc32c": str(crc32c(pem)),
                "name": VERSION,
            }
            return answer | self.torn
        if path != f"/v1/{VERSION}:asymmetricSign":
            raise Refused(404, {"error": {"code": 404, "status": "NOT_FOUND", "message": CANARY}})
        if self.garbage:
            return {"signature": "no base64"}
        data = base64.b64decode(asked["data"])
        if "dataCrc32c" in asked and asked["dataCrc32c"] != str(crc32c(data)):
            raise Refused(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": CANARY}})
        signature = self.signature(data)
        answer = {
            "signature": base64.b64encode(signature).decode(),
            "signatureCrc32c": str(crc32c(signature)),
            "verifiedDataCrc32c": "dataCrc32c" in asked,
            "name": VERSION,
        }
        return answer | self.torn

    def vault(self, handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> dict[str, Any]:
        path = handler.path
        self.calls.append(path.split("/")[3])
        if self.denied or handler.headers.get("x-vault-token") != VAULT_TOKEN:
            raise Refused(403, {"errors": [f"permission denied {CANARY}"]})
        if path == f"/v1/transit/keys/{NAME}":
            keys = {
                "1": {"public_key": base64.b64encode(bytes(32)).decode()},
                "2": {"public_key": base64.b64encode(self.raw).decode()},
            }
            kind = "ed25519" if self.kind == "ed25519" else "ecdsa-p256"
            return {"data": {"type": kind, "derived": False, "latest_version": 2, "keys": keys}}
        if path not in (f"/v1/transit/sign/{NAME}", f"/v1/transit/sign/{NAME}/sha2-256"):
            raise Refused(404, {"errors": []})
        version = asked.get("key_version")
        assert version == 2, "the version whose public key was asked for signs"
        sealed = base64.b64encode(self.signature(base64.b64decode(asked["input"]))).decode()
        return {"data": {"signature": "no signature" if self.garbage else f"vault:v2:{sealed}"}}

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            kinds: ClassVar[dict[str, Callable[..., dict[str, Any]]]] = {
                "/v1/transit/": server.vault,
                "/v1/projects/": server.google,
                "/token": server.google,
            }

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                asked = json.loads(body) if body.startswith(b"{") else {}
                known = (each for path, each in self.kinds.items() if self.path.startswith(path))
                kind = next(known, server.aws)
                try:
                    status, content = 200, kind(self, asked)
                except Refused as error:
                    status, content = error.status, error.body
                sent = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_: object) -> None:
                pass

        return Handler

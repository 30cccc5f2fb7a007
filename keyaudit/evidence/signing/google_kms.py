"""Google Cloud KMS: `gcpkms://projects/…/cryptoKeyVersions/N`, a version with EC_SIGN_ED25519.

`asymmetricSign` with `data` (not a digest) gives the 64 bytes of Ed25519. CRC32C guards what is sent and what
is answered, and an answer names the version that it is of: both are looked at, as the REST reference of
cryptoKeyVersions.asymmetricSign and getPublicKey asks for. Needs roles/cloudkms.signerVerifier. Asked over
HTTPS with google-auth: the client of this one service is no dependency of ours.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from keyaudit.errors import UsageError
from keyaudit.evidence.signing import Surroundings
from keyaudit.evidence.signing.crc32c import crc32c
from keyaudit.evidence.signing.ed25519 import Ed25519Signer, cryptography, raw_public
from keyaudit.sources.gcp.packages import library

SERVICE = "https://cloudkms.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloudkms"
ALGORITHM = "EC_SIGN_ED25519"
TIMEOUT = 30
_NAME = re.compile(
    r"projects/[^/?#\s]+/locations/[^/?#\s]+/keyRings/[^/?#\s]+/cryptoKeys/[^/?#\s]+/cryptoKeyVersions/[0-9]+"
)
_AGAIN = "something on the way changed it: run the scan again"
_CODE = re.compile(r"[A-Z_]{1,60}")


def open_key(rest: str, surroundings: Surroundings) -> Ed25519Signer:
    """Ask for the public key of a key version; see `signing.open_kms`."""
    name = rest.strip("/")
    if not _NAME.fullmatch(name):
        form = "gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N"
        raise UsageError(f"{name}: no version of a key of Google Cloud KMS", hint=form)
    where = f"{surroundings.endpoint or SERVICE}/v1/{name}"
    session = _session()
    answer = _asked(session, "GET", f"{where}/publicKey")
    pem = str(answer.get("pem", "")).encode()
    _whole(answer, name, pem=pem)
    if answer.get("algorithm") != ALGORITHM:
        raise UsageError("the key of Google Cloud KMS: no Ed25519 key", hint=f"it must be {ALGORITHM}")
    formats = cryptography("hazmat.primitives.serialization")
    try:
        key = formats.load_pem_public_key(pem)
    except ValueError:
        raise UsageError("Google Cloud KMS gave no public key that can be read") from None
    public = raw_public(key, "the key of Google Cloud KMS")

    def sign(message: bytes) -> bytes:
        body = {"data": base64.b64encode(message).decode(), "dataCrc32c": str(crc32c(message))}
        signed = _asked(session, "POST", f"{where}:asymmetricSign", body)
        try:
            signature = base64.b64decode(signed["signature"], validate=True)
        except (KeyError, TypeError, ValueError):
            raise UsageError("Google Cloud KMS gave no signature that can be read") from None
        if signed.get("verifiedDataCrc32c") is not True:
            raise UsageError("Google Cloud KMS did not check what it was sent", hint=_AGAIN)
        _whole(signed, name, signature=signature)
        return signature

    return Ed25519Signer(public, "gcpkms", sign)


def _whole(answer: Any, name: str, **parts: bytes) -> None:
    """Raise UsageError for an answer about another version, or with a part that its checksum does not fit.

    Checksums are 64-bit integers, which are text in JSON.
    """
    if answer.get("name") != name:
        raise UsageError("Google Cloud KMS answered for another version of a key", hint=_AGAIN)
    for part, content in parts.items():
        if answer.get(f"{part}Crc32c") != str(crc32c(content)):
            raise UsageError(f"Google Cloud KMS: the checksum of its {part} does not fit", hint=_AGAIN)


def _session() -> Any:
    errors = library("google.auth.exceptions")
    try:
        credentials, _ = library("google.auth").default(scopes=[SCOPE])
    except errors.GoogleAuthError as error:
        hint = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS"
        what = f"no Google credentials that can be used ({type(error).__name__})"
        raise UsageError(what, hint=hint) from None
    return library("google.auth.transport.requests").AuthorizedSession(credentials)


def _asked(session: Any, verb: str, url: str, body: Any = None) -> Any:
    """Ask, and give the answer's document; of a refusal only its status is repeated, never its words."""
    requests, errors = library("requests"), library("google.auth.exceptions")
    try:
        response = session.request(verb, url, json=body, timeout=TIMEOUT, allow_redirects=False)
    except (requests.RequestException, errors.GoogleAuthError) as error:
        what = f"Google Cloud KMS could not be asked: {type(error).__name__}"
        raise UsageError(what, hint="look whether cloudkms.googleapis.com answers from here") from None
    try:
        document = response.json()
    except ValueError:
        document = {}
    if response.status_code == requests.codes.ok and isinstance(document, dict):
        return document
    refusal = document.get("error") if isinstance(document, dict) else None
    said = str(refusal.get("status")) if isinstance(refusal, dict) else ""
    code = said if _CODE.fullmatch(said) else f"HTTP {response.status_code}"
    hint = "the caller needs cloudkms.cryptoKeyVersions.viewPublicKey and .useToSign on this version"
    raise UsageError(f"Google Cloud KMS refused: {code}", hint=hint)

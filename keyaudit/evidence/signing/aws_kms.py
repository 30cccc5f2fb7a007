"""AWS KMS: `awskms:///KEY-ARN`, a key of the spec ECC_NIST_EDWARDS25519 for SIGN_VERIFY.

`Sign` with ED25519_SHA_512 over the RAW message is Ed25519 of RFC 8032; the digest form,
ED25519_PH_SHA_512, is another scheme, which openssl and DSSE's verifiers do not check. So what is signed
must fit the 4,096 bytes of `Message` (the API model of botocore, service kms, SignRequest).
Needs kms:GetPublicKey and kms:Sign.
"""

from __future__ import annotations

import importlib
from typing import Any

from keyaudit.errors import MissingExtraError, UsageError
from keyaudit.evidence.signing import Surroundings
from keyaudit.evidence.signing.ed25519 import Ed25519Signer, cryptography, raw_public

ALGORITHM = "ED25519_SHA_512"
LONGEST_MESSAGE = 4096
_REGION = 3


def open_key(rest: str, surroundings: Surroundings) -> Ed25519Signer:
    """Ask for the public key of an ARN, an alias or an id; see `signing.open_kms`."""
    name = rest.lstrip("/")
    client = _client(name, surroundings)
    answer = _asked(client, "get_public_key", KeyId=name)
    formats = cryptography("hazmat.primitives.serialization")
    public = raw_public(formats.load_der_public_key(answer["PublicKey"]), "the key of AWS KMS")

    def sign(message: bytes) -> bytes:
        if len(message) > LONGEST_MESSAGE:
            raise UsageError(
                f"AWS KMS signs at most {LONGEST_MESSAGE:,} bytes with Ed25519, and this bundle's manifest "
                f"has {len(message):,}",
                hint="merge inputs into fewer files, or sign with --sign-key, --sign-ssh or another KMS",
            )
        signed = _asked(
            client, "sign", KeyId=name, Message=message, MessageType="RAW", SigningAlgorithm=ALGORITHM
        )
        signature: bytes = signed["Signature"]
        return signature

    return Ed25519Signer(public, "awskms", sign)


def _client(name: str, surroundings: Surroundings) -> Any:
    try:
        boto3 = importlib.import_module("boto3")
        exceptions = importlib.import_module("botocore.exceptions")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] in {"boto3", "botocore"}:
            raise MissingExtraError("aws", "signing with AWS KMS") from None
        raise
    parts = name.split(":")
    region = parts[_REGION] if name.startswith("arn:") and len(parts) > _REGION else None
    try:
        return boto3.client("kms", region_name=region, endpoint_url=surroundings.endpoint)
    except exceptions.BotoCoreError as error:
        raise UsageError(
            f"AWS KMS cannot be asked: {type(error).__name__}", hint="name the key by its ARN"
        ) from None


def _asked(client: Any, operation: str, **arguments: Any) -> Any:
    exceptions = importlib.import_module("botocore.exceptions")
    try:
        return getattr(client, operation)(**arguments)
    except exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "no code")
        hint = "the caller needs kms:GetPublicKey and kms:Sign on this key"
        raise UsageError(f"AWS KMS refused {operation}: {code}", hint=hint) from None
    except exceptions.BotoCoreError as error:
        hint = "sign in as for any tool of AWS, such as by AWS_PROFILE, and look whether its address answers"
        raise UsageError(f"AWS KMS could not be asked: {type(error).__name__}", hint=hint) from None

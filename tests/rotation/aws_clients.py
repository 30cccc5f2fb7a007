"""Real boto3 clients for the local servers, with one attempt each unless a test says otherwise."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from servers.iam_keys import Key

REGION = "eu-west-1"


def client(service: str, url: str, key: Key | None = None, *, secret: str = "", attempts: int = 1) -> Any:
    """Make a client that signs with a key; with nobody's where none is given."""
    return boto3.session.Session().client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="AKIANOBODYSOWNKEY000" if key is None else key.id,
        aws_secret_access_key=secret or ("nothing" if key is None else key.secret),
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}, connect_timeout=5),
    )


def refusal(operation: Any, **asked: Any) -> tuple[int, str]:
    """Do what must be refused; gives status and code."""
    try:
        operation(**asked)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    raise AssertionError("it was not refused")

"""Real boto3 clients for the local servers, with one attempt each unless a test says otherwise."""

from __future__ import annotations

import os
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from servers.iam_keys import Key

REGION = "eu-west-1"


def signs_by_itself(patch: pytest.MonkeyPatch, key: Key | None = None) -> None:
    """Have whoever is opened without a profile sign with a key, and find nothing of this machine."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODYSOWNKEY000" if key is None else key.id)
    patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing" if key is None else key.secret)
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setenv("AWS_CONFIG_FILE", os.devnull)
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


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

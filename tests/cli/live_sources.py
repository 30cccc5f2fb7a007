"""What tests of live listings share: nobody's credentials, and a keyaudit.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

STORE = "aws-secrets-manager"
ACCOUNT = "111122223333"
NOBODY = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "CANARY-secret-access-key",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


def entry(url: str, name: str = "production", region: str = "eu-west-1", **settings: Any) -> dict[str, Any]:
    """One source: a region of Secrets Manager at a local server."""
    return {"name": name, "kind": STORE, "regions": [region], "endpoint_url": url, "attempts": 2, **settings}


def configure(folder: Path, *entries: Mapping[str, Any], **settings: Any) -> None:
    document = {**settings, "sources": [dict(each) for each in entries]}
    (folder / "keyaudit.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")

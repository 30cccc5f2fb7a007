"""What keyaudit.yaml may say about an aws-secrets-manager source, besides what all of AWS share.

depth: versions                 # or `list`: no call a secret; ages become intervals
version_use: true               # last use a version; `false` keeps warm scans cheaper
"""

from __future__ import annotations

from typing import Literal

from keyaudit.sources.aws.settings import AwsSettings


class AwsSecretsManagerSettings(AwsSettings):
    """Checked settings of one aws-secrets-manager source."""

    kind: Literal["aws-secrets-manager"]
    depth: Literal["versions", "list"] = "versions"
    version_use: bool = True

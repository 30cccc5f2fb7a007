"""What keyaudit.yaml may say about an aws-kms source, besides what all of AWS share.

tags: true                      # false saves one call a key, and leaves owner and environment empty
last_use: false                 # true costs one call a key; tells keys that nobody uses; needs boto3 1.42.97

KMS counts its own quota for each of these calls; none is shared with encrypting or decrypting.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from keyaudit.sources.aws.settings import AwsSettings


class AwsKmsSettings(AwsSettings):
    """Checked settings of one aws-kms source."""

    kind: Literal["aws-kms"]
    tags: bool = True
    last_use: bool = False
    requests_per_second: float = Field(default=50, gt=0, le=100_000)

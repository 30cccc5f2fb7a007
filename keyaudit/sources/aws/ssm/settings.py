"""What keyaudit.yaml may say about an aws-ssm source, besides what all of AWS share.

tags: false                     # true costs one call a parameter; fills owner, environment and more

AWS states no quota for listing parameters, and it is low: about twenty calls in a row are throttled.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from keyaudit.sources.aws.settings import AwsSettings


class AwsSsmSettings(AwsSettings):
    """Checked settings of one aws-ssm source."""

    kind: Literal["aws-ssm"]
    tags: bool = False
    requests_per_second: float = Field(default=3, gt=0, le=100_000)

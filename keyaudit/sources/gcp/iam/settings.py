"""What keyaudit.yaml may say about a gcp-iam source, besides what all of Google Cloud share.

last_use: true        # ask Cloud Monitoring which keys signed in; `false` needs no permission there
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from keyaudit.sources.gcp.settings import GcpSettings


class GcpIamSettings(GcpSettings):
    """Checked settings of one gcp-iam source; IAM answers 6,000 reads a minute."""

    kind: Literal["gcp-iam"]
    requests_per_second: float = Field(default=90, gt=0, le=100_000)
    last_use: bool = True

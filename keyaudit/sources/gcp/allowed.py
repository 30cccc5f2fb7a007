"""The only gRPC methods that ever leave for Google; any other is refused before a byte is sent.

Spelled as gRPC spells them: package and service, then method. Signing in (a token from Google's
token endpoint, or an impersonated account's) is google-auth's own and goes another way.
"""

from __future__ import annotations

from keyaudit.sources.protocol import OperationRefusedError

ALLOWED = frozenset(
    {
        "/google.cloud.asset.v1.AssetService/ListAssets",
        "/google.cloud.location.Locations/ListLocations",
        "/google.cloud.secretmanager.v1.SecretManagerService/ListSecretVersions",
        "/google.cloud.secretmanager.v1.SecretManagerService/ListSecrets",
        "/google.iam.admin.v1.IAM/ListServiceAccountKeys",
        "/google.iam.admin.v1.IAM/ListServiceAccounts",
        "/google.monitoring.v3.MetricService/ListTimeSeries",
    }
)


def refuse_streams(method: str) -> OperationRefusedError:
    """Give the refusal of a method that streams."""
    return OperationRefusedError(f"{method} streams and is not on the read-only list; nothing was sent")


def refuse_others(method: str) -> None:
    """Raise OperationRefusedError unless a method is on the list; none of them streams."""
    if method not in ALLOWED:
        raise OperationRefusedError(f"{method} is not on the read-only list; nothing was sent")

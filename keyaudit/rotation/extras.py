"""What must be installed for a party, looked for before anything is asked of anybody.

A new key must not be made only to find that what tries it, or tells when the old one was used, is
not there. Parties that speak plain HTTP with a provider that has no extra of its own need `http`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec

from keyaudit.errors import MissingExtraError

EXTRAS: Mapping[str, str | None] = {
    "access-log": None,
    "anthropic": "anthropic",
    "aws-iam": "aws",
    "aws-secrets-manager": "aws",
    "aws-sts": "aws",
    "command": None,
    "dotenv": None,
    "gcp-secret-manager": "gcp",
    "gemini": "http",
    "google": "gcp",
    "google-service-account": "gcp",
    "groq": "http",
    "http": "http",
    "manual": None,  # but for Anthropic's keys, which an admin key lists: then its door says so
    "mistral": "http",
    "openai": "openai",
    "openrouter": "http",
    "vault-database": "vault",
    "vault-kv": "vault",
}
"""The extra of each kind of party, whatever its role."""
_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("requests",),
    "aws": ("botocore",),
    "gcp": ("google.auth", "google.cloud.secretmanager_v1"),
    "http": ("requests",),
    "openai": ("requests",),
    "vault": ("hvac", "requests"),
}


def require(kinds: Iterable[str]) -> None:
    """Look for what parties of these kinds need; raises MissingExtraError for the first that is missing."""
    for kind in kinds:
        extra = EXTRAS[kind]
        if extra is not None and not all(map(_is_there, _PACKAGES[extra])):
            raise MissingExtraError(extra, f"rotating with {kind}")


def _is_there(package: str) -> bool:
    """Look for a package without importing it; only the namespaces it is in are."""
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even its namespace
        return False

"""Is the old key silent? One file a witness of last use; none of them uses the key."""

from __future__ import annotations

from collections.abc import Mapping

SILENCES: Mapping[str, str] = {
    "access-log": "access_log:AccessLog",
    "anthropic": "anthropic:AnthropicUsage",
    "aws-iam": "aws_iam:KeyLastUsed",
    "aws-secrets-manager": "aws_secrets_manager:VersionLastAccessed",
    "google-service-account": "google_service_account:KeyMetric",
    "openai": "openai:OpenAiUsage",
    "openrouter": "openrouter:OpenRouterUsage",
}
"""The kinds that `silence.kind` may name."""

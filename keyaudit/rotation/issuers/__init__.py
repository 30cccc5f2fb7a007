"""Who makes credentials and honours them: one file a provider, one protocol (`protocol.Issuer`).

naming           a key's name says which rotation made it
ends             which key a value is, by what its provider shows of it
anthropic_keys   what `manual` asks Anthropic, where keys are listed and ended but not made
"""

from __future__ import annotations

from collections.abc import Mapping

ISSUERS: Mapping[str, str] = {
    "aws-iam": "aws_iam:AwsAccessKeys",
    "command": "command:Command",
    "google-service-account": "google_service_account:ServiceAccountKeys",
    "manual": "manual:Manual",
    "openai": "openai:OpenAiKeys",
    "openrouter": "openrouter:OpenRouterKeys",
    "vault-database": "vault_database:VaultDatabase",
}
"""The kinds that `issuer.kind` may name."""

"""Where credentials are kept: one file a store, one protocol (`protocol.Store`)."""

from __future__ import annotations

from collections.abc import Mapping

STORES: Mapping[str, str] = {
    "aws-secrets-manager": "aws_secrets_manager:AwsSecret",
    "dotenv": "dotenv:DotenvFile",
    "gcp-secret-manager": "gcp_secret_manager:GcpSecret",
    "vault-kv": "vault_kv:VaultKv",
}
"""The kinds that `store.kind` may name; `memory` is for programs only."""

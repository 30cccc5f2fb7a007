"""Where credentials are kept: one file a store, one protocol (`protocol.Store`).

note, book, booked   the shelf as a small text that is replaced by compare-and-swap: `memory` and `dotenv`
                     keep a note, `gcp_secret_manager` and `vault_kv` a book: a note and loose ends
aws_secret_labels    the shelf as labels of versions
dotenv_shelf         the shelf as variables and a comment; `dotenv_text` edits, `dotenv_file` locks
aws_secret_calls, vault_kv_calls   what AWS and Vault are asked
"""

from __future__ import annotations

from collections.abc import Mapping

STORES: Mapping[str, str] = {
    "aws-secrets-manager": "aws_secrets_manager:AwsSecret",
    "dotenv": "dotenv:DotenvFile",
    "gcp-secret-manager": "gcp_secret_manager:GcpSecret",
    "vault-kv": "vault_kv:VaultKv",
}
"""The kinds that `store.kind` may name; `memory` is for programs only."""

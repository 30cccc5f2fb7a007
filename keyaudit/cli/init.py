"""keyaudit init: write keyaudit.yaml and a policy to start from."""

from __future__ import annotations

from pathlib import Path

import click

from keyaudit.cli.outputs import tell
from keyaudit.errors import UsageError
from keyaudit.files import write_atomically

EPILOG = """\b
Examples:
  keyaudit init                    in the folder of a repository
  keyaudit init --force ops/audit  in another one, over what is there"""

CONFIGURATION = """\
# What `keyaudit scan` looks at here, by which policy and for whom. Paths count from this file.
# Every setting but one of `inventory` and `sources` may be left out.

# Documents to judge: YAML, JSON, NDJSON, CSV or Parquet. README: "The inventory".
inventory:
  - inventory.yaml

# Stores and providers to list live, read-only: metadata, never a value. Take what you have out of the
# comment. `keyaudit scan --source NAME` lists one of them, `keyaudit sources policy --source NAME` prints
# the least that it must be granted, and `pip install 'keyaudit[EXTRA]'` brings its client. Keys come from
# the environment: a setting names the variable.
# sources:
#   - name: production            # extra: aws
#     kind: aws-secrets-manager
#     profile: audit              # of ~/.aws/config; without it the usual chain of credentials
#     regions: all                # or a list
#     accounts: ["111122223333"]  # or `organization` for all of its accounts
#     role: keyaudit              # the role to assume in each account
#
#   - name: users                 # extra: aws; access keys, and Bedrock's and other services' keys
#     kind: aws-iam
#     profile: audit
#
#   - name: parameters            # extra: aws; SecureString parameters
#     kind: aws-ssm
#     profile: audit
#     regions: [eu-west-1]
#
#   - name: encryption            # extra: aws; customer keys
#     kind: aws-kms
#     profile: audit
#     regions: [eu-west-1]
#
#   - name: google-secrets        # extra: gcp
#     kind: gcp-secret-manager
#     projects: [acme-prod, acme-staging]
#
#   - name: google-keys           # extra: gcp; keys of service accounts
#     kind: gcp-iam
#     projects: [acme-prod, acme-staging]
#
#   - name: vault                 # extra: vault; HashiCorp Vault or OpenBao
#     kind: vault
#     address: https://vault.acme.example:8200
#     token_variable: VAULT_TOKEN
#     namespaces: [team-a]        # or all; without it the token's own
#
#   - name: openai                # extra: openai
#     kind: openai
#     key_variable: OPENAI_ADMIN_KEY
#
#   - name: anthropic             # extra: anthropic
#     kind: anthropic
#     key_variable: ANTHROPIC_ADMIN_KEY

policy: policy.yaml

# `keyaudit frameworks` lists them; a path names one of your own.
frameworks: [soc2]

# The mildest severity that makes the exit code 1: critical, high, medium, low or none.
fail_on: high

# How the terminal report groups findings: owner or environment.
group_by: owner

# What `keyaudit scan --period` knows of the past: earlier inventories, exported audit logs, and records
# of `keyaudit rotate`, as files and folders; policies that governed before, each until a day was over.
# history: [inventories/]
# audit_logs: [cloudtrail/]
# records: [.keyaudit/rotations/]
# earlier_policies:
#   - {until: 2025-12-31, file: policies/2025.yaml}

# What reports say of you: who is audited, and the marking of those that are handed on.
# report:
#   entity: Acme, Inc.
#   marking: Confidential
#   shape: soc2                            # how html and pdf are laid out: `keyaudit scan --help`
#   logo: brand/logo.svg
#   templates: audit/templates/            # your own in place of ours
#   responses: audit/responses.yaml        # what management answers to findings
#   distribution: [Acme management]
#   prepared_by: {name: Ada Example, role: platform security}
#   reviewed_by: {name: Ben Example, role: internal audit}
#   security_hub: 111122223333/eu-west-1   # where asff sends what is of no AWS account or region

# Who signs what `keyaudit scan --bundle` writes, and runs it. In place of sign_key: sign_ssh or sign_kms.
# bundle:
#   sign_key: audit.pem
#   run_by: audit@acme.example

# README: `lineage`, which credentials are one, and `rotations`, what `keyaudit rotate` may change.
"""


@click.command("init", epilog=EPILOG, short_help="Write keyaudit.yaml and a policy to start from.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--force", is_flag=True, help="Replace files that are there.")
def command(folder: Path, force: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Write keyaudit.yaml and policy.yaml, a copy of the shipped policy with its reasons, into FOLDER."""
    from keyaudit.policy.shipped import folder as shipped

    contents = {"keyaudit.yaml": CONFIGURATION, "policy.yaml": shipped("default.yaml").read_text("utf-8")}
    there = [str(folder / name) for name in contents if (folder / name).exists()]
    if there and not force:
        raise UsageError(f"{' and '.join(there)} exist already", hint="--force replaces them")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_atomically(folder / name, content.encode())
            tell(f"wrote {folder / name}")
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror}") from None
    tell(
        "next: name your owner and approver in policy.yaml, list credentials in inventory.yaml, keyaudit scan"
    )

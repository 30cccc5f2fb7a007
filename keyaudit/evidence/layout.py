"""What lies where in an evidence bundle: a folder, or the same tree in a .zip.

`manifest.json` names every other file but the `manifest.*` by its SHA-256, and is what is signed: an
in-toto Statement (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md) as canonical
JSON, with sorted keys, no spaces, UTF-8 and no newline at its end.
"""

from __future__ import annotations

MANIFEST = "manifest.json"
"""The statement. Its bytes are the payload of the DSSE envelope, and what ssh-keygen signs."""
ENVELOPE = "manifest.dsse.json"
"""The DSSE envelope of a bundle that is signed with Ed25519."""
ENCODED = "manifest.pae"
"""The bytes that such a signature covers (DSSE's pre-authentication encoding), for openssl."""
RAW_SIGNATURE = "manifest.sig"
"""The same signature as its 64 bytes, for openssl."""
SSH_SIGNATURE = "manifest.json.sig"
"""The signature of `ssh-keygen -Y sign` over the manifest, armoured."""
PUBLIC_KEY = "manifest.pub.pem"
"""The public key of an Ed25519 signature, to read: who trusts a key has it from somewhere else."""
SSH_PUBLIC_KEY = "manifest.pub"
"""The public key of an SSH signature, in one line, to read: it proves as little."""
UNLISTED = (MANIFEST, ENVELOPE, ENCODED, RAW_SIGNATURE, SSH_SIGNATURE, PUBLIC_KEY, SSH_PUBLIC_KEY)
"""Files that the manifest cannot name, being made of it. Any other that it does not name is foreign."""

SUMS = "SHA256SUMS"
"""For `sha256sum -c`: every file but itself and the `manifest.*`. The manifest names it, too."""
STEPS = "VERIFY.md"
"""How to check all of this by hand."""
RECIPE = "audit.json"
"""All that the audit depends on, `keyaudit/audit/1`."""
RESOLVED_POLICY = "policy.resolved.json"
"""The policy as it was understood, every default filled in."""
REPORT = "report.json"
"""The report for machines, `keyaudit/report/1`."""
FINDINGS, LEDGER, COVERAGE, SAMPLE = "findings.csv", "ledger.csv", "coverage.csv", "sample.csv"
"""Tables for workpapers; the ledger is that of an audited period, the sample one that was asked for."""
REPORTS = "reports"
"""The folder of the documents that `--format` asked for, under the names that they always have."""

INPUTS = "inputs"
INVENTORIES = f"{INPUTS}/inventory"
POLICY = f"{INPUTS}/policy.yaml"
EARLIER_POLICIES = f"{INPUTS}/earlier-policies"
FRAMEWORKS = f"{INPUTS}/frameworks"
RECORDS = f"{INPUTS}/records"
HISTORY = f"{INPUTS}/history.ndjson"
AUDIT_LOGS = f"{INPUTS}/audit-log-entries.ndjson"
"""What audit logs told, `keyaudit/audit-log-entries/1`. A log itself may hold values, and never lies here."""
BASELINE = f"{INPUTS}/baseline.json"

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:keyaudit:evidence-bundle:1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
NAMESPACE = "keyaudit-bundle"
"""What SSH signatures are for: `ssh-keygen -Y sign -n` and `-Y verify -n`."""
RECIPE_SCHEMA = "keyaudit/audit/1"

ZIP = ".zip"


def is_zip(name: str) -> bool:
    """Say whether a bundle of this name is one archive, not a folder."""
    return name.lower().endswith(ZIP)

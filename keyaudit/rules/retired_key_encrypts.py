"""KA205 retired-key-encrypts: a replaced encryption or signing key may still encrypt or sign.

## What it checks

Whether a replaced version of an encryption or signing key may still encrypt or sign: `authenticates` true.
For keys that is what the column means, and it counts more than the state. There is no grace period.

- A replaced version that only decrypts or verifies (`authenticates` false) passes, however old it is. No
  replaced version passes.
- Not known what a replaced version may do: unknown. If it is disabled or destroyed, it passes: a key acts
  where it is kept.
- Not known what class it is, and an old version may encrypt or sign for sure: unknown. Otherwise a credential
  of unknown class is left to old-key-active.
- Not applicable: any other class, replicas, and sources that cannot tell.

## Why is this bad?

An old key must stay able to decrypt what it encrypted, but every new message under it renews the need to keep
it. A retired signing key that still signs can forge what your systems accept, and its retirement has
protected nothing.

## Example

A Vault transit key has three versions and `min_encryption_version` is 0: a caller may ask for version 1 and
encrypt with it.

## Remediation

Stop new use, keep the old key for reading, and re-encrypt if it must go.

- Vault transit: `vault write transit/keys/NAME/config min_encryption_version=N`; `vault write
  transit/rewrap/NAME` moves old ciphertexts to the newest version.
- AWS KMS and Google Cloud KMS encrypt with the newest version by themselves. A key that was replaced by
  another key: take `kms:Encrypt`, `kms:GenerateDataKey` and `kms:Sign` out of its policy and leave decryption
  in.
- Token signing: remove the private key, and keep the public one published for as long as the longest token
  lives.

## References

- NIST SP 800-57 part 1 rev. 5, sections 5.3 and 8.3: https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final
- Vault, Transit secrets engine: https://developer.hashicorp.com/vault/docs/secrets/transit
- PCI DSS 4.0.1, 3.7.5; ISO/IEC 27001:2022 A.8.24; NIST SP 800-53 SC-12; SOC 2 CC6.1
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask keys, and what may be one if its old version surely works."""
    works = facts.old_encrypts.fill_null(value=False)
    perhaps_a_key = facts.is_key | (facts.is_key.is_null() & works)
    return Check(
        applies=perhaps_a_key.fill_null(value=False) & ~facts.is_replica,
        fails=facts.old_encrypts & facts.is_key,
    )


RULE = Rule(
    id="KA205",
    name="retired-key-encrypts",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="a replaced key may still encrypt or sign",
    doc=__doc__,
    check=check,
    needs=("class", "versions.authenticates"),
    evidence=("class", "old_encrypts"),
)

"""KA502 shared-across-environments: one credential serves more than one environment.

## What it checks

In how many environments copies with the same `lineage` are. More than one fails, on every copy.

- A copy whose environment is not known may be in a second one: unknown, unless two are known already.
- A key as its provider lists it (an OpenAI service account, an IAM user) is no copy: where its environment is
  not known, it is not judged and makes nothing unknown.
- Not applicable: no lineage, nothing in use, replicas, and sources that know no lineage or no environment.

A lineage is something you declare: a label, a column of the inventory, a rule in keyaudit.yaml, or the id of
the provider's key on each secret that holds it. keyaudit never compares values, so a shared key that nobody
declared stays unseen.

## Why is this bad?

The key is as safe as the weakest place that holds it. Development machines, test logs and build jobs see it,
and it opens production. It also cannot be rotated in staging first, since there is no staging key.

## Example

`prod/openai` and `dev/openai` carry the lineage `openai-main`.

## Remediation

Give each environment a key of its own, then rotate the one that production keeps: the other environments have
seen it.

- OpenAI, Anthropic: a project or workspace for each environment, with its own keys and limits.
- AWS: an account for each environment; no access keys of one in another. Google Cloud: the same with
  projects.
- Databases: a user for each environment.

## References

- OWASP Non-Human Identities Top 10, NHI8: https://owasp.org/www-project-non-human-identities-top-10/
- PCI DSS 4.0.1, 3.6.1.1, 6.5.3; ISO/IEC 27001:2022 A.8.31; NIST SP 800-53 IA-9, SA-3(1); SOC 2 CC6.1
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Count the environments of a lineage; an unclassified copy may hide a second one."""
    unplaced = facts.at_provider & facts.environment.is_null()
    return Check(
        applies=facts.in_use & ~facts.is_replica & ~facts.lineage.is_null() & ~unplaced,
        fails=facts.lineage_environments > 1,
    )


RULE = Rule(
    id="KA502",
    name="shared-across-environments",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="lineage {lineage} is in {lineage_environments} environments",
    doc=__doc__,
    check=check,
    needs=("lineage", "environment"),
    evidence=("lineage", "environment", "lineage_environments"),
)

"""What a pull needs of OpenAI: an admin key with few permissions, and the requests it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keyaudit.sources.openai.api import ADMIN_KEYS, COSTS, PROJECT_KEYS, PROJECTS
from keyaudit.sources.openai.settings import OpenAiSettings
from keyaudit.sources.pulling.settings import PullSettings

_TEXT = """\
# An admin key for keyaudit at OpenAI

Only an owner of the organization can create one: platform.openai.com, Settings, Organization, Admin keys.
No project key, and no key of a person or a service account, can list keys.

1. Create a key for keyaudit alone, with an expiry. Permissions: `Read only`, or `Restricted` with

{permissions}

   and nothing else. `All` lets whoever holds the key create keys, delete them and invite people.
2. Put it into the environment variable {variables} where keyaudit runs. No file of keyaudit's holds it.
3. An admin key cannot be narrowed down to some projects. Let the network do the rest: keyaudit sends these
   requests and refuses any other in its own code, before it is sent, so a proxy can allow just them.

{requests}
"""


def least_privilege(wanted: Mapping[str, Sequence[PullSettings]]) -> str:
    """Give the steps that make an admin key for a pull, as Markdown; settings narrow them down."""
    every = [each for settings in wanted.values() for each in settings if isinstance(each, OpenAiSettings)]
    usage = not every or any(each.usage for each in every)
    permissions = [("api.management.read", "projects and keys")]
    paths = [PROJECTS, PROJECT_KEYS]
    if not every or any(each.admin_keys for each in every):
        paths.append(ADMIN_KEYS)
    if usage:
        permissions.append(("api.usage.read", "the cost report, for `usage: true`"))
        paths.append(COSTS)
    hosts = sorted({each.endpoint.rstrip("/") for each in every}) or ["https://api.openai.com"]
    variables = sorted({each.key_variable for each in every}) or ["OPENAI_ADMIN_KEY"]
    return _TEXT.format(
        permissions="\n".join(f"   - `{name}`: {why}" for name, why in permissions),
        variables=" or ".join(f"`{name}`" for name in variables),
        requests="\n".join(f"       GET {host}{path}" for host in hosts for path in paths),
    )

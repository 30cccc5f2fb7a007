"""What a pull needs of Anthropic: an admin key, which cannot be narrowed down, and the requests it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keyaudit.sources.anthropic.api import KEYS, ORGANIZATION, USAGE, USERS, WORKSPACES
from keyaudit.sources.anthropic.settings import AnthropicSettings
from keyaudit.sources.pulling.settings import PullSettings

_TEXT = """\
# An admin key for keyaudit at Anthropic

Only a member with the admin role can create one (it begins with sk-ant-admin): Claude Console, Settings,
Admin keys. Individual accounts have none; an organization must be set up first.

1. Create a key for keyaudit alone.
2. Know what it can do: an Anthropic admin key cannot be narrowed down. Whoever holds it can also rename keys,
   switch them off and archive them, and change members and workspaces. It cannot create API keys, and no
   request shows the value of one.
3. Put it into the environment variable {variables} where keyaudit runs. No file of keyaudit's holds it.
4. Let the network do what Anthropic cannot: keyaudit sends these requests and refuses any other in its own
   code, before it is sent, so a proxy can allow just them. POST to the same paths is what changes things.

{requests}
"""


def least_privilege(wanted: Mapping[str, Sequence[PullSettings]]) -> str:
    """Give the steps that make an admin key for a pull, as Markdown; settings narrow the requests down."""
    every = [each for settings in wanted.values() for each in settings if isinstance(each, AnthropicSettings)]
    paths = [KEYS, WORKSPACES, USERS]
    if not every or any(each.last_use for each in every):
        paths.append(USAGE)
    if not every or any(each.organization_id for each in every):
        paths.append(ORGANIZATION)
    hosts = sorted({each.endpoint.rstrip("/") for each in every}) or ["https://api.anthropic.com"]
    variables = sorted({each.key_variable for each in every}) or ["ANTHROPIC_ADMIN_KEY"]
    return _TEXT.format(
        variables=" or ".join(f"`{name}`" for name in variables),
        requests="\n".join(f"       GET {host}{path}" for host in hosts for path in paths),
    )

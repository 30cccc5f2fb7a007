"""As whom a token asks: the name that its login or whoever issued it gave it (`root`, `approle`, `ldap-ann`).

The answer holds the token and its accessor too: neither has a field here, and a name that repeats the token
is no name. What cannot be asked, or is not granted, is not known, and costs a pull nothing else.

Source: "Lookup a token (self)" of Vault's token auth method.
"""

from __future__ import annotations

import msgspec

from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.sources.vault.answers import asked, decoder
from keyaudit.sources.vault.client import Vault

ITSELF = "auth/token/lookup-self"
LONGEST = 200


class _Itself(msgspec.Struct, frozen=True):
    display_name: str = ""


_ITSELF = decoder(_Itself)


def display_name(vault: Vault, token: str) -> str | None:
    """Ask what the token is called; None where that is not known."""
    try:
        name = asked(vault, "GET", ITSELF, _ITSELF).display_name
    except RefusedError:
        return None
    return name if 0 < len(name) <= LONGEST and name.isprintable() and token not in name else None

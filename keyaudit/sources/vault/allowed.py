"""The only requests that ever leave for Vault, by verb and path; any other is refused before a byte is sent.

A mount may be called anything, `data` too, and a secret's path may hold anything. So every pattern
begins with a mount that is really there, of the engine that the server says it is, and a name never
holds a `.` or `..` segment, an empty one, or a slash or a dot in disguise (`%2f`, `%2e`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from keyaudit.sources.pulling.web import Allowed
from keyaudit.sources.vault.caller import ITSELF
from keyaudit.sources.vault.mounts import Mount

# One segment as a URL spells it: unreserved characters, and the rest escaped. Neither %2E nor %2F, which
# a server reads as dot and slash, nor control characters.
_NAME = r"(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~-]|%(?![01]|2[EeFf]|7[Ff])[0-9A-Fa-f]{2})+"
_PATH = rf"{_NAME}(?:/{_NAME})*"

FINDING: tuple[tuple[str, str], ...] = (
    ("GET", "sys/mounts"),
    ("GET", "sys/auth"),
    ("GET", "sys/internal/ui/mounts"),
    ("LIST", "sys/namespaces"),
    ("GET", ITSELF),
)
"""What finds out which mounts there are, and as whom the token asks."""

OF_ENGINE: dict[str, tuple[tuple[str, str], ...]] = {
    "kv": (
        ("LIST", rf"/metadata(?:/{_PATH})?"),
        ("GET", rf"/metadata/{_PATH}"),
        ("SCAN", "/detailed-metadata"),
    ),
    "kv-v1": (("LIST", rf"(?:/{_PATH})?"),),
    "database": (("LIST", "/static-roles"), ("GET", f"/static-roles/{_NAME}")),
    "ldap": (("LIST", rf"/static-role(?:/{_PATH})?"), ("GET", f"/static-role/{_PATH}")),
    "aws": (("LIST", "/static-roles"), ("GET", f"/static-roles/{_NAME}")),
    "gcp": (("LIST", "/static-accounts"), ("GET", f"/static-account/{_NAME}")),
    "transit": (("LIST", "/keys"), ("GET", f"/keys/{_NAME}")),
    "approle": (
        ("LIST", "/role"),
        ("LIST", f"/role/{_NAME}/secret-id"),
        ("POST", f"/role/{_NAME}/secret-id-accessor/lookup"),
    ),
}
"""What may be asked of a mount, after its path. Of `kv-v1` a read would give the value. The one POST is a
lookup whose body names an accessor."""


def allowed(address: str, mounts: Iterable[Mount] = (), *, finding: bool = False) -> Allowed:
    """Give what may be asked of a server about some mounts; with `finding`, which mounts there are."""
    base = re.escape(urlsplit(address).path.rstrip("/") + "/v1/")
    listed = [(verb, re.compile(base + path)) for verb, path in (FINDING if finding else ())]
    for mount in mounts:
        path = base + re.escape(mount.quoted)
        listed += [(verb, re.compile(path + rest)) for verb, rest in OF_ENGINE[mount.engine]]
    return listed

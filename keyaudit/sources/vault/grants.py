"""The least that a Vault policy must grant for a pull, and the denials that keep values out of reach.

A policy's longest path decides, and a denial beats every grant of the same path. LIST is asked of a
path with a slash at its end: `secret/metadata/*` grants it on the top level too. Any token may ask which
engines its mounts are (`sys/internal/ui/mounts`); it is granted all the same, for nothing is listed without.
So is a token's look at itself, which the policy `default` has: as whom was asked is part of the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from keyaudit.sources.pulling.settings import PullSettings
from keyaudit.sources.vault.caller import ITSELF
from keyaudit.sources.vault.settings import AUTH, ENGINES, EVERY, Engine, VaultSettings

USUAL: dict[Engine, str] = {
    "kv": "secret",
    "kv-v1": "kv",
    "database": "database",
    "ldap": "ldap",
    "aws": "aws",
    "gcp": "gcp",
    "transit": "transit",
    "approle": "auth/approle",
}
"""Where engines are mounted if nobody says otherwise."""

GRANTS: dict[Engine, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "kv": (("metadata/*", ("read", "list")),),
    "kv-v1": (("*", ("list",)),),
    "database": (("static-roles", ("list",)), ("static-roles/+", ("read",))),
    "ldap": (("static-role/*", ("read", "list")),),
    "aws": (("static-roles", ("list",)), ("static-roles/+", ("read",))),
    "gcp": (("static-accounts", ("list",)), ("static-account/+", ("read",))),
    "transit": (("keys", ("list",)), ("keys/+", ("read",))),
    "approle": (
        ("role", ("list",)),
        ("role/+/secret-id", ("list",)),
        ("role/+/secret-id-accessor/lookup", ("update",)),
    ),
}
"""What a pull asks of a mount. `+` is one segment of a path. Of `kv-v1` a read would give the value."""

NEVER: dict[Engine, tuple[str, ...]] = {
    "kv-v1": (),
    "kv": ("data/*", "subkeys/*", "delete/*", "undelete/*", "destroy/*", "config"),
    "database": ("creds/*", "static-creds/*", "config/*", "rotate-role/*", "rotate-root/*"),
    "ldap": ("static-cred/*", "creds/*", "library/*", "config", "rotate-role/*", "rotate-root"),
    "aws": ("creds/*", "sts/*", "static-creds/*", "config/*"),
    "gcp": (
        "key/*",
        "token/*",
        "roleset/*",
        "static-account/+/key",
        "static-account/+/token",
        "static-account/+/rotate-key",
        "impersonated-account/*",
        "config",
    ),
    "transit": (
        "export/*",
        "byok-export/*",
        "backup/*",
        "restore/*",
        "decrypt/*",
        "encrypt/*",
        "rewrap/*",
        "datakey/*",
        "sign/*",
        "hmac/*",
    ),
    "approle": (
        "login",
        "role/+/role-id",
        "role/+/custom-secret-id",
        "role/+/secret-id-accessor/destroy",
        "role/+/secret-id/destroy",
    ),
}
"""Values, what makes new ones, and every change."""

_UNKNOWN = """\
# Every mount that is to be listed needs its own lines: these have the usual paths. With `mounts` in
# keyaudit.yaml they have yours. Never grant a read below a mount of KV version 1: it gives the value."""
_BULK = """\
# OpenBao lists a whole mount at once if it is granted this (`scan: true`). Vault does not know `scan` and
# refuses a policy that has it."""
_NAMESPACES = """\
# For a token of the namespace above all others; `namespaces` in keyaudit.yaml names them for these lines."""


def least_privilege(wanted: Mapping[str, Sequence[PullSettings]]) -> str:
    """Give the ACL policy of the token that pulls, as HCL, for the settings of vault sources."""
    every = [settings for each in wanted.values() for settings in each if isinstance(settings, VaultSettings)]
    if not every:
        every = [VaultSettings(name="any", kind="vault", address="https://vault.example")]
    blocks: dict[str, None] = {}
    for settings in every:
        for block in _blocks(settings):
            blocks.setdefault(block)
    return "\n\n".join(blocks) + "\n"


def _blocks(settings: VaultSettings) -> Iterator[str]:
    if settings.mounts == EVERY:
        yield _UNKNOWN
    if settings.namespaces == EVERY:
        yield _NAMESPACES
    for namespace in ("",) if settings.namespaces == EVERY else settings.namespaces:
        prefix = f"{namespace}/" if namespace else ""
        yield "\n".join(_finding(settings, prefix))
        for engine, paths in _mounts(settings).items():
            for path in paths:
                yield "\n".join(_of_mount(settings, engine, prefix + path))


def _finding(settings: VaultSettings, prefix: str) -> Iterator[str]:
    if settings.namespaces == EVERY:
        yield _rule(f"{prefix}sys/namespaces", ("list",))
    if settings.mounts == EVERY:
        yield _rule(f"{prefix}sys/mounts", ("read",))
        if AUTH & set(settings.engines):
            yield _rule(f"{prefix}sys/auth", ("read",))
    yield _rule(f"{prefix}sys/internal/ui/mounts", ("read",))
    if prefix == _first(settings):
        yield _rule(f"{prefix}{ITSELF}", ("read",))


def _first(settings: VaultSettings) -> str:
    """Give the prefix of the namespace in which a pull asks as whom it asks."""
    namespace = "" if settings.namespaces == EVERY else settings.namespaces[0]
    return f"{namespace}/" if namespace else ""


def _mounts(settings: VaultSettings) -> Mapping[Engine, Sequence[str]]:
    if settings.mounts != EVERY:
        return {engine: settings.declared[engine] for engine in ENGINES if engine in settings.declared}
    return {engine: (USUAL[engine],) for engine in ENGINES if engine in settings.engines}


def _of_mount(settings: VaultSettings, engine: Engine, path: str) -> Iterator[str]:
    for part, capabilities in GRANTS[engine]:
        yield _rule(f"{path}/{part}", capabilities)
    if engine == "kv":
        bulk = _rule(f"{path}/detailed-metadata", ("scan",))
        yield bulk if settings.scan else f"{_BULK}\n# {bulk}"
    for part in NEVER[engine]:
        yield _rule(f"{path}/{part}", ("deny",))


def _rule(path: str, capabilities: Sequence[str]) -> str:
    listed = ", ".join(f'"{each}"' for each in capabilities)
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'path "{escaped}" {{ capabilities = [{listed}] }}'

"""Which namespaces and mounts there are, as far as the token may know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from msgspec.json import Decoder

from keyaudit.sources.pulling.refusals import Kind, Refusal, RefusedError
from keyaudit.sources.vault.answers import Envelope, MountInfo, Mounts, Visible, asked, decoder, names
from keyaudit.sources.vault.client import Vault
from keyaudit.sources.vault.mounts import Mount
from keyaudit.sources.vault.settings import AUTH, EVERY, Engine, VaultSettings, is_path

TYPES: dict[str, Engine] = {
    "kv": "kv",
    "generic": "kv",
    "database": "database",
    "ldap": "ldap",
    "openldap": "ldap",
    "aws": "aws",
    "gcp": "gcp",
    "transit": "transit",
}
AUTH_TYPES: dict[str, Engine] = {"approle": "approle"}
OWN = frozenset({"system", "identity", "cubbyhole", "ns_system", "ns_identity", "ns_cubbyhole", "token"})
"""Mounts that are there from the start and keep nobody's credentials to list."""
ONLY_VISIBLE = "the list of all mounts was not given ({reason}), so there may be more than the token can see"

_ALL: Decoder[Envelope[Mounts]] = decoder(Mounts)
_VISIBLE = decoder(Visible)
_DEEPEST = 20


@dataclass
class Found:
    """The mounts of one namespace, whether the server named them, and what cannot be listed at all."""

    mounts: list[Mount] = field(default_factory=list)
    lost: dict[str, tuple[str, Engine | None]] = field(default_factory=dict)
    """Why, and the engine if it is known, by path; "*" where not even the mounts are known."""
    certain: bool = True
    note: str | None = None


def below(vault: Vault) -> list[str]:
    """List the namespaces in one; [] where there are none, or no namespaces at all. Raises RefusedError."""
    try:
        found = [name.strip("/") for name in names(vault, "sys/namespaces")]
    except RefusedError as error:
        if error.refusal.kind in {Kind.GONE, Kind.NOT_ENABLED}:
            return []
        raise
    return [name for name in found if is_path(name)]


def too_deep(namespace: str) -> bool:
    """Say whether a namespace lies so deep that a server must be making it up."""
    return namespace.count("/") >= _DEEPEST


def find(vault: Vault, settings: VaultSettings, namespace: str) -> Found:
    """Find the mounts of a namespace; what was refused ends up in what was lost."""
    if settings.mounts == EVERY:
        return _every(vault, settings, namespace)
    found = Found()
    try:
        visible = asked(vault, "GET", "sys/internal/ui/mounts", _VISIBLE)
    except RefusedError as error:
        return _untold(settings, namespace, error.refusal)
    there = {**_by_path(visible.secret, ""), **_by_path(visible.auth, "auth/")}
    for engine, paths in settings.declared.items():
        for path in paths:
            info = there.get(path)
            mount = None if info is None else _mount(settings, namespace, path, info)
            if info is None:
                found.lost[path] = "there is no such mount, or the token may do nothing with it", engine
            elif mount is None or mount.engine != engine:
                found.lost[path] = f"its engine is not {engine}" + _rather(mount), engine
            else:
                found.mounts.append(mount)
    return found


def _untold(settings: VaultSettings, namespace: str, refusal: Refusal) -> Found:
    """Go by the settings alone: ask the mounts themselves, unless nobody answers at all."""
    every = [(path, engine) for engine, paths in settings.declared.items() for path in paths]
    if refusal.kind in {Kind.DENIED, Kind.GONE, Kind.NOT_ENABLED, Kind.OTHER, Kind.UNREADABLE}:
        return Found(
            [Mount(settings.place, namespace, path, engine) for path, engine in every], certain=False
        )
    return Found(lost={path: (refusal.reason, engine) for path, engine in every})


def _every(vault: Vault, settings: VaultSettings, namespace: str) -> Found:
    found = Found()
    try:
        there = _by_path(asked(vault, "GET", "sys/mounts", _ALL), "")
        if AUTH & set(settings.engines):
            there |= _by_path(asked(vault, "GET", "sys/auth", _ALL), "auth/")
    except RefusedError as error:
        found.lost["*"] = error.refusal.reason, None
        if error.refusal.kind is not Kind.DENIED:
            return found
        found.lost["*"] = ONLY_VISIBLE.format(reason=error.refusal.reason), None
        there = _visible(vault)
    others: dict[str, int] = {}
    for path, info in sorted(there.items()):
        mount = _mount(settings, namespace, path, info)
        if mount is None:
            if info.type not in OWN and not path.startswith("auth/"):
                others[info.type] = others.get(info.type, 0) + 1
        elif mount.engine in settings.engines:
            found.mounts.append(mount)
    found.note = _said(others)
    return found


def _visible(vault: Vault) -> dict[str, MountInfo]:
    try:
        visible = asked(vault, "GET", "sys/internal/ui/mounts", _VISIBLE)
    except RefusedError:
        return {}  # the first refusal is said already
    return {**_by_path(visible.secret, ""), **_by_path(visible.auth, "auth/")}


def _by_path(mounts: Mounts, prefix: str) -> dict[str, MountInfo]:
    return {prefix + path.strip("/"): info for path, info in mounts.items() if is_path(path.strip("/"))}


def _mount(settings: VaultSettings, namespace: str, path: str, info: MountInfo) -> Mount | None:
    engine = (AUTH_TYPES if path.startswith("auth/") else TYPES).get(info.type)
    if engine is None:
        return None
    if engine == "kv" and str((info.options or {}).get("version", "1")) != "2":
        engine = "kv-v1"
    return Mount(settings.place, namespace, path, engine)


def _rather(mount: Mount | None) -> str:
    return "" if mount is None else f" but {mount.engine}"


def _said(others: Mapping[str, int]) -> str | None:
    """Say what mounts there are besides; a type is a plugin's name, which anybody may choose."""
    known = {
        name: count for name, count in others.items() if name.isascii() and name.replace("-", "").isalnum()
    }
    odd = sum(others.values()) - sum(known.values())
    listed = [f"{count:,} {name}" for name, count in sorted(known.items())] + (
        [f"{odd:,} more"] if odd else []
    )
    return f"mounts beside it that are not listed: {', '.join(listed)}" if listed else None


def children(namespace: str, found: list[str]) -> Iterator[str]:
    """Give the full paths of the namespaces in one."""
    return ("/".join(filter(None, (namespace, name))) for name in found)

"""Which namespaces and mounts there are, as far as the token may know."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from msgspec.json import Decoder

from keyaudit.sources.pulling.refusals import Kind, Refusal, RefusedError
from keyaudit.sources.vault.answers import Envelope, MountInfo, Mounts, Visible, asked, decoder, names
from keyaudit.sources.vault.client import Vault
from keyaudit.sources.vault.mounts import ANY, Mount
from keyaudit.sources.vault.settings import AUTH, EVERY, Engine, VaultSettings, is_mount, is_namespace

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
_VERSIONS: dict[str, Engine] = {"1": "kv-v1", "2": "kv"}
OWN = frozenset({"system", "identity", "cubbyhole", "ns_system", "ns_identity", "ns_cubbyhole", "token"})
"""Mounts that are there from the start and keep nobody's credentials to list."""
ONLY_VISIBLE = "the list of all mounts was not given ({reason}), so there may be more than the token can see"
UNSAID = "the server does not say which engine this is"
"""So nothing below is asked: a read that gives the metadata of one engine gives the value of another."""
DEEPEST = 20
MOST_NAMESPACES = 10_000
"""So many, and so deep, until a server must be making them up."""

_ALL: Decoder[Envelope[Mounts]] = decoder(Mounts)
_VISIBLE = decoder(Visible)
_ANSWERED = frozenset({Kind.DENIED, Kind.GONE, Kind.NOT_ENABLED, Kind.OTHER, Kind.UNREADABLE})


@dataclass
class Found:
    """The mounts of one namespace, and what cannot be listed at all."""

    mounts: list[Mount] = field(default_factory=list)
    lost: dict[str, tuple[str, Engine | None]] = field(default_factory=dict)
    """Why, and the engine if it is known, by path; `ANY` where not even the mounts are known."""
    note: str | None = None
    caller: str | None = None
    """What the server calls the token, where it was asked."""

    def lose(self, path: str, reason: str, engine: Engine | None = None) -> None:
        """Say what cannot be listed, beside what was said of the path before."""
        said = self.lost.get(path)
        self.lost[path] = f"{said[0]}; {reason}" if said else reason, engine


@dataclass
class _There:
    """The mounts that the server names, by path, and those whose paths are none."""

    by_path: dict[str, MountInfo] = field(default_factory=dict)
    odd: list[tuple[str, MountInfo]] = field(default_factory=list)

    def take(self, mounts: Mounts, prefix: str = "") -> None:
        for name, info in mounts.items():
            path = prefix + name.removesuffix("/")
            if is_mount(path):
                self.by_path[path] = info
            else:
                self.odd.append((prefix, info))


def below(vault: Vault) -> list[str]:
    """List the namespaces in one; [] where there are none, or no namespaces at all. Raises RefusedError."""
    try:
        return names(vault, "sys/namespaces")
    except RefusedError as error:
        if error.refusal.kind in {Kind.GONE, Kind.NOT_ENABLED}:
            return []
        raise


def every_namespace(
    ask: Callable[[str], list[str]], lost: dict[str, str], *, most: int = MOST_NAMESPACES
) -> Iterator[str]:
    """Give the namespaces from the token's own down; `ask` lists one level, or raises RefusedError.

    `lost` is told, by the namespace above, why some below it are missing.
    """
    seen = {""}
    waiting = deque(seen)
    full = False
    while waiting:
        namespace = waiting.popleft()
        yield namespace
        if full:
            continue
        try:
            found, problems = _children(namespace, ask(namespace))
        except RefusedError as error:
            lost[namespace] = f"the namespaces in it could not be listed: {error.refusal.reason}"
            continue
        fresh = [path for path in dict.fromkeys(found) if path not in seen]
        full = len(seen) + len(fresh) > most
        if full:
            problems.append(f"more than {most:,} namespaces, which seems endless")
        fresh = fresh[: most - len(seen)]
        seen.update(fresh)
        waiting.extend(fresh)
        if problems:
            lost[namespace] = "; ".join(problems)


def _children(namespace: str, keys: list[str]) -> tuple[list[str], list[str]]:
    """Give the full paths of the namespaces in one, and what is wrong with the rest."""
    parts = [key.removesuffix("/") for key in keys]
    paths = ["/".join(filter(None, (namespace, part))) for part in parts]
    sound = [path for path, part in zip(paths, parts, strict=True) if "/" not in part and is_namespace(path)]
    problems = []
    if len(sound) < len(keys):
        problems.append(_unaskable(len(keys) - len(sound), "namespace"))
    if sound and namespace.count("/") + 1 >= DEEPEST:
        return [], [*problems, f"namespaces lie more than {DEEPEST} deep, which seems endless"]
    return sound, problems


def _unaskable(count: int, noun: str) -> str:
    have = f"1 {noun} has a name" if count == 1 else f"{count:,} {noun}s have names"
    return f"{have} that cannot be asked for"


def find(vault: Vault, settings: VaultSettings, namespace: str) -> Found:
    """Find the mounts of a namespace; what was refused ends up in what was lost."""
    if settings.mounts == EVERY:
        return _every(vault, settings, namespace)
    found = Found()
    try:
        visible = asked(vault, "GET", "sys/internal/ui/mounts", _VISIBLE)
    except RefusedError as error:
        return _untold(settings, error.refusal)
    there = _seen(visible).by_path
    for engine, paths in settings.declared.items():
        for path in paths:
            info = there.get(path)
            if info is None:
                found.lose(path, "there is no such mount, or the token may do nothing with it", engine)
            elif _unsaid(path, info):
                found.lose(path, UNSAID, engine)
            elif (really := _engine(path, info)) != engine:
                found.lose(path, f"its engine is not {engine}" + (f" but {really}" if really else ""), engine)
            else:
                found.mounts.append(Mount(settings.place, namespace, path, engine))
    return found


def _untold(settings: VaultSettings, refusal: Refusal) -> Found:
    """Ask nothing of the mounts: what the settings call them may not be what they are."""
    reason = f"{UNSAID}: {refusal.reason}" if refusal.kind in _ANSWERED else refusal.reason
    every = [(path, engine) for engine, paths in settings.declared.items() for path in paths]
    return Found(lost={path: (reason, engine) for path, engine in every})


def _every(vault: Vault, settings: VaultSettings, namespace: str) -> Found:
    found = Found()
    there = _There()
    try:
        there.take(asked(vault, "GET", "sys/mounts", _ALL))
        if AUTH & set(settings.engines):
            there.take(asked(vault, "GET", "sys/auth", _ALL), "auth/")
    except RefusedError as error:
        if error.refusal.kind is not Kind.DENIED:
            found.lose(ANY, error.refusal.reason)
            return found
        found.lose(ANY, ONLY_VISIBLE.format(reason=error.refusal.reason))
        there = _visible(vault)
    for path, info in sorted(there.by_path.items()):
        engine = _engine(path, info)
        if engine is not None and engine in settings.engines:
            found.mounts.append(Mount(settings.place, namespace, path, engine))
        elif _unsaid(path, info) and {"kv", "kv-v1"} & set(settings.engines):
            found.lose(path, UNSAID)
    odd = [each for each in there.odd if _engine(*each) in settings.engines or _unsaid(*each)]
    if odd:
        found.lose(ANY, _unaskable(len(odd), "mount"))
    found.note = _said([*there.by_path.items(), *there.odd])
    return found


def _visible(vault: Vault) -> _There:
    try:
        return _seen(asked(vault, "GET", "sys/internal/ui/mounts", _VISIBLE))
    except RefusedError:
        return _There()  # the first refusal is said already


def _seen(visible: Visible) -> _There:
    there = _There()
    there.take(visible.secret)
    there.take(visible.auth, "auth/")
    return there


def _known(path: str, info: MountInfo) -> Engine | None:
    return (AUTH_TYPES if path.startswith("auth/") else TYPES).get(info.type)


def _engine(path: str, info: MountInfo) -> Engine | None:
    """Give the engine, None for one that is not listed here, or not said."""
    engine = _known(path, info)
    return _VERSIONS.get(_version(info)) if engine == "kv" else engine


def _unsaid(path: str, info: MountInfo) -> bool:
    """Say whether this may be either version of KV."""
    return _known(path, info) == "kv" and _version(info) not in _VERSIONS


def _version(info: MountInfo) -> str:
    """Give the version of KV; the first one was there before there were versions."""
    return str((info.options or {}).get("version", "1"))


def _said(there: list[tuple[str, MountInfo]]) -> str | None:
    """Say what mounts there are besides; a type is a plugin's name, which anybody may choose."""
    kinds = [info.type for path, info in there if _known(path, info) is None and not path.startswith("auth/")]
    others: Mapping[str, int] = Counter(kind for kind in kinds if kind not in OWN)
    known = {
        name: count for name, count in others.items() if name.isascii() and name.replace("-", "").isalnum()
    }
    odd = sum(others.values()) - sum(known.values())
    listed = [f"{count:,} {name}" for name, count in sorted(known.items())] + (
        [f"{odd:,} more"] if odd else []
    )
    return f"mounts beside it that are not listed: {', '.join(listed)}" if listed else None

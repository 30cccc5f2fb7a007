"""The rotations of keyaudit.yaml, every setting checked: which credentials may be changed, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keyaudit.errors import PolicyError, Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.rotation.settings import RotationSettings
    from keyaudit.strict_yaml import Node


@dataclass(frozen=True, slots=True)
class Rotations:
    """Every rotation of a keyaudit.yaml, by name, in its order; relative paths count from `folder`."""

    configuration: Configuration
    folder: Path
    by_name: Mapping[str, RotationSettings]

    def named(self, name: str) -> RotationSettings:
        """Give one rotation; raises UsageError for a name that there is not."""
        if name in self.by_name:
            return self.by_name[name]
        known = ", ".join(self.by_name) or "no rotation yet"
        hint = did_you_mean(name, self.by_name).removeprefix("; ") or f"{self.configuration.file} has {known}"
        raise UsageError(f"no rotation is called {name!r}", hint=hint)


def read(config: str | None) -> Rotations:
    """Read the rotations of the file that `--config` names, or of keyaudit.yaml.

    Raises UsageError where there is none, PolicyError with every problem and its line.
    """
    from keyaudit.cli import configuration
    from keyaudit.strict_yaml import load

    settings = configuration.read(config)
    if settings.file is None:
        raise UsageError(
            "there is no keyaudit.yaml here", hint="describe rotations in one; --config names another"
        )
    file = str(settings.file)
    listed = load(settings.file.read_bytes(), file, error=PolicyError).at(("rotations",))
    entries = listed.content if isinstance(listed.content, list) else []
    found = [problem for index, item in enumerate(entries) for problem in _of_entry(item, index, file)]
    found += [*_order(entries, file), *_shared(entries, file)]
    if found:
        raise PolicyError(sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0)))
    return Rotations(settings, settings.file.parent, _settings(entries))


def _settings(entries: list[Node]) -> dict[str, RotationSettings]:
    from keyaudit.rotation.settings import read_settings

    return {rotation.name: rotation for rotation in (read_settings(entry.value()) for entry in entries)}


def _of_entry(item: Node, index: int, file: str) -> Iterator[Problem]:
    from keyaudit.rotation.settings import check_settings

    for problem in check_settings(item.value()):
        place = item.at(problem.path)
        where = ".".join([f"rotations[{index}]", *map(str, problem.path)])
        yield Problem(file, place.line, place.column, where, problem.message)


def _order(entries: list[Node], file: str) -> Iterator[Problem]:
    """Say where `after` names no rotation, or the rotations go before each other in a ring."""
    after = {str(entry.value().get("name")): entry.value().get("after") for entry in entries}
    for index, entry in enumerate(entries):
        name, before = str(entry.value().get("name")), entry.value().get("after")
        if before is None or before == name:
            continue  # a rotation that names itself is said with its own settings
        place = entry.at(("after",))
        said = None
        if before not in after:
            said = f"no such rotation{did_you_mean(before, after)}"
        elif name in (ring := _before(name, after)):
            said = f"these wait for each other: {' → '.join(ring)}"
        if said:
            yield Problem(file, place.line, place.column, f"rotations[{index}].after", said)


_NOT_ITS_PLACE = frozenset(
    {"destroy", "field", "fields", "next_suffix", "old_versions", "previous_suffix", "staging", "tags"}
    | {"timeout", "variable"}
)
"""Settings of a store that do not say which secret it is."""


def _shared(entries: list[Node], file: str) -> Iterator[Problem]:
    """Say where two rotations are of one secret: each would promote and retire what the other one staged."""
    taken: dict[str, list[tuple[frozenset[str], str]]] = {}
    for index, entry in enumerate(entries):
        name, store = str(entry.value().get("name")), entry.value().get("store")
        if not isinstance(store, Mapping):
            continue
        secret = repr(sorted((key, str(said)) for key, said in store.items() if key not in _NOT_ITS_PLACE))
        own = _variables(store)
        for theirs, other in taken.setdefault(secret, []):
            if store.get("kind") != "dotenv" or own & theirs:
                place = entry.at(("store",))
                said = f"this is the secret of {other}: a secret holds one credential that is rotated"
                yield Problem(file, place.line, place.column, f"rotations[{index}].store", said)
        taken[secret].append((own, name))


def _variables(store: Mapping[str, object]) -> frozenset[str]:
    """Give the variables of a .env file, which holds a secret in each."""
    fields = store.get("fields")
    several = fields.values() if isinstance(fields, Mapping) else ()
    return frozenset(str(name) for name in (store.get("variable"), *several) if name is not None)


def _before(name: str, after: Mapping[str, object]) -> list[str]:
    """Give the rotations that go before one, nearest first; `name` itself ends the list in a ring."""
    found: list[str] = []
    before = after.get(name)
    while isinstance(before, str) and before in after and before not in found:
        found.append(before)
        if before == name:
            break
        before = after.get(before)
    return found

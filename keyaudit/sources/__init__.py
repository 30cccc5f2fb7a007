"""Where credentials are listed: one explicit table of sources, each read-only.

`open_source` takes one entry of `sources:` in keyaudit.yaml as it was parsed:

    source = open_source(entry, clock=now, cache_dir=folder)
    pulled = source.pull(progress)
    inventory = keyaudit.inventory.from_rows(pulled.rows, pulled.coverage, now(), pulled.columns)

Provider libraries are optional extras; they are imported when a source is opened or pulled, and
a missing one raises MissingExtraError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.errors import PolicyError, Problem, nearest
from keyaudit.sources.protocol import Clock, Progress, Pulled, ScopeProgress, Source

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = [
    "SOURCES",
    "Clock",
    "Kind",
    "Progress",
    "Pulled",
    "ScopeProgress",
    "SettingsProblem",
    "Source",
    "check_settings",
    "least_privilege",
    "open_source",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source. Each field imports what it needs when it is called.

    `settings` gives the pydantic model of its settings, `open` makes the source from a checked
    one, `least_privilege` gives the policy to grant, for checked settings or in general.
    """

    settings: Callable[[], type[BaseModel]]
    open: Callable[[Any, Clock, Path | None], Source]
    least_privilege: Callable[[Any | None], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """One thing wrong in the settings of a source: where in the entry, and a sentence."""

    path: tuple[str | int, ...]
    message: str


def _aws_secrets_manager_settings() -> type[BaseModel]:
    from keyaudit.sources.aws.settings import AwsSecretsManagerSettings

    return AwsSecretsManagerSettings


def _aws_secrets_manager(settings: Any, clock: Clock, cache_dir: Path | None) -> Source:
    from keyaudit.sources.aws.secrets_manager import AwsSecretsManager

    return AwsSecretsManager(settings, clock=clock, cache_dir=cache_dir)


def _aws_secrets_manager_policy(settings: Any | None) -> dict[str, Any]:
    from keyaudit.sources.aws import permissions

    return permissions.least_privilege(settings)


SOURCES: dict[str, Kind] = {
    "aws-secrets-manager": Kind(
        _aws_secrets_manager_settings, _aws_secrets_manager, _aws_secrets_manager_policy
    ),
}


def check_settings(entry: Mapping[str, Any]) -> list[SettingsProblem]:
    """Find everything wrong with one entry of `sources:`; [] if it can be opened."""
    return _check(entry)[1]


def open_source(entry: Mapping[str, Any], *, clock: Clock, cache_dir: Path | None = None) -> Source:
    """Make the source that an entry describes, without asking anybody anything yet.

    `cache_dir` is where answers may be kept if the entry says `cache: true`; None keeps none.
    Raises PolicyError with every problem of the entry, MissingExtraError.
    """
    settings, problems = _check(entry)
    if problems:
        name = str(entry.get("name", "sources"))
        raise PolicyError([_as_problem(name, problem) for problem in problems])
    return SOURCES[entry["kind"]].open(settings, clock, cache_dir)


def least_privilege(kind: str, entry: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give the policy that a kind of source needs; raises KeyError for a kind that does not exist."""
    return SOURCES[kind].least_privilege(_check(entry)[0] if entry is not None else None)


def _check(entry: Mapping[str, Any]) -> tuple[Any, list[SettingsProblem]]:
    from pydantic import ValidationError

    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in SOURCES:
        return None, [SettingsProblem(("kind",), _no_such_kind(kind))]
    try:
        return SOURCES[kind].settings().model_validate(entry), []
    except ValidationError as error:
        fields = SOURCES[kind].settings().model_fields
        return None, [_problem(found, list(fields)) for found in error.errors(include_url=False)]


def _no_such_kind(kind: object) -> str:
    if kind is None:
        return f"is missing: write one of {', '.join(SOURCES)}"
    close = nearest(kind, SOURCES)
    return (
        f"no such source; did you mean {close}?"
        if close
        else f"no such source; write one of {', '.join(SOURCES)}"
    )


def _problem(found: Any, fields: list[str]) -> SettingsProblem:
    path: tuple[str | int, ...] = tuple(found["loc"])
    if found["type"] == "extra_forbidden":
        close = nearest(path[-1], fields)
        return SettingsProblem(
            path, f"unknown setting; did you mean {close}?" if close else "unknown setting"
        )
    if found["type"] == "missing":
        return SettingsProblem(path, "is missing")
    return SettingsProblem(path, str(found["msg"]).removeprefix("Value error, "))


def _as_problem(name: str, problem: SettingsProblem) -> Problem:
    return Problem(f"source {name}", None, None, ".".join(map(str, problem.path)), problem.message)

"""What keyaudit.yaml says of a rotation, and the parties it opens.

    rotations:
      - name: openai-prod               # what `keyaudit rotate run NAME` means
        environment: production
        after: openai-staging           # rotated first, and `apart` before this one
        apart: 7d
        window: 1h                      # how long the old key must have been silent
        grace_period: 48h               # without it, the policy's
        store: {kind: aws-secrets-manager, secret: prod/openai, fields: {key: OPENAI_API_KEY}}
        issuer: {kind: openai, project: proj_abc, service_account: svc_abc}
        probe: {kind: openai}
        silence: {kind: openai, project: proj_abc}     # or `none`: then the whole grace is kept

Each party has settings of its own, described where it is. None of them holds a secret: keys come
from the environment, named by variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from keyaudit.errors import PolicyError, Problem, did_you_mean
from keyaudit.rotation import extras
from keyaudit.rotation.issuers import ISSUERS
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.party import Means
from keyaudit.rotation.probes import PROBES
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.silences import SILENCES
from keyaudit.rotation.stores import STORES
from keyaudit.rotation.stores.protocol import Store
from keyaudit.sources.pulling.settings import Duration
from keyaudit.times import DAY, HOUR, MINUTE, SECOND

_TABLES: Mapping[str, Mapping[str, str]] = {
    "store": STORES,
    "issuer": ISSUERS,
    "probe": PROBES,
    "silence": SILENCES,
}
_PACKAGES = {"store": "stores", "issuer": "issuers", "probe": "probes", "silence": "silences"}


class RotationSettings(BaseModel):
    """One entry of `rotations:`. Durations in microseconds; parties are still as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    environment: str | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    after: str | None = None
    apart: Duration = 7 * DAY
    window: Annotated[Duration, Field(ge=SECOND)] = HOUR
    grace_period: Duration | None = None
    settle: Duration = MINUTE
    fresh: Duration = DAY
    propagation: Duration = MINUTE
    store: Mapping[str, Any]
    issuer: Mapping[str, Any]
    probe: Mapping[str, Any]
    silence: Mapping[str, Any] | Literal["none"] = "none"

    @model_validator(mode="before")
    @classmethod
    def _not_itself(cls, entry: Any) -> Any:
        if (
            isinstance(entry, dict)
            and entry.get("after") is not None
            and entry.get("after") == entry.get("name")
        ):
            raise ValueError("`after` names this rotation itself")
        return entry


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """One thing wrong in an entry: where in it, and a sentence."""

    path: tuple[str | int, ...]
    message: str


def check_settings(entry: Mapping[str, Any]) -> list[SettingsProblem]:
    """Find everything wrong with one entry of `rotations:`; [] if it can be opened."""
    return _checked(entry)[2]


def read_settings(entry: Mapping[str, Any]) -> RotationSettings:
    """Give the checked settings of an entry; raises PolicyError with everything wrong with it."""
    rotation, _, problems = _checked(entry)
    if rotation is None or problems:
        name = str(entry.get("name", "?"))
        raise PolicyError(
            [
                Problem(f"rotation {name}", None, None, ".".join(map(str, problem.path)), problem.message)
                for problem in problems
            ]
        )
    return rotation


def open_parties(settings: RotationSettings, means: Means) -> Parties:
    """Open everybody who takes part, without asking anybody anything yet.

    Raises PolicyError, UsageError for a key that is not set, MissingExtraError.
    """
    models = _parties(settings)
    extras.require(model.kind for model in models.values())
    opened = {role: _class(role, model.kind).opened(model, means) for role, model in models.items()}
    issuer = opened["issuer"]
    shape = Shape(dict(models["store"].fields), whole=issuer.whole)
    return Parties(
        opened["store"],
        issuer,
        opened["probe"],
        opened.get("silence"),
        shape,
        propagation=settings.propagation,
    )


def open_store(settings: RotationSettings, means: Means) -> Store:
    """Open the store alone, for looking at what it holds; raises as `open_parties` does."""
    model = _parties(settings)["store"]
    extras.require([model.kind])
    store: Store = _class("store", model.kind).opened(model, means)
    return store


def open_undemanding(settings: RotationSettings, means: Means) -> list[tuple[Any, Any]]:
    """Give the settings of each party and the party, for what it declares: it may lack what it asks with."""
    models = _parties(settings)
    return [(model, _class(role, model.kind).opened(model, means)) for role, model in models.items()]


def _class(role: str, kind: str) -> Any:
    module, _, name = _TABLES[role][kind].partition(":")
    return getattr(import_module(f"keyaudit.rotation.{_PACKAGES[role]}.{module}"), name)


def _parties(settings: RotationSettings) -> dict[str, Any]:
    problems: list[SettingsProblem] = []
    entries = {role: getattr(settings, role) for role in _TABLES}
    models = {
        role: _party(role, party, problems) for role, party in entries.items() if isinstance(party, Mapping)
    }
    assert not problems  # they were checked when they were read
    return models


def _checked(
    entry: Mapping[str, Any],
) -> tuple[RotationSettings | None, dict[str, Any], list[SettingsProblem]]:
    problems: list[SettingsProblem] = []
    rotation = None
    try:
        rotation = RotationSettings.model_validate(dict(entry))
    except ValidationError as error:
        problems += _problems((), error, RotationSettings)
    models: dict[str, Any] = {}
    for role in _TABLES:
        party = entry.get(role)
        if isinstance(party, Mapping):
            models[role] = _party(role, party, problems)
    return rotation, models, problems


def _party(role: str, entry: Mapping[str, Any], problems: list[SettingsProblem]) -> Any:
    kind, table = entry.get("kind"), _TABLES[role]
    if not isinstance(kind, str) or kind not in table:
        said = "is missing" if kind is None else f"no such {role}{did_you_mean(kind, table)}"
        problems.append(SettingsProblem((role, "kind"), f"{said}; write one of {', '.join(table)}"))
        return None
    model = _class(role, kind).Settings
    try:
        return model.model_validate(dict(entry))
    except ValidationError as error:
        problems += _problems((role,), error, model)
        return None


def _problems(
    path: tuple[str | int, ...], error: ValidationError, model: type[BaseModel]
) -> list[SettingsProblem]:
    found = []
    for problem in error.errors(include_url=False, include_input=False):
        where = (*path, *problem["loc"])
        if problem["type"] == "extra_forbidden":
            message = f"unknown setting{did_you_mean(where[-1], model.model_fields)}"
        elif problem["type"] == "missing":
            message = "is missing"
        else:
            message = str(problem["msg"]).removeprefix("Value error, ")
        found.append(SettingsProblem(where, message))
    return found

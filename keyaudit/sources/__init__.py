"""Where credentials are listed: one explicit table of sources, each read-only.

`open_source` takes one entry of `sources:` in keyaudit.yaml as it was parsed:

    source = open_source(entry, clock=now, cache_dir=folder, environment=os.environ)
    pulled = source.pull(progress)
    inventory = keyaudit.inventory.from_rows(pulled.rows, pulled.coverage, now(), pulled.columns)

Provider libraries are optional extras; they are imported when a source is opened or pulled, and
a missing one raises MissingExtraError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.errors import PolicyError, Problem, nearest
from keyaudit.sources.protocol import Clock, Progress, Pulled, ScopeProgress, Source

if TYPE_CHECKING:
    from keyaudit.sources.pulling.settings import PullSettings
    from keyaudit.sources.pulling.source import PullingSource

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
    """One kind of source: what it lists, whose it is, and where its class is.

    `family` is a package beside this file, the extra that brings its client, and what
    `least_privilege` may be asked for; its module `grants` has the policy. `place` names the
    module and class, imported when a source is opened: providers' packages are many.
    """

    lists: str
    family: str
    place: str

    def load(self) -> type[PullingSource[Any]]:
        """Import the class."""
        module, name = self.place.split(":")
        found: type[PullingSource[Any]] = getattr(import_module(f"{__name__}.{self.family}.{module}"), name)
        return found


SOURCES: dict[str, Kind] = {
    "aws-iam": Kind(
        "AWS IAM: access keys and service-specific credentials of users", "aws", "iam.source:AwsIam"
    ),
    "aws-kms": Kind("AWS KMS: customer managed keys and their rotations", "aws", "kms.source:AwsKms"),
    "aws-secrets-manager": Kind(
        "AWS Secrets Manager: secrets and their versions", "aws", "secrets_manager.source:AwsSecretsManager"
    ),
    "aws-ssm": Kind(
        "AWS Systems Manager Parameter Store: SecureString parameters", "aws", "ssm.source:AwsSsm"
    ),
    "gcp-iam": Kind("Google service accounts: the keys that users made for them", "gcp", "iam.source:GcpIam"),
    "gcp-secret-manager": Kind(
        "Google Secret Manager: secrets and their versions", "gcp", "secret_manager.source:GcpSecretManager"
    ),
    "vault": Kind(
        "HashiCorp Vault and OpenBao: secrets, static roles, transit keys, AppRole secret ids",
        "vault",
        "source:VaultSource",
    ),
    "openai": Kind("OpenAI: keys of projects, and admin keys", "openai", "source:OpenAiSource"),
    "anthropic": Kind("Anthropic: an organization's API keys", "anthropic", "source:AnthropicSource"),
}


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """One thing wrong in the settings of a source: where in the entry, and a sentence."""

    path: tuple[str | int, ...]
    message: str


def check_settings(entry: Mapping[str, Any]) -> list[SettingsProblem]:
    """Find everything wrong with one entry of `sources:`; [] if it can be opened."""
    return _check(entry)[1]


def open_source(
    entry: Mapping[str, Any],
    *,
    clock: Clock,
    cache_dir: Path | None = None,
    environment: Mapping[str, str] | None = None,
    compare_clocks: bool = False,
) -> Source:
    """Make the source that an entry describes, without asking anybody anything yet.

    `cache_dir` is where answers may be kept if the entry says `cache: true`; None keeps none.
    `environment` holds the keys that settings name by variable. With `compare_clocks`, a scope whose
    server has another time than `clock` is partial: ages would be wrong.
    Raises PolicyError with every problem of the entry, MissingExtraError.
    """
    settings, problems = _check(entry)
    if problems:
        name = str(entry.get("name", "sources"))
        raise PolicyError([_as_problem(name, problem) for problem in problems])
    return SOURCES[entry["kind"]].load()(
        settings,
        clock=clock,
        cache_dir=cache_dir,
        environment=environment,
        compare_clocks=compare_clocks,
    )


def least_privilege(name: str, entries: Iterable[Mapping[str, Any]] = ()) -> str:
    """Give the least that the provider must grant for a pull, as the text that its tools take.

    `name` is a kind, or a family for all of its kinds; `entries` of keyaudit.yaml narrow it down to
    what they need. Raises KeyError for a name that does not exist.
    """
    wanted: dict[str, list[PullSettings]] = {
        kind: [] for kind, found in SOURCES.items() if name in {kind, found.family}
    }
    if not wanted:
        raise KeyError(name)
    for entry in entries:
        if entry["kind"] in wanted:
            wanted[entry["kind"]].append(_check(entry)[0])
    if any(wanted.values()):
        wanted = {kind: settings for kind, settings in wanted.items() if settings}
    grants = import_module(f"{__name__}.{SOURCES[next(iter(wanted))].family}.grants")
    text: str = grants.least_privilege(wanted)
    return text


def _check(entry: Mapping[str, Any]) -> tuple[Any, list[SettingsProblem]]:
    from pydantic import ValidationError

    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in SOURCES:
        return None, [SettingsProblem(("kind",), _no_such_kind(kind))]
    model = SOURCES[kind].load().Settings
    try:
        return model.model_validate(entry), []
    except ValidationError as error:
        fields = model.model_fields
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

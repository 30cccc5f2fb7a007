"""What every party of a rotation has: settings, and means to work with.

A party is a class with a `kind`, the model of its `Settings`, and `opened(settings, means)`, which
asks nobody anything yet. What it must do besides, the protocol of its role says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from keyaudit.errors import UsageError
from keyaudit.rotation.secret import Parts, Secret
from keyaudit.sources.pulling.settings import Duration
from keyaudit.times import SECOND


class PartySettings(BaseModel):
    """What every party's settings have: strict, frozen, `kind`, and how long one answer may take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    timeout: Annotated[Duration, Field(ge=SECOND // 10, le=600 * SECOND)] = 30 * SECOND


class StoreSettings(PartySettings):
    """What every store's settings have: where each part of a credential sits (`shape`)."""

    fields: Mapping[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Means:
    """What a party is given of the world outside, when it is opened.

    `clock` gives microseconds, UTC. `environment` has the keys that settings name by variable.
    Relative paths count from `folder`. `ask` shows instructions to a human and gives the new value
    (parts) or, for `parts` empty, whether it was done; None where no human is there.
    """

    clock: Callable[[], int]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path()
    ask: Callable[[str, tuple[str, ...]], Parts | None] | None = None

    def key(self, variable: str) -> Secret:
        """Give the key that a variable of the environment holds; raises UsageError if none is set."""
        value = self.environment.get(variable, "").strip()
        if not value:
            raise UsageError(f"{variable} is not set", hint=f"export {variable}=… and run it again")
        return Secret(value)

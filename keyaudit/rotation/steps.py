"""What the machine may say: one thing to do next, or why there is nothing to do.

`irreversible` actions are asked about before they are begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar

from keyaudit.rotation.sight import Question, Shed


class Stage(IntEnum):
    """How far a rotation is to go; each includes those before it."""

    STAGE = 1
    VERIFY = 2
    PROMOTE = 3
    DRAIN = 4
    RETIRE = 5


class Goal(StrEnum):
    """Where to."""

    FORWARD = "forward"
    BACK = "back"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for.

    `window` and `grace` are microseconds: how long the old key must have been silent before it is
    retired, and how long it may stay usable at most. `settle` is how long a key that is not stored
    yet is left alone, because somebody may be storing it now. `fresh` is how old a value must be
    before it is rotated again. `compromised` are the keys that an emergency is about. `begin` says
    whether a rotation may be begun, or only one under way carried on. `confirmed_silent` is a
    human's word that nobody uses the old key, for where nobody can tell. `discard` and `keep` are a
    human's word on keys that a dead run may have left; `old_key_id` on which key the stored value is.
    """

    goal: Goal = Goal.FORWARD
    until: Stage = Stage.RETIRE
    window: int = 3_600_000_000
    grace: int = 86_400_000_000
    settle: int = 60_000_000
    fresh: int = 86_400_000_000
    begin: bool = True
    compromised: frozenset[str] = frozenset()
    discard: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()
    old_key_id: str | None = None
    confirmed_silent: bool = False


class Outcome(StrEnum):
    """How a run ended."""

    ROTATED = "rotated"
    ROLLED_BACK = "rolled-back"
    REACHED = "reached"
    """The stage that was asked for; the rotation is not at its end."""
    NOTHING = "nothing"
    """Nothing was under way, or due."""


@dataclass(frozen=True, slots=True)
class Mint:
    """Have the provider make a key that bears the token, and stage its value beside the current one."""

    token: str
    name: ClassVar[str] = "provision"
    irreversible: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Void:
    """Make sure that no value is ever staged under a token."""

    token: str
    name: ClassVar[str] = "void"
    irreversible: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Discard:
    """Revoke a key that no application was ever given."""

    key_id: str
    name: ClassVar[str] = "discard"
    irreversible: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Verify:
    """Ask the provider whether the newest value works."""

    version: str
    name: ClassVar[str] = "verify"
    irreversible: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Decide:
    """Settle one of the two questions of a rotation, once and for all."""

    token: str
    question: Question
    answer: bool
    name: ClassVar[str] = "decide"

    @property
    def irreversible(self) -> bool:
        """Say whether there is no way back from this answer: the old key is given up by it."""
        return self.question == "final" and self.answer


@dataclass(frozen=True, slots=True)
class Promote:
    """Give applications the new value."""

    token: str
    name: ClassVar[str] = "promote"
    irreversible: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Restore:
    """Give applications the old value again."""

    token: str
    name: ClassVar[str] = "restore"
    irreversible: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Ask when the old key was last used, without using it."""

    key_id: str | None
    version: str
    name: ClassVar[str] = "drain"
    irreversible: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Revoke:
    """Have the provider end a key that applications were given."""

    key_id: str
    emergency: bool = False
    name: ClassVar[str] = "revoke"

    @property
    def irreversible(self) -> bool:
        """Say whether it must be asked about: what a rotation decided was asked about then."""
        return self.emergency


@dataclass(frozen=True, slots=True)
class Drop:
    """Take a value off the shelf, so that nobody is given it any more: `pending` or `previous`."""

    place: Shed
    version: str
    token: str
    name: ClassVar[str] = "drop"
    irreversible: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before an instant."""

    until: int
    why: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """A human is needed: why, and what to do."""

    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a run."""

    outcome: Outcome
    why: str


Action = Mint | Void | Discard | Verify | Decide | Promote | Restore | Watch | Revoke | Drop
Step = Action | Wait | Blocked | Done

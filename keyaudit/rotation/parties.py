"""Who takes part in a rotation, and what one run of it knows for itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from keyaudit.rotation.asking import Probe, Silence
from keyaudit.rotation.issuers.protocol import Issuer
from keyaudit.rotation.journal import Journal
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.sight import Liveness, Quiet, Sight
from keyaudit.rotation.steps import Step
from keyaudit.rotation.stores.protocol import Store
from keyaudit.times import SECOND


@dataclass(frozen=True, slots=True)
class Parties:
    """Everybody who takes part in the rotation of one secret. `silence` None: nobody can tell.

    `propagation` is how long a provider may take to honour a new key, in microseconds.
    """

    store: Store
    issuer: Issuer
    probe: Probe
    silence: Silence | None
    shape: Shape
    propagation: int = 60 * SECOND


class Surroundings(Protocol):
    """What a run needs of the world outside: a clock, patience, a human, an audience."""

    def now(self) -> int:
        """Give the time in microseconds, UTC."""
        ...

    def sleep(self, until: int) -> bool:
        """Wait until an instant; False if whoever runs this does not want to wait that long."""
        ...

    def agrees(self, step: Step, sight: Sight) -> bool:
        """Ask whether to do what cannot be undone."""
        ...

    def tell(self, step: Step, sight: Sight) -> None:
        """Show what is about to be done, or why nothing is."""
        ...


@dataclass(slots=True)
class Run:
    """One run: what probes found of each version so far, and the last word on the old key's silence."""

    parties: Parties
    journal: Journal
    around: Surroundings
    alive: dict[str, Liveness] = field(default_factory=dict)
    quiet: tuple[str, Quiet] | None = None
    """The version that was asked about, and the answer."""
    emergency: bool = False
    """Whether keys are revoked first, so that one may go on a moment in its provider's caches."""

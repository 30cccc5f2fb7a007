"""What AWS's four steps leave to be done: the keys of older versions, once nobody uses them.

AWS has no step for it, so a schedule invokes the function with `{"Step": "retireSecret"}`. Each older
version is shown to the machine as the old value of a rotation that was promoted: silent for the whole
window, then revoked, then out of reach. What the machine settles it settles for this invocation only:
nobody else of ours moves these labels, and every decision begins by looking at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from keyaudit.rotation.hosted.aws_secret import LambdaSecret, Seen
from keyaudit.rotation.journal import Journal
from keyaudit.rotation.parties import Parties, Surroundings
from keyaudit.rotation.runner import Ending, Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Place, Question, Shed, Shelf
from keyaudit.rotation.steps import Order
from keyaudit.rotation.stores.aws_secret_calls import DESCRIBE, GET, MOVE
from keyaudit.rotation.stores.aws_secret_labels import CURRENT, KEY, PREVIOUS
from keyaudit.rotation.stores.protocol import Credential, LostRaceError


def retire(
    parties: Parties, secret: LambdaSecret, journal: Journal, around: Surroundings, order: Order
) -> list[Ending]:
    """Retire every older version as far as that goes now; gives how each of them ended."""
    endings = []
    for old in secret.seen().old:
        store = OldVersion(secret, old)
        endings.append(Runner(replace(parties, store=store), journal, around).run(order))
    return endings


_CALLS: Mapping[str, tuple[str, ...]] = {
    "look": (DESCRIBE,),
    "read": (GET,),
    "decide": (DESCRIBE,),
    "restore": (DESCRIBE, MOVE),
    "drop": (DESCRIBE, MOVE),
}


class OldVersion:
    """One older version of a secret, as a store of which only that version can be retired.

    Nothing can be staged here: that is AWS's to begin.
    """

    kind = "aws-secrets-manager"
    calls = _CALLS

    def __init__(self, secret: LambdaSecret, old: str) -> None:
        self._secret, self._old = secret, old
        self._settled: dict[str, bool] = {}

    @property
    def credential(self) -> Credential:
        """Name the secret."""
        return self._secret.credential

    def look(self) -> Shelf:
        """Show the version in use and the older one; nothing is under way where that is retired."""
        seen = self._secret.seen()
        current = seen.current
        if current is None:
            return Shelf(self._old, None)
        place = Place(current, seen.key_on(current), token=current, since=seen.changed)
        if not self._is_old(seen):
            return Shelf(f"after {current}", place)
        previous = Place(self._old, seen.key_on(self._old), token=self._old)
        return Shelf(
            token=current, current=place, previous=previous, forward=True, final=self._settled.get(current)
        )

    def read(self, version: str) -> Secret:
        """Give a version's text."""
        return self._secret.read(version)

    def decide(self, token: str, question: Question, answer: bool) -> bool:  # noqa: FBT001  # the protocol's
        """Settle whether the older version is retired or taken back, while `token` is in use."""
        seen = self._secret.seen()
        if question != "final" or seen.current != token or not self._is_old(seen):
            raise LostRaceError
        return self._settled.setdefault(token, answer)

    def restore(self, token: str) -> None:
        """Give applications the older value again, because the one in use is dead."""
        seen = self._secret.seen()
        if seen.current != token or self._settled.get(token) is not False or not self._is_old(seen):
            raise LostRaceError
        self._secret.move(CURRENT, to=self._old, source=token)

    def drop(self, place: Shed, token: str) -> None:
        """Take the labels off, the key's last: AWS deletes a version without any in time."""
        seen = self._secret.seen()
        if place != "previous" or seen.current != token or token not in self._settled:
            raise LostRaceError
        if seen.at.get(PREVIOUS) == self._old:
            self._secret.take_off(seen, PREVIOUS)
        self._secret.take_off(seen, *(KEY + key for key, on in seen.keys.items() if on == self._old))

    def stage(self, token: str, value: Secret, key_id: str, *, base: Place) -> None:
        """Refuse."""
        del token, value, key_id, base
        raise LostRaceError

    def void(self, token: str) -> None:
        """Refuse."""
        del token
        raise LostRaceError

    def promote(self, token: str) -> None:
        """Refuse."""
        del token
        raise LostRaceError

    def _is_old(self, seen: Seen) -> bool:
        return self._old in seen.old

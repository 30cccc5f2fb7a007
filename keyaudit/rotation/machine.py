"""The rotation, as a function from what can be seen to what to do next. No file, no network, no clock.

    provision → stage → verify → promote → drain → retire          and back from anywhere before retire

- It remembers nothing: everything it needs is on the shelf (`Shelf`) or listed by the provider
  (`Key`). Running again after a crash, on another machine or beside a second run, is the same thing.
- A token that the shelf calls spent never comes back, and under one that was staged no other key can
  be staged. A key that bears such a token, and is not on the shelf, is garbage for good, whatever
  another run is about to do.
- Two questions are settled on the store itself, once for each token, before anything is done that
  depends on them: `forward` (promote or abandon) and `final` (retire the old or restore it). So
  no run can revoke a key that another one is about to hand out.
- A key that applications were given is revoked only when it was silent for the whole window, is
  dead already, is compromised, or a human said that nobody uses it.
- A key that no application was ever given is discarded without waiting.

`decide` is the whole interface:

    step = decide(Sight(shelf, keys), Order(goal=Goal.FORWARD), now)

It returns an action to perform, `Wait`, `Blocked` (a human is needed) or `Done`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keyaudit.rotation.sight import Key, Liveness, Place, Shelf, Sight
from keyaudit.rotation.steps import (
    Blocked,
    Decide,
    Discard,
    Done,
    Drop,
    Goal,
    Mint,
    Order,
    Outcome,
    Promote,
    Restore,
    Revoke,
    Stage,
    Step,
    Verify,
    Void,
    Wait,
    Watch,
)


def decide(sight: Sight, order: Order, now: int) -> Step:
    """Say what to do next. `now` is in microseconds, UTC."""
    shelf = sight.shelf
    if shelf.foreign:
        return Blocked(f"another rotation is under way: {shelf.foreign}", "let it finish, or cancel it")
    for key_id in sorted(order.compromised):
        if sight.works(key_id) is not False:
            return Revoke(key_id, emergency=True)
    for key in strays(sight):
        return Discard(key.id)
    for key_id in sorted(order.discard):
        if sight.works(key_id):
            return _discarded(sight, key_id)
    return _Turn(sight, order, now).step()


def _discarded(sight: Sight, key_id: str) -> Step:
    if any(place.key_id in {key_id, None} for place in sight.shelf.places):
        return Blocked(f"key {key_id} is, or may be, one that the store holds", "nothing was discarded")
    return Discard(key_id)


def strays(sight: Sight) -> Iterator[Key]:
    """Give the keys that no application was, or ever can be, given.

    They bear a token that was abandoned or voided, or one under which another key was staged: the
    trace of a run that died between minting and staging, or lost a race.
    """
    shelf = sight.shelf
    shelved = {place.key_id for place in shelf.places}
    taken = {place.token for place in shelf.places if place.token and place.key_id}
    for key in sight.keys or ():
        if key.active and key.id not in shelved and key.token in taken | shelf.spent:
            yield key


def unaccounted(sight: Sight) -> list[Key]:
    """Give the live keys of this provider that nothing on the shelf explains; they are left alone."""
    shelved = {place.key_id for place in sight.shelf.places}
    known = {key.id for key in strays(sight)}
    return [
        key
        for key in sight.keys or ()
        if key.active and key.id not in shelved | known and key.token != sight.shelf.token
    ]


@dataclass(frozen=True, slots=True)
class _Turn:
    sight: Sight
    order: Order
    now: int

    @property
    def shelf(self) -> Shelf:
        return self.sight.shelf

    def step(self) -> Step:
        shelf = self.shelf
        if shelf.final is False:
            return self._restoring()
        if shelf.pending is not None:
            if shelf.forward is False:
                return self._abandoning(shelf.pending)
            return self._staged(shelf.pending)
        if shelf.promoted and shelf.previous is not None:
            return self._promoted(shelf.previous)
        return self._idle()

    # Nothing is under way.

    def _idle(self) -> Step:
        minted = [key for key in self.sight.keys or () if key.token == self.shelf.token and key.active]
        if minted:
            return self._minted_and_lost(minted)
        current = self.shelf.current
        if self.order.goal is Goal.BACK:
            return Done(Outcome.NOTHING, "no rotation is under way")
        if current is None:
            return Blocked("the store holds no value yet", "store the first value, then rotate it")
        emergency = self.order.goal is Goal.EMERGENCY
        uncompromised = current.key_id and current.key_id not in self.order.compromised
        if emergency and uncompromised and self.sight.works(current.key_id) is not False:
            return Done(Outcome.ROTATED, "no compromised key is in use")
        if not self.order.begin:
            return Done(Outcome.NOTHING, "no rotation is under way")
        if self._is_fresh(current):
            return Done(Outcome.NOTHING, "the value in use was rotated a moment ago")
        if current.key_id is None and not emergency:
            return Blocked(
                "which of the provider's keys is in use is not known, so it could never be revoked",
                "name it: --old-key-id",
            )
        if self.sight.suspects:
            return Blocked(
                f"key {', '.join(sorted(self.sight.suspects))} was made when an earlier run died while"
                " minting, and nothing stored is that key",
                "say what it is: --discard KEY, or --keep KEY if somebody else made it",
            )
        return Mint(self.shelf.token)

    def _minted_and_lost(self, minted: list[Key]) -> Step:
        """Give up a token under which a key was minted and not staged: its value is lost, or on its way."""
        settled = max(min(key.created_at or 0, self.now) for key in minted) + self.order.settle
        if settled > self.now and self.order.goal is not Goal.EMERGENCY:
            return Wait(settled, "a key was minted and is not stored; another run may be storing it now")
        return Void(self.shelf.token)

    def _is_fresh(self, current: Place) -> bool:
        return (
            self.order.goal is Goal.FORWARD
            and current.token is not None
            and current.since is not None
            and self.now - current.since < self.order.fresh
            and self.sight.works(current.key_id) is not False
        )

    # A value is staged; applications are given the old one.

    def _staged(self, pending: Place) -> Step:
        shelf, token = self.shelf, self.shelf.token
        if shelf.overtaken:
            return Decide(token, "forward", False) if shelf.forward is None else self._abandoning(pending)
        if shelf.forward:
            return self._promoting(pending)
        unwanted = self.order.goal is Goal.BACK or pending.key_id in self.order.compromised
        if unwanted or self.sight.ended(pending.key_id):
            return Decide(token, "forward", False)
        if self.order.until < Stage.VERIFY:
            return Done(Outcome.REACHED, "the new value is staged")
        return self._verified(pending)

    def _verified(self, pending: Place) -> Step:
        alive, current = self.sight.alive, self.shelf.current
        if alive is None:
            return Verify(pending.version)
        if alive is Liveness.DEAD:
            return Decide(self.shelf.token, "forward", False)
        served_is_dead = current is not None and self.sight.works(current.key_id) is False
        if alive is Liveness.UNKNOWN and not served_is_dead:
            return Blocked(
                "whether the new key works could not be told", "run again when the provider answers"
            )
        if self.order.until < Stage.PROMOTE:
            return Done(Outcome.REACHED, f"the new value is {alive}")
        return Decide(self.shelf.token, "forward", True)

    def _promoting(self, pending: Place) -> Step:
        if self.order.until < Stage.PROMOTE:
            return Done(Outcome.REACHED, "the new value is staged, and about to be promoted by another run")
        served = self.shelf.current
        served_is_dead = served is not None and self.sight.works(served.key_id) is False
        # Where the key in use is dead as well there is nothing to lose: this rotation is ended by the next.
        if self.sight.works(pending.key_id) is False and not served_is_dead:
            return Blocked(
                "promotion was settled, and then the new key was revoked by somebody else",
                "store a working value by hand; the staged one is then dropped",
            )
        return Promote(self.shelf.token)

    def _abandoning(self, pending: Place) -> Step:
        if pending.key_id is not None and self.sight.works(pending.key_id) is not False:
            return Discard(pending.key_id)
        return Drop("pending", pending.version, self.shelf.token)

    # Applications are given the new value; some may still hold the old one.

    def _promoted(self, old: Place) -> Step:
        if self.shelf.final:
            return self._retiring(old)
        if self.order.goal is Goal.BACK:
            return self._wanted_back(old)
        if self.order.until <= Stage.PROMOTE:
            return Done(Outcome.REACHED, "applications are given the new value")
        old_works = self.sight.works(old.key_id)
        if self.sight.alive is None:
            assert self.shelf.current is not None
            return Verify(self.shelf.current.version)
        if self.sight.alive is Liveness.DEAD:
            return Decide(self.shelf.token, "final", old_works is False)
        if (waiting := self._drained(old)) is not None:
            return waiting
        if self.order.until <= Stage.DRAIN:
            return Done(Outcome.REACHED, "the old key is silent")
        if old.key_id is None:
            return Blocked("which key the old value is, is not known", "name it: --old-key-id")
        return Decide(self.shelf.token, "final", True)

    def _wanted_back(self, old: Place) -> Step:
        if self.sight.works(old.key_id) is False:
            return Blocked(
                "the old key is revoked already: there is no way back", "rotate again: `rotate emergency`"
            )
        return Decide(self.shelf.token, "final", False)

    def _retiring(self, old: Place) -> Step:
        if self.order.goal is Goal.BACK:
            return Blocked(
                "the old key is given up already: there is no way back", "`rotate resume` finishes it"
            )
        if old.key_id is not None and self.sight.works(old.key_id) is not False:
            return Revoke(old.key_id)
        return Drop("previous", old.version, self.shelf.token)

    def _restoring(self) -> Step:
        if self.shelf.promoted:
            return Restore(self.shelf.token)
        unwanted = self.shelf.previous
        if unwanted is None:
            return self._idle()
        if self.sight.alive is not Liveness.DEAD and (waiting := self._drained(unwanted)) is not None:
            return waiting
        if unwanted.key_id is not None and self.sight.works(unwanted.key_id) is not False:
            return Revoke(unwanted.key_id)
        return Drop("previous", unwanted.version, self.shelf.token)

    def _drained(self, old: Place) -> Step | None:
        """Say what to wait for before a key that applications were given is revoked; None for nothing."""
        order, current = self.order, self.shelf.current
        if self.sight.works(old.key_id) is False or old.key_id in order.compromised or order.confirmed_silent:
            return None
        if current is None or current.since is None:
            return Blocked("since when the value in use is served is not known", "say so: --confirm-silent")
        end = current.since + order.grace
        if not self.sight.quiet_known:
            if self.now < end:
                return Wait(
                    end, "nobody can tell whether the old key is used, so its whole grace period is kept"
                )
            return Blocked(
                "nobody can tell whether the old key is still used", "find out, then: --confirm-silent"
            )
        quiet = self.sight.quiet
        if quiet is None:
            return Watch(old.key_id, old.version)
        last = max(quiet.last_used_at or 0, current.since)
        if quiet.seen_until - last >= order.window:
            return None
        again = max(last + order.window + max(self.now - quiet.seen_until, 0), self.now + order.window // 60)
        used = quiet.last_used_at is not None and quiet.last_used_at > current.since
        why = (
            "the old key was used after its successor took over"
            if used
            else "the old key must be silent first"
        )
        return Wait(again, why, late=self.now > end)

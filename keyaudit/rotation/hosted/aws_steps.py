"""The four steps that AWS Secrets Manager asks of a rotation function, each safe to be asked again.

AWS chooses the token, which becomes the version's id and part of the new key's name, and asks again
with the same one after a failure. What makes that safe:

- Before a key is asked for, a label says that it will be (`keyaudit-minting-TOKEN`), on the version in
  use, beside which it is to stand: if another is in use at the end, the rotation is given up.
- A version takes one value for good, and the label that names its key comes with it. So once it is
  there, every other key of this token is one that no application is, or ever will be, given.
- Until then such a key may be on its way into the store. It is left alone while the invocation that
  asked for it may be alive, which is a quarter of an hour at most.

The old key goes on working: both do until `aws_retiring` finds that the old one is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from keyaudit.errors import RotationError
from keyaudit.rotation import performing
from keyaudit.rotation.hosted.aws_retiring import OldVersion
from keyaudit.rotation.hosted.aws_secret import MINTING, LambdaSecret, NotStoredError, Seen
from keyaudit.rotation.issuers.protocol import Minted
from keyaudit.rotation.journal import Entry, Journal
from keyaudit.rotation.parties import Parties, Run, Surroundings
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Key, Liveness, Shelf, Sight
from keyaudit.rotation.steps import Verify
from keyaudit.rotation.stores.aws_secret_labels import CURRENT, KEY, PENDING
from keyaudit.rotation.stores.protocol import LostRaceError
from keyaudit.times import MINUTE

LONGEST_LIFE = 20 * MINUTE
"""No Lambda function lives longer than 15 minutes; the rest is for clocks that disagree."""


@dataclass(frozen=True, slots=True)
class Work:
    """One step of one rotation: who takes part, and what AWS says of it."""

    parties: Parties
    secret: LambdaSecret
    journal: Journal
    around: Surroundings
    token: str
    rotation_token: str | None = None
    tags: bool = True

    def write(self, event: str, step: str, outcome: str | None = None, **detail: Any) -> None:
        """Record what is about to be done, or what came of it."""
        at = self.around.now()
        self.journal.append(Entry(at, event, self.token, step, outcome, "forward", detail))


def create(work: Work, seen: Seen) -> None:
    """createSecret: have the provider make a key, and store it beside the one in use, once."""
    if seen.key_on(work.token) is None:
        _mint(work, seen)
    _forgotten(work)


def put_into_service(work: Work, seen: Seen) -> None:
    """setSecret: nothing; a key works from the moment that its provider has made it."""
    del work, seen


def test(work: Work, seen: Seen) -> None:
    """testSecret: use the new value once; a key that is dead for good is given up, with its rotation.

    AWS also asks this of a copy of the value in use, when rotation is turned on without rotating.
    """
    key_id = seen.key_on(work.token)
    work.write("intent", "verify", version=work.token)
    store = OldVersion(work.secret, work.token)
    run = Run(replace(work.parties, store=store), work.journal, work.around)
    sight = Sight(Shelf(work.token, None), None)
    detail = performing.PERFORMED[Verify](run, Verify(work.token), sight)
    alive = run.alive[work.token]
    if alive in {Liveness.ALIVE, Liveness.RESTRICTED}:
        work.write("result", "verify", "done", **detail)
        return
    work.write("failed", "verify", str(alive), **detail)
    if alive is Liveness.UNKNOWN:
        raise RotationError("whether the new key works could not be told", hint="AWS tries again")
    if key_id is not None:
        _given_up(work, seen, key_id)
    raise RotationError("the new key does not work; it was revoked and this rotation given up", hint=_AGAIN)


def finish(work: Work, seen: Seen) -> None:
    """finishSecret: give applications the new value; a move that only one can make."""
    key_id, old = seen.key_on(work.token), seen.current
    if key_id is None or old is None:
        raise RotationError(
            "nothing of ours is stored under this token", hint="AWS begins again at createSecret"
        )
    detail = {
        "current": {"version": old, "key_id": seen.key_on(old)},
        "pending": {"version": work.token, "key_id": key_id},
    }
    if seen.minting.get(work.token, old) != old:
        _given_up(work, seen, key_id)
        raise RotationError("somebody else changed the value in use; this rotation is given up", hint=_AGAIN)
    work.write("intent", "promote")
    try:
        work.secret.move(CURRENT, to=work.token, source=old)
    except LostRaceError:
        work.write("failed", "promote", "somebody else changed the value in use")
        raise RotationError("somebody else changed the value in use meanwhile") from None
    work.write("result", "promote", "done", **detail)
    tidied(work, seen)
    if work.tags:
        with suppress(RotationError):  # the audit's link is no part of the rotation
            work.secret.tag(key_id, seen.key_on(old))


def tidied(work: Work, seen: Seen) -> None:
    """Take off the version that took over what it needs no more: AWSPENDING, as AWS's own template does."""
    work.secret.take_off(seen, MINTING + work.token)
    if seen.at.get(PENDING) == work.token:
        work.secret.take_off(seen, PENDING)


STEPS: Mapping[str, Callable[[Work, Seen], None]] = {
    "createSecret": create,
    "setSecret": put_into_service,
    "testSecret": test,
    "finishSecret": finish,
}
_AGAIN = "find out why, then: aws secretsmanager rotate-secret"


def asked(work: Work, step: str) -> None:
    """Do one step, unless its rotation is over already; raises RotationError where AWS must ask again."""
    if step not in STEPS:
        raise RotationError(f"no such step: {step!r}")
    seen = work.secret.seen()
    if not seen.rotates:
        raise RotationError("rotation is not turned on for this secret")
    if work.token == seen.current:
        return tidied(work, seen)
    if work.token != seen.pending:
        raise RotationError("this version is not the one that AWSPENDING is on")
    return STEPS[step](work, seen)


def _mint(work: Work, seen: Seen) -> None:
    """Make a key and store it, unless another invocation has stored one meanwhile."""
    issuer, current = work.parties.issuer, seen.current
    if current is None:
        raise RotationError("the secret holds no value yet", hint="store the first value, then rotate it")
    text = work.secret.read(current)
    keys = issuer.keys()
    if keys is None:
        raise RotationError(f"{issuer.kind} lists no keys, so one that is lost on the way could not be found")
    parts = work.parties.shape.read(text)
    base = seen.key_on(current) or issuer.recognise(parts, keys)
    if base is None:
        label = f"--version-stage {KEY}KEY --move-to-version-id {current}"
        raise RotationError(
            "which of the provider's keys is in use is not known, so it could never be retired",
            hint=f"say so: aws secretsmanager update-secret-version-stage --secret-id {seen.arn} {label}",
        )
    work.secret.name_key(seen, current, base)
    seen = work.secret.seen()
    if issuer.names_keys:
        _swept(work, seen, keys)
    else:
        _refuse_strangers(seen, keys)
    if seen.minting.get(work.token) != current:
        work.secret.move(MINTING + work.token, to=current, source=seen.minting.get(work.token))
    work.write("intent", "provision")
    minted = issuer.mint(work.token, {*seen.keys, base})
    if {part: parts.get(part) for part in minted.parts} == dict(minted.parts):
        raise RotationError("the new value is the one in use", hint="nothing was stored; make a new key")
    stored = _stored(work, text, minted)
    work.write("result", "provision", "done", key_id=stored, old_key_id=base)


def _swept(work: Work, seen: Seen, keys: tuple[Key, ...]) -> None:
    """Revoke what was made and never stored, once it is certain that it never will be."""
    for key in _lost(seen, keys):
        settled = key.created_at is not None and key.created_at <= work.around.now() - LONGEST_LIFE
        if key.token in seen.keys.values() or settled:
            _discard(work, key.id)


def _lost(seen: Seen, keys: tuple[Key, ...]) -> list[Key]:
    """Give the live keys that were made under tokens of ours, and are not stored."""
    ours = {*seen.minting, *seen.keys.values()}
    return [key for key in keys if key.active and key.token in ours and key.id not in seen.keys]


def _refuse_strangers(seen: Seen, keys: tuple[Key, ...]) -> None:
    """Stop where keys have no names, and one may be what a dead invocation has made."""
    strangers = sorted(key.id for key in keys if key.active and key.id not in seen.keys)
    if strangers and seen.minting:
        labels = " ".join(f"--version-stage {MINTING}{token}" for token in sorted(seen.minting))
        raise RotationError(
            f"key {', '.join(strangers)} may be one that a dead run has made, and nothing stored is that key",
            hint=f"delete it; if somebody else made it, take off the label instead: {labels}",
        )


def _discard(work: Work, key_id: str) -> None:
    work.write("intent", "discard", key_id=key_id)
    work.parties.issuer.revoke(key_id)
    work.write("result", "discard", "done", key_id=key_id)


def _stored(work: Work, text: Secret, minted: Minted) -> str:
    issuer = work.parties.issuer
    try:
        value = work.parties.shape.write(text, minted.parts)
        work.secret.put_pending(work.token, value, minted.key_id, work.rotation_token)
    except LostRaceError:
        issuer.revoke(minted.key_id)  # another invocation was faster
    except RotationError as error:
        work.write("failed", "provision", str(error), key_id=minted.key_id)
        if isinstance(error, NotStoredError):
            issuer.revoke(minted.key_id)
            raise
    else:
        return minted.key_id
    stored = work.secret.seen().key_on(work.token)
    if stored is None:
        raise RotationError(
            "the new key was made, and not stored", hint="AWS tries again; it is then revoked"
        )
    return stored


def _forgotten(work: Work) -> None:
    """Revoke what else was made under this token, now that it is stored; forget what is over."""
    seen = work.secret.seen()
    _swept(work, seen, work.parties.issuer.keys() or ())
    left = {key.token for key in _lost(seen, work.parties.issuer.keys() or ())} | {work.token}
    work.secret.take_off(seen, *(MINTING + token for token in seen.minting if token not in left))


def _given_up(work: Work, seen: Seen, key_id: str) -> None:
    """Revoke a key that no application was given, and let AWS begin a new rotation."""
    _discard(work, key_id)
    work.secret.take_off(seen, PENDING)
    work.secret.take_off(seen, KEY + key_id)

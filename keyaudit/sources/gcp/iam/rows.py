"""IAM's fields as inventory rows, trap by trap.

The credential is the service account, its keys are the versions: whoever rotates makes a second
key, moves over, and removes the first. Google keeps no dead keys, so a list holds only what may
still work.

* `valid_after_time` is when Google made a key. Of a key that was uploaded it is what the user wrote
  into the certificate, so that its age is not known.
* `valid_before_time` in the year 9999 means never.
* A key works while it and its account are enabled and it has not expired. Several may work at
  once: the newest is in use, those before it were replaced when the next newer one was made.
* Where a key was used after it expired, one of the two times is wrong, or its use was refused: it
  stands as a key of which nobody says whether it works.
* IAM does not say when an account was made, nor when it or a key was disabled.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from keyaudit.inventory.rows import Credential, Version
from keyaudit.sources.gcp.iam.entries import Account, Key
from keyaudit.sources.gcp.iam.use import KeyUse
from keyaudit.sources.pulling.keys import used_after

SOURCE = "gcp-iam"
PROVIDER = "gcp"


def credential_row(account: Account, keys: Sequence[Key], use: KeyUse, *, scope: str, now: int) -> Credential:
    """Map an account and its keys, of which it has at least one."""
    ordered = sorted(keys, key=lambda key: (key.valid_after, key.id))
    outlived = {key.id for key in keys if used_after(use.of(account, key), key.valid_before)}
    working = [key for key in ordered if _works(account, key, now, outlived=key.id in outlived)]
    current = working[-1] if working else None
    used = [last for key in keys if (last := use.of(account, key)) is not None]
    return Credential(
        source=SOURCE,
        scope=scope,
        id=account.name,
        name=account.email,
        cls="api-key",
        provider=PROVIDER,
        last_used_at=max(used, default=None),
        never_used=use.never(account, keys),
        expires_at=current.valid_before if current else None,
        versions=[
            Version(
                id=key.id,
                state=_state(key, current, now, works=key in working),
                created_at=_created(key),
                superseded_at=None if key is current or newer is None else _created(newer),
                retired_at=key.valid_before if _expired(key, now) and key.id not in outlived else None,
                authenticates=None if key in working and key.id in outlived else key in working,
                last_used_at=use.of(account, key),
            )
            for key, newer in pairwise([*ordered, None])
            if key is not None
        ],
    )


def _works(account: Account, key: Key, now: int, *, outlived: bool) -> bool:
    """Say whether a key works, as far as anybody can say."""
    begun = key.valid_after <= now
    ended = _expired(key, now) and not outlived
    return begun and not (account.disabled or key.disabled or ended)


def _expired(key: Key, now: int) -> bool:
    return key.valid_before is not None and key.valid_before <= now


def _created(key: Key) -> int | None:
    return None if key.uploaded else key.valid_after


def _state(key: Key, current: Key | None, now: int, *, works: bool) -> str:
    if key is current:
        return "current"
    if works:
        return "superseded"
    return "pending" if key.valid_after > now and not key.disabled else "disabled"

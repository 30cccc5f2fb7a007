"""Rotation by hand, one call a step: begin, then commit or roll back; over any store of secrets.

    manager = RotationManager(secret_manager)
    manager.begin_rotation("openai", "sk-new-key")    # {"rollback_version": "3", "new_version": "pending"}
    manager.commit_rotation("openai")                 # or manager.rollback("openai")

`secret_manager` has the five methods of `SecretManager`, or is a store of `keyaudit.rotation.stores`.
Such a store is given the provider's id of the new key as well, and keeps what was begun: another
process may commit it. Committing gives applications the new value and leaves the old key as it is,
for `keyaudit rotate resume` to retire once it is silent.
"""

from __future__ import annotations

from typing import Protocol, TypedDict

from keyaudit.errors import RotationError
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.stores.protocol import LostRaceError, Store


class SecretManager(Protocol):
    """What a store of secrets must be able to do for a rotation by hand."""

    def get_current_version(self, secret_name: str) -> str:
        """Give the version that applications are given."""
        ...

    def add_version(self, secret_name: str, value: str) -> object:
        """Put a value beside the current one."""
        ...

    def promote_pending(self, secret_name: str) -> object:
        """Give applications the value that was added."""
        ...

    def restore_version(self, secret_name: str, version: str) -> object:
        """Give applications a version again."""
        ...

    def delete_pending(self, secret_name: str) -> object:
        """Forget the value that was added."""
        ...


class Begun(TypedDict):
    """What a rotation began with."""

    rollback_version: str
    new_version: str


class RotationManager:
    """Begins rotations, and ends each of them one way or the other; secrets do not mix."""

    def __init__(self, secret_manager: SecretManager | Store) -> None:
        """Nothing is asked yet."""
        self.sm = secret_manager
        self._rollback: dict[str, str] = {}

    @property
    def rollback_version(self) -> str | None:
        """The version that the rotation begun last here would go back to; None if none is open."""
        return next(reversed(self._rollback.values()), None)

    def begin_rotation(self, secret_name: str, new_key: str, *, key_id: str | None = None) -> Begun:
        """Put the new key beside the old one; applications still get the old one.

        `key_id` is the provider's id of the new key, which a store of ours must be told: by it the
        key is found when it is revoked. Raises ValueError without it, RotationError if a rotation
        of this secret is under way.
        """
        if secret_name in self._rollback:
            raise RotationError(f"a rotation of {secret_name} is under way", hint="commit it or roll it back")
        store = _ours(self.sm, secret_name)
        if store is None:
            current = _plain(self.sm).get_current_version(secret_name)
            _plain(self.sm).add_version(secret_name, new_key)
        else:
            current = _staged(store, new_key, key_id)
        self._rollback[secret_name] = current
        return Begun(rollback_version=current, new_version="pending")

    def commit_rotation(self, secret_name: str) -> None:
        """Give applications the new key; from then on there is no rolling back here.

        Raises RotationError where nothing is pending, or it was rolled back already.
        """
        store = _ours(self.sm, secret_name)
        if store is None:
            _plain(self.sm).promote_pending(secret_name)
        else:
            _settled(store, forward=True)
        self._rollback.pop(secret_name, None)

    def rollback(self, secret_name: str) -> None:
        """Abort the rotation; raises ValueError where there is nothing to go back to."""
        store = _ours(self.sm, secret_name)
        if store is None:
            if secret_name not in self._rollback:
                raise ValueError("No rollback version available")
            _plain(self.sm).restore_version(secret_name, self._rollback[secret_name])
            _plain(self.sm).delete_pending(secret_name)
        else:
            if store.look().pending is None:
                raise ValueError("No rollback version available")
            _settled(store, forward=False)
        self._rollback.pop(secret_name, None)


def _ours(store: SecretManager | Store, name: str) -> Store | None:
    """Give the store if it is one of ours, which holds one secret; raises KeyError for another's name."""
    if hasattr(store, "get_current_version"):
        return None
    ours: Store = store
    if name not in {ours.credential.name, ours.credential.id}:
        raise KeyError(f"Key {name} not found")
    return ours


def _plain(store: SecretManager | Store) -> SecretManager:
    return store  # type: ignore[return-value]  # `_ours` said that it is none of ours


def _staged(store: Store, value: str, key_id: str | None) -> str:
    if key_id is None:
        raise ValueError("key_id is missing: the provider's id of the new key, by which it can be revoked")
    shelf = store.look()
    if shelf.current is None:
        raise RotationError("the store holds no value yet", hint="store the first value, then rotate it")
    try:
        store.stage(shelf.token, Secret(value), key_id, base=shelf.current)
    except LostRaceError:
        raise RotationError(
            "a rotation of this secret is under way", hint="`keyaudit rotate resume` ends it"
        ) from None
    return shelf.current.version


def _settled(store: Store, *, forward: bool) -> None:
    """Promote or abandon what is staged, whichever was decided first."""
    shelf = store.look()
    try:
        held = store.decide(shelf.token, "forward", forward)
        if held is not forward:
            raise RotationError(
                "it was decided otherwise already", hint="`keyaudit rotate resume` ends the rotation"
            )
        if forward:
            store.promote(shelf.token)
        else:
            store.drop("pending", shelf.token)
    except LostRaceError:
        raise RotationError("no rotation is pending, or another one is", hint="look again") from None

"""The client for threads and plain code; see `keyaudit.client`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from keyaudit.client.death import dead_key
from keyaudit.client.keys import Keys, fixed
from keyaudit.client.paths import DERIVING, Step, follow, leads_on
from keyaudit.client.ring import KeyRing, Switch


class Clients:
    """One SDK client a key, made when first needed and shared by threads."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        """Nothing is made yet."""
        self._make = make
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}

    def of(self, key: str) -> Any:
        """Give the client of a key."""
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(key)
            return self._made[key]

    def all(self) -> list[Any]:
        """Give all that were made, and forget them."""
        with self._lock:
            made, self._made = list(self._made.values()), {}
        return made


class Resilient:
    """What the client for threads and the one for asyncio share."""

    def __init__(
        self,
        make: Callable[[str], Any],
        keys: Keys | Iterable[str],
        *,
        on_switch: Callable[[Switch], None] | None = None,
        is_dead: Callable[[BaseException], bool] = dead_key,
        retry_dead_after: float = 60.0,
    ) -> None:
        """`make` gives the SDK's client for one key; `keys` are the keys, or where they come from.

        `on_switch` is called once for each change of the key in use, from the thread that noticed,
        and is told no key. `is_dead` decides which errors are worth another key. Requests, answers
        and keys are never logged.
        """
        self._clients = Clients(make)
        self._ring = KeyRing(
            keys if callable(keys) else fixed(keys),
            is_dead=is_dead,
            on_switch=on_switch,
            retry_dead_after=retry_dead_after,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class ResilientClient(Resilient):
    """Looks like the SDK's client; each call goes to the key in use, and to the next one if that died.

    A call is repeated only when the provider refused the key, which is before it did anything. A
    stream that has begun is never begun again. When every key is refused, the first refusal is
    raised as it came. Raises NoKeyError where there is no key at all.
    """

    def __getattr__(self, name: str) -> Any:
        return _attribute(self, (), name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the clients of all keys."""
        for client in self._clients.all():
            client.close()


def _attribute(owner: ResilientClient, steps: tuple[Step, ...], name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    client = owner._clients.of(owner._ring.active())  # noqa: SLF001 - the same module's own
    value = getattr(follow(client, steps), name)
    return _Path(owner, (*steps, Step(name))) if leads_on(value, client) else value


class _Path:
    """A method or resource of the SDK that no key was chosen for yet."""

    __slots__ = ("_owner", "_steps")

    def __init__(self, owner: ResilientClient, steps: tuple[Step, ...]) -> None:
        self._owner = owner
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        return _attribute(self._owner, self._steps, name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        *before, last = self._steps
        steps = (*before, Step(last.name, (arguments, named)))
        if last.name in DERIVING:
            return _Path(self._owner, steps)

        def attempt(key: str) -> Any:
            return follow(self._owner._clients.of(key), steps)  # noqa: SLF001 - the same module's own

        result = _run(self._owner._ring, attempt)  # noqa: SLF001 - the same module's own
        opens_later = hasattr(result, "__enter__") and not hasattr(result, "__iter__")
        return _Opening(self._owner._ring, attempt) if opens_later else result  # noqa: SLF001


class _Opening:
    """What makes its request only when it is entered, such as `client.messages.stream(...)`."""

    def __init__(self, ring: KeyRing, attempt: Callable[[str], Any]) -> None:
        self._ring = ring
        self._attempt = attempt
        self._opened: Any = None

    def __enter__(self) -> Any:
        def enter(key: str) -> Any:
            manager = self._attempt(key)
            entered = manager.__enter__()
            self._opened = manager
            return entered

        return _run(self._ring, enter)

    def __exit__(self, *details: object) -> Any:
        return self._opened.__exit__(*details)


def _run(ring: KeyRing, attempt: Callable[[str], Any]) -> Any:
    trial = ring.trial()
    for key in trial.candidates():
        try:
            result = attempt(key)
        except Exception as error:  # noqa: BLE001 - what is not about the key is raised again
            trial.refused(key, error)
        else:
            trial.accepted(key)
            return result
    raise trial.original

"""The client for asyncio; see `keyaudit.client`."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Self

from keyaudit.client.paths import DERIVING, Step, follow, leads_on
from keyaudit.client.resilient import Resilient


class AsyncResilientClient(Resilient):
    """Looks like the SDK's asynchronous client; see `ResilientClient`.

    What a method gives may be awaited, iterated over or entered, as the SDK's own would.
    """

    def __getattr__(self, name: str) -> Any:
        return _attribute(self, (), name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the clients of all keys."""
        for client in self._clients.all():
            await client.close()

    async def _run(self, attempt: Callable[[str], Awaitable[Any]]) -> Any:
        trial = self._ring.trial()
        for key in trial.candidates():
            try:
                result = await attempt(key)
            except Exception as error:  # noqa: BLE001 - what is not about the key is raised again
                trial.refused(key, error)
            else:
                trial.accepted(key)
                return result
        raise trial.original


def _attribute(owner: AsyncResilientClient, steps: tuple[Step, ...], name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    client = owner._clients.of(owner._ring.active())  # noqa: SLF001 - the same module's own
    value = getattr(follow(client, steps), name)
    return _Path(owner, (*steps, Step(name))) if leads_on(value, client) else value


class _Path:
    """A method or resource of the SDK that no key was chosen for yet."""

    __slots__ = ("_owner", "_steps")

    def __init__(self, owner: AsyncResilientClient, steps: tuple[Step, ...]) -> None:
        self._owner = owner
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        return _attribute(self._owner, self._steps, name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        *before, last = self._steps
        steps = (*before, Step(last.name, (arguments, named)))
        return (_Path if last.name in DERIVING else _Request)(self._owner, steps)


class _Request:
    """A call that is made when it is awaited, iterated over or entered."""

    def __init__(self, owner: AsyncResilientClient, steps: tuple[Step, ...]) -> None:
        self._owner = owner
        self._steps = steps
        self._opened: Any = None

    def _made(self, key: str) -> Any:
        return follow(self._owner._clients.of(key), self._steps)  # noqa: SLF001 - the same module's own

    def __await__(self) -> Generator[Any, None, Any]:
        async def attempt(key: str) -> Any:
            made = self._made(key)
            return await made if inspect.isawaitable(made) else made

        return self._owner._run(attempt).__await__()  # noqa: SLF001 - the same module's own

    async def __aiter__(self) -> AsyncIterator[Any]:
        async def attempt(key: str) -> tuple[AsyncIterator[Any], list[Any]]:
            rest = aiter(self._made(key))
            return rest, [item async for item in _first(rest)]

        rest, begun = await self._owner._run(attempt)  # noqa: SLF001 - the same module's own
        for item in begun:
            yield item
        async for item in rest:
            yield item

    async def __aenter__(self) -> Any:
        async def attempt(key: str) -> Any:
            manager = self._made(key)
            entered = await manager.__aenter__()
            self._opened = manager
            return entered

        return await self._owner._run(attempt)  # noqa: SLF001 - the same module's own

    async def __aexit__(self, *details: object) -> Any:
        return await self._opened.__aexit__(*details)


async def _first(items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Give the first item at most."""
    try:
        yield await anext(items)
    except StopAsyncIteration:
        return

"""The same for asyncio: what is awaited, iterated over and entered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import openai
import pytest

from keyaudit.client import AsyncResilientClient, Switch
from servers.model_provider import ModelProvider

BLUE, GREEN = "sk-CANARY-blue-0001", "sk-CANARY-green-0002"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def provider() -> Iterator[ModelProvider]:
    with ModelProvider(GREEN) as provider:
        yield provider


def gpt(provider: ModelProvider, switches: list[Switch]) -> AsyncResilientClient:
    def make(key: str) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(api_key=key, base_url=f"{provider.url}/v1", max_retries=0)

    return AsyncResilientClient(make, [BLUE, GREEN], on_switch=switches.append)


async def drained(stream, received: list[str | None]) -> None:
    async for chunk in stream:
        received.append(chunk.choices[0].delta.content)  # noqa: PERF401 - what came before it broke counts


def test_awaited_calls_fall_back_once(provider) -> None:
    switches: list[Switch] = []

    async def work() -> list[str]:
        async with gpt(provider, switches) as client:
            answers = await asyncio.gather(*(client.chat.completions.create(**ASKED) for _ in range(8)))
            later = await client.with_options(timeout=5).chat.completions.create(**ASKED)
            return [each.choices[0].message.content for each in (*answers, later)]

    assert asyncio.run(work()) == ["hello"] * 9
    assert len(switches) == 1
    assert provider.keys_heard().count(BLUE) <= 8


def test_lists_and_streams_fall_back_before_their_first_item(provider) -> None:
    async def work() -> tuple[list[str], list[str | None]]:
        received: list[str | None] = []
        async with gpt(provider, []) as client:
            models = [model.id async for model in client.models.list()]
            stream = await client.chat.completions.create(stream=True, **ASKED)
            with pytest.raises(openai.APIError, match="broke off"):
                await drained(stream, received)
        return models, received

    assert asyncio.run(work()) == (["m"], ["hel"])
    assert provider.keys_heard() == [BLUE, GREEN, GREEN]


def test_streams_that_are_entered(provider) -> None:
    # Its package takes seconds to import: only whoever runs this test pays for it.
    from anthropic import AsyncAnthropic

    async def work() -> str:
        def make(key: str) -> AsyncAnthropic:
            return AsyncAnthropic(api_key=key, base_url=provider.url, max_retries=0)

        async with (
            AsyncResilientClient(make, [BLUE, GREEN]) as client,
            client.messages.stream(max_tokens=5, **ASKED) as stream,
        ):
            return await stream.get_final_text()

    assert asyncio.run(work()) == "hello"
    assert provider.keys_heard() == [BLUE, GREEN]


def test_all_dead_raises_the_first_refusal(provider) -> None:
    provider.live = set()

    async def work() -> None:
        async with gpt(provider, []) as client:
            await client.chat.completions.create(**ASKED)

    with pytest.raises(openai.AuthenticationError, match=BLUE[-4:]):
        asyncio.run(work())

"""What an application imports: a client that falls back to its next key when one has died.

    from openai import OpenAI
    from keyaudit.client import ResilientClient, from_environment

    client = ResilientClient(lambda key: OpenAI(api_key=key), from_environment("OPENAI_API_KEY"))
    client.chat.completions.create(model="gpt-5", messages=[...])

While a key is rotated, both the old and the new one are given; whichever the provider refuses with
401, the other one answers, and the application sees nothing of it. Standard library only, and
nothing of the rest of keyaudit. For asyncio there is `AsyncResilientClient`.

    from_environment("OPENAI_API_KEY")     NAME_NEW, NAME_V2 before NAME_V1, NAME_PRIMARY, NAME, …
    from_file("/var/run/secrets/openai")   one key a line, read again when the file changes
    from_store(fetch, every=300)           a secret manager's answer; the last good one if it is away
"""

from __future__ import annotations

from keyaudit.client.asynchronous import AsyncResilientClient
from keyaudit.client.death import dead_key
from keyaudit.client.keys import Keys, NoKeyError, from_environment, from_file, from_store
from keyaudit.client.resilient import ResilientClient
from keyaudit.client.ring import Switch

__all__ = [
    "AsyncResilientClient",
    "Keys",
    "NoKeyError",
    "ResilientClient",
    "Switch",
    "dead_key",
    "from_environment",
    "from_file",
    "from_store",
]

"""What a rotation needs where a key is all that a provider grants: which key, and the requests it makes.

Whoever tries the new key, or asks for its own use, does so with that key and needs nothing more.

Sources: OpenAI's permissions of admin keys (`api.management.write` is Organization Administration: Write);
Anthropic's Admin API and OpenRouter's management keys, neither of which can be narrowed down.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_CHANGES = ("POST ", "DELETE ", "PATCH ", "PUT ")
_STEPS = (
    "{make}",
    "Know what it can do: {power}",
    (
        "Put it into the environment variable {variables} where rotations run, and nowhere else: whoever"
        " audits has a key of their own{reads}. No file of keyaudit's holds it."
    ),
    (
        "Let the network do the rest: keyaudit sends these requests and refuses any other in its own code,"
        " before it is sent, so a proxy can allow just them."
    ),
)
_WIDTH = 110
_WORDS: Mapping[str, Mapping[str, str]] = {
    "openai": {
        "key": "An admin key",
        "title": "OpenAI",
        "make": "Create one for this alone, with an expiry: platform.openai.com, Settings, Organization,"
        " Admin keys. Only an owner can. Permissions: `Restricted`, with {permissions} and nothing else.",
        "power": "it cannot be narrowed down to a project, so whoever holds it can {power} in all of them.",
        "reads": ", which only reads",
    },
    "openrouter": {
        "key": "A management key",
        "title": "OpenRouter",
        "make": "Create one for this alone: openrouter.ai, Settings, Management keys.",
        "power": "it cannot be narrowed down. Whoever holds it can make, change and delete every key of the"
        " workspace; it calls no model.",
        "reads": "",
    },
    "anthropic": {
        "key": "An admin key",
        "title": "Anthropic",
        "make": "Create one for this alone: Claude Console, Settings, Admin keys. Only an admin can.",
        "power": "it cannot be narrowed down. Whoever holds it can rename keys, switch them off and archive"
        " them, and change members and workspaces. It cannot create API keys, and no request shows the value"
        " of one.",
        "reads": ", though it can do the same",
    },
}
PROVIDERS = tuple(_WORDS)


def provider_of(settings: Any) -> str | None:
    """Name the provider whose administration a party asks with a key of its own; None if it asks none."""
    if getattr(settings, "key_variable", None) is None:
        return None
    kind = str(settings.provider if settings.kind == "manual" else settings.kind)
    return kind if kind in _WORDS else None


def least_privilege(provider: str, parties: Iterable[tuple[Any, Any]]) -> str:
    """Give the steps that make a key for a rotation, as Markdown; of each party, its settings and itself."""
    every = list(parties)
    calls = sorted({call for _, party in every for asked in party.calls.values() for call in asked})
    words, needed = _WORDS[provider], _permissions(calls)
    requests = sorted({_filled(call, settings) for settings, party in every for call in _calls(party)})
    changes = any(call.startswith(_CHANGES) for call in calls)
    said = {
        "make": words["make"].format(permissions=", ".join(f"`{each}`" for each in needed)),
        "power": words["power"].format(power="make and delete keys" if changes else "list keys"),
        "reads": words["reads"],
        "variables": " or ".join(f"`{each}`" for each in sorted({each.key_variable for each, _ in every})),
    }
    steps = (f"{number}. {step.format(**said)}" for number, step in enumerate(_STEPS, start=1))
    return "\n".join(
        [
            f"# {words['key']} for keyaudit rotate at {words['title']}",
            "",
            *(textwrap.fill(step, _WIDTH, subsequent_indent="   ", break_on_hyphens=False) for step in steps),
            "",
            *(f"       {request}" for request in requests),
        ]
    )


def _calls(party: Any) -> set[str]:
    return {call for asked in party.calls.values() for call in asked}


def _permissions(calls: Sequence[str]) -> list[str]:
    """Name OpenAI's permissions for some calls."""
    management = [call for call in calls if "/usage/" not in call and not call.endswith("/costs")]
    found = ["api.management.read"] if management else []
    found += ["api.management.write"] if any(call.startswith(_CHANGES) for call in calls) else []
    return found + (["api.usage.read"] if len(management) < len(calls) else [])


def _filled(call: str, settings: Any) -> str:
    verb, _, path = call.partition(" ")
    for name in ("project", "service_account"):
        path = path.replace(f"{{{name}}}", str(getattr(settings, name, f"{{{name}}}")))
    return f"{verb} {settings.endpoint.rstrip('/')}{path}"

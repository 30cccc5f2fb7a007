"""Is the new key alive? One file a way of asking; only free calls, and never about the old key."""

from __future__ import annotations

from collections.abc import Mapping

PROBES: Mapping[str, str] = {
    "anthropic": "models:Anthropic",
    "aws-sts": "aws_sts:CallerIdentity",
    "command": "command:ProbeCommand",
    "gemini": "models:Gemini",
    "google": "google:AccessToken",
    "groq": "models:Groq",
    "http": "http:Request",
    "mistral": "models:Mistral",
    "openai": "models:OpenAi",
    "openrouter": "models:OpenRouter",
}
"""The kinds that `probe.kind` may name."""

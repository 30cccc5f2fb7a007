"""Anthropic: all API keys of an organization, whatever their workspace and status.

A pull costs one call for 1,000 keys, one each for 1,000 workspaces and 1,000 people where keys name
any, and one for the last month's use.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from keyaudit.columns import USE
from keyaudit.inventory.rows import Credential
from keyaudit.sources.anthropic.api import Anthropic
from keyaudit.sources.anthropic.rows import SOURCE
from keyaudit.sources.anthropic.scope import OrganizationScope
from keyaudit.sources.anthropic.settings import AnthropicSettings
from keyaudit.sources.pulling.keys import COLUMNS
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.source import Plan, PullingSource


class AnthropicSource(PullingSource[AnthropicSettings]):
    """The source that `kind: anthropic` configures."""

    kind = SOURCE
    Settings = AnthropicSettings

    def plan(self, pool: Executor) -> Plan:  # noqa: ARG002 - there is one scope
        """See `PullingSource.plan`."""
        key = self.key(self.settings.key_variable)

        def connect(meter: Meter) -> Anthropic:
            return Anthropic(self.settings, key, meter)

        meter = Meter(self.pace())
        connect(meter).close()  # a key that no request can carry, or a missing package, ends it here
        return Plan([OrganizationScope(self.settings, meter, connect, clock=self.clock)])

    def columns(self, rows: Sequence[Credential]) -> frozenset[str]:  # noqa: ARG002 - nothing is labelled
        """See `PullingSource.columns`."""
        return COLUMNS if self.settings.last_use else COLUMNS - set(USE)

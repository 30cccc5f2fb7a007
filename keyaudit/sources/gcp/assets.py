"""Cloud Asset Inventory: what a project, folder or organisation has, 1,000 resources a call.

A snapshot of some moment, eventually consistent with the services that it tells of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from keyaudit.sources.gcp.caller import Caller
from keyaudit.sources.gcp.clients import open_client
from keyaudit.sources.gcp.messages import only_page
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.gcp.settings import PROJECT_ID, GcpSettings
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pages import Page, walk
from keyaudit.times import SECOND

PER_SECOND = 1.5
"""Its quota is 100 calls a minute."""

_SERVICE = re.compile(r"//[^/]+/")

PROJECT = "cloudresourcemanager.googleapis.com/Project"


class Asset(msgspec.Struct, frozen=True):
    """One resource: type, name below its service, and what REST would show of it (nothing if left out)."""

    kind: str
    name: str
    content: Mapping[str, Any]


class Assets:
    """Lists resources; every method may raise RefusedError."""

    def __init__(
        self, caller: Caller, settings: GcpSettings, meter: Meter, *, read_time: int | None = None
    ) -> None:
        """Open no connection yet; `close` when done. `read_time` asks for a snapshot of then."""
        self._package = library("google.cloud.asset_v1")
        self._client: Any = open_client(self._package.AssetServiceClient, caller, settings, meter)
        self._asked_time = read_time
        self.read_time: int | None = None
        """The moment of the snapshot, as the service says it."""

    def close(self) -> None:
        """Hang up."""
        self._client.transport.close()

    def pages(self, parent: str, kinds: Sequence[str]) -> Iterator[Page[Asset]]:
        """List the resources of some types below a parent, in no order."""
        when = None
        if self._asked_time is not None:
            seconds, micros = divmod(self._asked_time, SECOND)
            when = library("google.protobuf.timestamp_pb2").Timestamp(seconds=seconds, nanos=micros * 1000)

        def ask(token: str | None) -> Page[Asset]:
            request = self._package.ListAssetsRequest(
                parent=parent,
                asset_types=kinds,
                content_type=self._package.ContentType.RESOURCE,
                read_time=when,
                page_size=1000,
                page_token=token or "",
            )
            message = only_page(self._client.list_assets(request))
            if message.HasField("read_time"):
                self.read_time = message.read_time.seconds * SECOND + message.read_time.nanos // 1000
            found = [
                Asset(each.asset_type, _SERVICE.sub("", each.name), _content(each.resource.data))
                for each in message.assets
            ]
            return Page(found, token=message.next_page_token)

        return walk(ask)

    def projects(self, parent: str) -> dict[str, str]:
        """Give the id of every project below a parent by its number."""
        found = {}
        for page in self.pages(parent, [PROJECT]):
            for asset in page.entries:
                number, name = asset.content.get("projectNumber"), asset.content.get("projectId")
                if PROJECT_ID.fullmatch(str(name)):
                    found[str(number)] = str(name)
        return found


def _content(struct: Any) -> Mapping[str, Any]:
    """Give a Struct as JSON has it; {} for one that JSON cannot say, which nobody then can read."""
    json_format = library("google.protobuf.json_format")
    try:
        found: Mapping[str, Any] = json_format.MessageToDict(struct)
    except (json_format.Error, ValueError):
        return {}
    return found

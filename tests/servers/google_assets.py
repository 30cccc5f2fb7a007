"""Cloud Asset Inventory over what a SecretManager holds: names with numbers, REST's JSON, and some lag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from google.cloud import asset_v1
from google.protobuf import json_format

from servers.google_secret_manager import SecretManager, page_of, timestamp
from servers.grpc_errors import Refused
from servers.grpc_server import Method

SERVICE = "google.cloud.asset.v1.AssetService"
PROJECT = "cloudresourcemanager.googleapis.com/Project"
SECRET = "secretmanager.googleapis.com/Secret"
VERSION = "secretmanager.googleapis.com/SecretVersion"
KNOWN = (PROJECT, SECRET, VERSION)
LARGEST_PAGE, USUAL_PAGE = 1000, 100


class Assets:
    """`parents` says which projects a folder or organisation has; `lagging` what the index has not seen yet."""

    def __init__(self, secrets: SecretManager, parents: dict[str, list[str]], *, now: int) -> None:
        self.secrets = secrets
        self.parents = parents
        self.now = now
        self.lagging: set[str] = set()
        self.misnamed: dict[str, str] = {}

    def methods(self) -> dict[str, Method]:
        return {f"/{SERVICE}/ListAssets": Method(asset_v1.ListAssetsRequest, self.list_assets)}

    def list_assets(self, request: Any) -> Any:
        numbers = self._numbers(request.parent)
        wanted = _kinds(request.asset_types)
        rows = [
            (kind, name, content)
            for kind, name, content in self._everything()
            if kind in wanted and name.split("/")[1] in numbers and name not in self.lagging
        ]
        size = min(request.page_size or USUAL_PAGE, LARGEST_PAGE)
        page, token = page_of(rows, size, request.page_token)
        in_full = request.content_type == asset_v1.ContentType.RESOURCE
        return asset_v1.ListAssetsResponse(
            read_time=request.read_time or timestamp(self.now),
            assets=[_asset(*row, in_full=in_full) for row in page],
            next_page_token=token,
        )

    def _numbers(self, parent: str) -> set[str]:
        if parent.startswith("projects/"):
            return {self.secrets.by_number(parent).removeprefix("projects/")}
        if parent not in self.parents:
            raise Refused("PERMISSION_DENIED", "IAM_PERMISSION_DENIED")
        return {str(self.secrets.projects[each]) for each in self.parents[parent]}

    def _everything(self) -> Iterator[tuple[str, str, Any]]:
        """Give what is there by name: versions come before their secrets as often as after them."""
        for project, number in self.secrets.projects.items():
            called = self.misnamed.get(project, project)
            content = {"projectId": called, "projectNumber": str(number), "lifecycleState": "ACTIVE"}
            yield PROJECT, f"projects/{number}", content
        for name, versions in self.secrets.versions.items():
            for version in versions:
                yield VERSION, version.name, version
            yield SECRET, name, self.secrets.secrets[name]


def _kinds(patterns: Any) -> list[str]:
    for pattern in patterns:
        if not any(re.fullmatch(pattern, kind) for kind in KNOWN):
            raise Refused("INVALID_ARGUMENT")
    return [kind for kind in KNOWN if not patterns or any(re.fullmatch(each, kind) for each in patterns)]


def _asset(kind: str, name: str, content: Any, *, in_full: bool) -> asset_v1.Asset:
    service = kind.split("/", maxsplit=1)[0]
    number = name.split("/")[1]
    found = asset_v1.Asset(
        name=f"//{service}/{name}", asset_type=kind, ancestors=[f"projects/{number}", "organizations/9"]
    )
    if in_full:
        plain = content if isinstance(content, dict) else json_format.MessageToDict(type(content).pb(content))
        found.resource = {"version": "v1", "data": plain}
    return found

"""What a request to Vault needs, and what one to an engine is called in these tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

VERBS = {
    "GET": "read",
    "LIST": "list",
    "SCAN": "scan",
    "POST": "update",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
MERGE_PATCH = "application/merge-patch+json"
_OPERATIONS = {
    ("GET", "data"): "ReadSecret",
    ("POST", "data"): "WriteSecret",
    ("PUT", "data"): "WriteSecret",
    ("PATCH", "data"): "PatchSecret",
    ("DELETE", "data"): "DeleteLatestVersion",
    ("POST", "delete"): "DeleteVersions",
    ("PUT", "delete"): "DeleteVersions",
    ("POST", "undelete"): "UndeleteVersions",
    ("PUT", "undelete"): "UndeleteVersions",
    ("POST", "destroy"): "DestroyVersions",
    ("PUT", "destroy"): "DestroyVersions",
    ("LIST", "metadata"): "ListFolder",
    ("GET", "metadata"): "ReadMetadata",
    ("POST", "metadata"): "WriteMetadata",
    ("PUT", "metadata"): "WriteMetadata",
    ("PATCH", "metadata"): "PatchMetadata",
    ("DELETE", "metadata"): "DeleteMetadata",
    ("SCAN", "detailed-metadata"): "Scan",
    ("POST", "static-roles"): "WriteStaticRole",
    ("DELETE", "static-roles"): "DeleteStaticRole",
    ("POST", "rotate-role"): "RotateRole",
    ("PUT", "rotate-role"): "RotateRole",
    ("GET", "static-creds"): "ReadStaticCredentials",
}


def operation(verb: str, path: str) -> str:
    """Name a request by its verb and the path below the mount; by the verb alone if nothing else fits."""
    return _OPERATIONS.get((verb, path.partition("/")[0]), verb)


@dataclass(frozen=True)
class Request:
    verb: str
    path: str
    namespace: str
    headers: Mapping[str, str]

    @property
    def content_type(self) -> str:
        named = {name.lower(): value for name, value in self.headers.items()}
        return named.get("content-type", "").partition(";")[0].strip()

    @property
    def needs(self) -> tuple[str, str]:
        """Give the capability that it needs (of what exists), and the path that a policy has for it."""
        path = f"{self.namespace}/{self.path}" if self.namespace else self.path
        listed = self.verb in {"LIST", "SCAN"}
        return VERBS[self.verb], path.rstrip("/") + "/" if listed else path

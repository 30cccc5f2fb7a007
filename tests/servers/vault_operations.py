"""What a request to one of Vault's engines is called in these tests."""

from __future__ import annotations

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

"""The columns of an inventory, the same in every format and on every engine.

`CREDENTIALS` and `VERSIONS` map a flat column name to its kind. Kinds: `text`, `integer`,
`boolean`, `instant` (int64 microseconds since the epoch, UTC), `labels` (one text column: a JSON
object with sorted keys, so that any engine can match in it), `names` (list of text).

A document nests what belongs together: `rotation_enabled` is `rotation.enabled` there, and a
CSV file spells it `rotation.enabled`, `labels.team`, `versions.created_at`.
"""

from __future__ import annotations

from typing import Any

SCHEMA = "keyaudit/inventory/1"

CREDENTIALS: dict[str, str] = {
    "source": "text",
    "scope": "text",
    "id": "text",
    "name": "text",
    "class": "text",
    "provider": "text",
    "environment": "text",
    "tier": "integer",
    "owner": "text",
    "labels": "labels",
    "lineage": "text",
    "user_owned": "boolean",
    "reach": "text",
    "consumers": "integer",
    "exposure": "text",
    "created_at": "instant",
    "last_changed_at": "instant",
    "last_rotated_at": "instant",
    "last_used_at": "instant",
    "never_used": "boolean",
    "expires_at": "instant",
    "compromised_at": "instant",
    "rotation_enabled": "boolean",
    "rotation_schedule": "text",
    "rotation_next_at": "instant",
    "rotation_by": "text",
    "managed_by": "text",
    "replica_of": "text",
}

VERSIONS: dict[str, str] = {
    "id": "text",
    "state": "text",
    "created_at": "instant",
    "superseded_at": "instant",
    "retired_at": "instant",
    "authenticates": "boolean",
    "last_used_at": "instant",
    "stages": "names",
}

PAST: dict[str, str] = {
    "id": "text",
    "state": "text",
    "created_at": "instant",
    "superseded_at": "instant",
    "retired_at": "instant",
    "authenticates": "boolean",
    "in_use_at": "instant",
    "gone_by": "instant",
    "usable_at": "instant",
    "unusable_by": "instant",
    "basis": "text",
}
"""A version as the whole history knows it: those that the inventory lists, and those it no longer does.

A version is its id and its `created_at`: a store may give an id again. They are ordered by creation,
those without a date last. `state`, `superseded_at`, `retired_at` and `authenticates` are the last word
on it: of a version that is listed no longer, `state` is how it was last listed, often `current`. Where
that leaves open when it was replaced, `in_use_at` is when it was last seen in use (a lower bound of the
end of its use), `gone_by` when it was first seen not to be, after that (an upper bound: it was listed as
replaced, or a list that had all of its scope had it no longer); null is not known. `usable_at` and
`unusable_by` say the same of whether it could still be used: it was known to authenticate; it was
disabled, destroyed or refused, or a provider (`PROVIDERS`) listed it no longer. A store that does proves
nothing about that. A list takes a while: what it saw is dated by its beginning, what not by its end.
`basis` is whose word its dates are: `store` (the inventory lists it), `inventory` (only an earlier one
did), `audit-log` or `record` (a date, or all of it, is known from there alone).
"""

RECALLED = ("past", "last_seen_at")
"""What a history adds to a credential: a list of `PAST`, and when it was last listed if it no longer is."""

NAMES = frozenset((*CREDENTIALS, "versions", *(f"versions.{name}" for name in VERSIONS)))

BESIDE = frozenset({"rotation_records"})
"""What rules may need that no inventory carries: it is given beside one."""

REQUIRED = ("source", "scope", "id", "name")
REQUIRED_OF_VERSION = ("id", "state")

ROTATION = ("rotation_by", "rotation_enabled", "rotation_next_at", "rotation_schedule")
"""What is known of a rotation that a service does, or reminds of, by itself."""
USE = ("last_used_at", "never_used", "versions.last_used_at")
"""What is known of use."""

CHOICES: dict[str, tuple[str, ...]] = {
    "class": (
        "api-key",
        "service-password",
        "user-password",
        "oauth-client-secret",
        "ssh-key",
        "encryption-key",
        "signing-key",
        "certificate",
        "dynamic-secret",
    ),
    "reach": ("organization", "project"),
    "exposure": ("public", "internal"),
    "versions.state": ("pending", "current", "superseded", "disabled", "destroyed"),
}

PROVIDERS = ("anthropic", "aws-iam", "gcp-iam", "openai")
"""Sources that ask whoever honours the credential: they list keys, and hold none for anybody."""
NO_STORES = (*PROVIDERS, "aws-kms")
"""Sources that keep nobody else's credentials. Any other one, a document's own too, is a store."""
EXEMPT = "exempt by their own labels"
"""How coverage says that credentials took themselves out of rules; page one repeats it."""
NEWEST_IN_USE = ("aws-ssm",)
"""Stores that date no older version, and in which the newest is always in use: nothing is rolled back."""


def polars_schema() -> dict[str, Any]:
    """Give the polars schema of `Inventory.credentials`, `row` and `collection` first."""
    import polars as pl

    kinds: dict[str, Any] = {
        "text": pl.String,
        "integer": pl.Int64,
        "boolean": pl.Boolean,
        "instant": pl.Int64,
        "labels": pl.String,
        "names": pl.List(pl.String),
    }
    version = pl.Struct({name: kinds[kind] for name, kind in VERSIONS.items()})
    return {
        "row": pl.Int64,
        "collection": pl.Int64,
        **{name: kinds[kind] for name, kind in CREDENTIALS.items()},
        "versions": pl.List(version),
    }


def recalled_schema() -> dict[str, Any]:
    """Give the polars schema of `RECALLED`."""
    import polars as pl

    kinds: dict[str, Any] = {"text": pl.String, "boolean": pl.Boolean, "instant": pl.Int64}
    past = pl.Struct({name: kinds[kind] for name, kind in PAST.items()})
    return {"past": pl.List(past), "last_seen_at": pl.Int64}

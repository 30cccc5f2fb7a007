"""Made-up inventories of every shape, with hostile text, for the properties of the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from keyaudit.columns import CHOICES, NAMES, REQUIRED
from keyaudit.inventory import from_rows
from keyaudit.inventory.collected import columns_by_scope
from keyaudit.inventory.instants import EARLIEST, LATEST
from keyaudit.inventory.plain_rows import masked
from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.model import Coverage, Inventory, ScopeStatus

HOSTILE = (
    "=1+1",
    "'quoted",
    "@x",
    "-1",
    "a\r\nb",
    "\ufeffx",
    "\x85\u2028",
    "null",
    "1",
    "2026-05-01",
    "yes",
    ',;"',
    "[a",
    "#x",
)
TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=12),
)
INSTANT = st.one_of(
    st.integers(EARLIEST, LATEST), st.sampled_from((EARLIEST, LATEST, 0, -1, 1_777_593_600_000_000))
)
INTEGER = st.integers(0, 2**53)
COUNT = st.integers(0, 2**40)  # merging adds them up


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


VERSION = st.builds(
    Version,
    id=TEXT,
    state=st.sampled_from(CHOICES["versions.state"]),
    created_at=_maybe(INSTANT),
    superseded_at=_maybe(INSTANT),
    retired_at=_maybe(INSTANT),
    authenticates=_maybe(st.booleans()),
    last_used_at=_maybe(INSTANT),
    stages=_maybe(st.lists(TEXT, max_size=3)),
)
ROTATION = st.builds(
    Rotation,
    enabled=_maybe(st.booleans()),
    schedule=_maybe(TEXT),
    next_at=_maybe(INSTANT),
    by=_maybe(TEXT),
)
CREDENTIAL = st.builds(
    Credential,
    source=st.sampled_from(("aws", "gcp")),
    scope=st.sampled_from(("one", "=two")),
    id=TEXT,
    name=TEXT,
    cls=_maybe(st.sampled_from(CHOICES["class"])),
    provider=_maybe(TEXT),
    environment=_maybe(TEXT),
    tier=_maybe(INTEGER),
    owner=_maybe(TEXT),
    labels=_maybe(st.dictionaries(TEXT | st.just(""), TEXT | st.just(""), max_size=3)),
    lineage=_maybe(TEXT),
    user_owned=_maybe(st.booleans()),
    reach=_maybe(st.sampled_from(CHOICES["reach"])),
    consumers=_maybe(INTEGER),
    exposure=_maybe(st.sampled_from(CHOICES["exposure"])),
    created_at=_maybe(INSTANT),
    last_changed_at=_maybe(INSTANT),
    last_rotated_at=_maybe(INSTANT),
    last_used_at=_maybe(INSTANT),
    never_used=_maybe(st.booleans()),
    expires_at=_maybe(INSTANT),
    compromised_at=_maybe(INSTANT),
    rotation=_maybe(ROTATION),
    managed_by=_maybe(TEXT),
    replica_of=_maybe(TEXT),
    versions=_maybe(st.lists(VERSION, max_size=3, unique_by=lambda version: version.id)),
).filter(lambda row: not (row.never_used and row.last_used_at is not None))
OPTIONAL = sorted(NAMES - set(REQUIRED))
COVERAGE = st.builds(
    Coverage,
    source=st.sampled_from(("aws", "gcp")),
    scope=st.sampled_from(("one", "=two", "three")),
    status=st.just(ScopeStatus.PARTIAL),
    credentials=_maybe(COUNT),
    calls=_maybe(COUNT),
    started_at=_maybe(INSTANT),
    reason=_maybe(TEXT),
    identity=_maybe(TEXT),
    cannot_know=st.lists(
        st.sampled_from(sorted(set(OPTIONAL) - {"versions.id", "versions.state"})), unique=True, max_size=2
    ).map(tuple),
)
INVENTORY = st.builds(
    from_rows,
    st.lists(CREDENTIAL, max_size=5, unique_by=lambda row: (row.source, row.scope, row.id)),
    st.lists(COVERAGE, max_size=3, unique_by=lambda row: (row.source, row.scope)).map(tuple),
    _maybe(INSTANT),
    st.sets(st.sampled_from(OPTIONAL)) | st.just(frozenset(OPTIONAL)),
)


def seen(inventory: Inventory) -> Mapping[str, Any]:
    """Give what an inventory says, however its rows are divided into collections."""
    frame = inventory.credentials.collect()
    scopes = columns_by_scope(inventory.collections, frame.lazy())
    return {
        "rows": masked(frame, scopes).drop("collection").to_dicts(),
        "collected": scopes,
        "coverage": inventory.coverage,
        "collected_at": inventory.collected_at,
    }

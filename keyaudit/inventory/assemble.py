"""Documents into one inventory: nothing twice, and coverage that agrees with what is there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import polars as pl

from keyaudit.columns import VERSIONS, polars_schema
from keyaudit.inventory.check import shown
from keyaudit.inventory.collected import collections_of, complete, place, without
from keyaudit.inventory.coverage import merge_coverage
from keyaudit.inventory.document import Document
from keyaudit.inventory.problems import Problems, refuse
from keyaudit.model import Collection, Coverage, Inventory, ScopeStatus

_KEY = ("source", "scope", "id")


def assemble(documents: Sequence[Document]) -> Inventory:
    """Make one inventory of documents; raises InventoryError if they contradict themselves or each other."""
    problems = [Problems(document.file) for document in documents]
    for document, noted in zip(documents, problems, strict=True):
        _check_coverage(document, noted)
    _check_twice(documents, problems)
    refuse(problems)
    collections: list[Collection] = []
    frames: list[pl.LazyFrame] = []
    for document in documents:
        own = _collections(document)
        frames.append(document.frame.with_columns(place(own, len(collections))))
        collections += own
    frame = frames[0] if len(frames) == 1 else pl.concat(frames)
    row = pl.int_range(pl.len(), dtype=pl.Int64).alias("row")
    moments = [document.header.collected_at for document in documents]
    return Inventory(
        credentials=frame.with_columns(row).select(*polars_schema()),
        coverage=_coverage(documents, frame, collections),
        collections=tuple(collections),
        collected_at=earliest(moments),
        digest=digest_of([document.digest for document in documents]),
        parquet=_in_place(documents, collections),
    )


def _coverage(
    documents: Sequence[Document], frame: pl.LazyFrame, collections: Sequence[Collection]
) -> tuple[Coverage, ...]:
    if len(documents) == 1:
        return documents[0].header.coverage
    described = [row for document in documents for row in document.header.coverage]
    return merge_coverage(described, frame, collections)


def _in_place(documents: Sequence[Document], collections: Sequence[Collection]) -> tuple[str, ...]:
    """Name the Parquet file that another engine may read itself: one document, one collection."""
    alone = documents[0].in_place if len(documents) == len(collections) == 1 else None
    return () if alone is None else (alone,)


def earliest(moments: Sequence[int | None]) -> int | None:
    """Say when the oldest part was collected; not known if that is not known of any part."""
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == len(moments) else None


def digest_of(digests: Sequence[Callable[[], str]]) -> Callable[[], str]:
    """Give what documents come to `together`, once somebody asks."""
    return lambda: together([digest() for digest in digests])


def together(digests: Sequence[str]) -> str:
    """One document: its own SHA-256. Several: the SHA-256 of theirs, sorted, as hexadecimal text."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _collections(document: Document) -> tuple[Collection, ...]:
    declared = {(own.source, own.scope): own.columns for own in document.header.collected}
    default = declared.pop((None, None), complete(document.columns))
    unknowable = {(row.source, row.scope): row for row in document.header.coverage if row.cannot_know}
    narrowed = collections_of(default, [row for scope, row in unknowable.items() if scope not in declared])
    stated = []
    for scope, columns in declared.items():
        cannot_know = unknowable[scope].cannot_know if scope in unknowable else ()
        stated.append(Collection(without(columns, cannot_know), *scope))
    return (*narrowed, *stated)


def _check_coverage(document: Document, problems: Problems) -> None:
    """Compare what each scope claims with the rows that are there."""
    if document.header.coverage:
        counts = document.frame.group_by("source", "scope").len().collect()
        present = {(source, scope): count for source, scope, count in counts.iter_rows()}
        claims = zip(document.header.coverage, document.header.lines, strict=True)
        for index, (scope, line) in enumerate(claims):
            if message := _disagrees(scope, present.get((scope.source, scope.scope), 0)):
                problems.add(message, line=line, field=f"coverage[{index}]")
    _check_columns(document, problems)


def _disagrees(scope: Coverage, present: int) -> str | None:
    name = f"{shown(scope.source)} {shown(scope.scope)}"
    if scope.status is ScopeStatus.EMPTY and present:
        return f"says that {name} is empty, but {present:,} of its credentials are here"
    if scope.status is ScopeStatus.COMPLETE and scope.credentials not in {None, present}:
        return (
            f"says that {name} is complete with {scope.credentials:,} credentials, but {present:,} are here"
        )
    return None


def _check_columns(document: Document, problems: Problems) -> None:
    """A value that the header says nobody could know, or nobody asked for, would not be judged."""
    collections = _collections(document)
    silent = {index: document.columns - own.columns for index, own in enumerate(collections)}
    wanted = sorted({name for names in silent.values() for name in names})
    if not wanted:
        return
    carries = [_carries(name).alias(name) for name in wanted]
    table = document.frame.with_columns(place(collections)).with_row_index("_at")
    found = table.select("_at", "collection", "source", "scope", *carries).filter(pl.any_horizontal(wanted))
    for row in found.collect().iter_rows(named=True):
        for name in wanted:
            if row[name] and name in silent[row["collection"]]:
                who = f"{shown(row['source'])} {shown(row['scope'])}"
                message = f"a value is here, but the header says that {who} does not know this column"
                where = f"credentials[{row['_at']}].{name}"
                problems.add(message, line=document.line_of(row["_at"]), field=where)


def _carries(name: str) -> pl.Expr:
    if not name.startswith("versions."):
        return pl.col(name).is_not_null()
    field = name.removeprefix("versions.")
    assert field in VERSIONS
    return (
        pl.col("versions")
        .list.eval(pl.element().struct.field(field).is_not_null())
        .list.any()
        .fill_null(value=False)
    )


def _check_twice(documents: Sequence[Document], problems: Sequence[Problems]) -> None:
    """No credential may stand in two places: to keep either would lose what the other says."""
    tables = [
        document.frame.select(*_KEY).with_row_index("_at").with_columns(_document=pl.lit(index))
        for index, document in enumerate(documents)
    ]
    table = pl.concat(tables).with_columns(_hash=pl.struct(_KEY).hash())
    keys = table.collect()
    if keys["_hash"].n_unique() == keys.height:
        return
    seen: dict[tuple[str, ...], tuple[int, int]] = {}
    suspects = keys.filter(pl.col("_hash").is_duplicated())
    for at, source, scope, identity, document, _ in suspects.iter_rows():
        if (key := (source, scope, identity)) not in seen:
            seen[key] = (document, at)
            continue
        first, first_at = seen[key]
        line = documents[first].line_of(first_at)
        where = f"{documents[first].file}:{line}" if line else f"{documents[first].file} row {first_at}"
        message = f"{shown(identity)} of {shown(source)} {shown(scope)} is already at {where}"
        line = documents[document].line_of(at)
        problems[document].add(message, line=line, field=f"credentials[{at}].id")

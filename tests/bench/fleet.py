"""A made-up fleet of any size, as a Parquet inventory: the same bytes for the same size."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from keyaudit.columns import SCHEMA
from keyaudit.times import DAY, HOUR, format_instant, parse_instant

AS_OF = parse_instant("2026-05-01T00:00:00Z")
_STORES = ("aws-secrets-manager", "gcp-secret-manager", "vault", "aws-iam")
_ENVIRONMENTS = ("production", "production", "staging", "development")
_CLASSES = ("api-key", "service-password", "api-key", "encryption-key")


def _pick(values: tuple[str | None, ...], divisor: int = 1) -> pl.Expr:
    index = (pl.col("row") // divisor) % len(values)
    choice = pl.when(index == 0).then(pl.lit(values[0]))
    for position, value in enumerate(values[1:], start=1):
        choice = choice.when(index == position).then(pl.lit(value))
    return choice


def _instant(offset: pl.Expr | int) -> pl.Expr:
    return (pl.lit(AS_OF, dtype=pl.Int64) - offset).cast(pl.Datetime("us", "UTC"))


def write(path: Path, credentials: int) -> None:
    """Write `credentials` rows with three versions each; about one in twenty breaks some rule."""
    row = pl.col("row")
    # Mixed so that neighbours differ, without a random generator whose stream could change.
    mixed = (row * 2_654_435_761) % 1_000
    scattered = (row * 40_503 * 65_537 + 12_345) % DAY
    age = (mixed % 70 + 2) * DAY + scattered + pl.when(mixed > 950).then(120 * DAY).otherwise(0)
    frame = pl.LazyFrame({"row": pl.int_range(credentials, eager=True)})
    frame = frame.with_columns(age=age).select(
        source=_pick(_STORES),
        scope=pl.format("{}/eu-west-1", 111122223333 + row % 40),
        id=pl.format(
            "arn:aws:secretsmanager:eu-west-1:{}:secret:key-{}-{}", 111122223333 + row % 40, row, scattered
        ),
        name=pl.format("{}/service-{}/key-{}", _pick(_ENVIRONMENTS, 4), row % 5_000, row),
        **{"class": _pick(_CLASSES, 2)},
        provider=_pick(("openai", "anthropic", "stripe", "internal"), 3),
        environment=_pick(_ENVIRONMENTS, 4),
        tier=(row % 2).cast(pl.Int64) + 2,
        owner=pl.when(mixed == 7).then(None).otherwise(pl.format("team-{}@acme.example", row % 200)),
        labels=pl.concat_str(
            pl.lit('{"pci":"'),
            (row % 5 == 0).cast(pl.String),
            pl.lit('","team":"t'),
            (row % 200).cast(pl.String),
            pl.lit('"}'),
        ),
        consumers=(row % 5).cast(pl.Int64),
        created_at=_instant(pl.col("age") + 400 * DAY),
        last_changed_at=_instant(pl.col("age") - HOUR),
        last_rotated_at=_instant(pl.col("age")),
        last_used_at=_instant((mixed % 60) * DAY + scattered),
        rotation_enabled=row % 3 < 2,
        rotation_schedule=_pick(("rate(30 days)", "cron(0 8 1 * ? *)", None), 1),
        rotation_by=_pick(("lambda", "service", None), 1),
        rotation_next_at=_instant(-((mixed % 28) + 1) * DAY),
        versions=pl.concat_list(
            _version(0, pl.lit("current"), pl.col("age")),
            _version(
                1,
                pl.when(mixed > 985).then(pl.lit("superseded")).otherwise(pl.lit("destroyed")),
                pl.col("age") + 80 * DAY,
            ),
            _version(2, pl.lit("destroyed"), pl.col("age") + 160 * DAY),
        ),
    )
    header = {"schema": SCHEMA, "collected_at": "2026-05-01T00:00:00Z", "coverage": []}
    frame.collect().write_parquet(path, metadata={"keyaudit": json.dumps(header)}, row_group_size=131_072)


def _version(number: int, state: pl.Expr, age: pl.Expr) -> pl.Expr:
    superseded = _instant(age - 80 * DAY) if number else pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    return pl.struct(
        id=pl.format("v{}", 3 - number),
        state=state,
        created_at=_instant(age),
        superseded_at=superseded,
        authenticates=pl.lit(number == 0),
        last_used_at=_instant(age // 2) if number == 0 else superseded,
    )


def write_days(folder: Path, credentials: int, days: int) -> None:
    """Write the same fleet as it was listed each day until `AS_OF`: stores that keep three versions.

    A credential is rotated every 30 to 119 days; use is another one every day.
    """
    first = folder / "fleet.parquet"
    write(first, credentials)
    frame = pl.read_parquet(first)
    first.unlink()
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    every, offset = 30 + row * 7 % 90, row * 131 % 365
    scopes = frame.group_by("source", "scope", maintain_order=True).len().iter_rows()
    covered = [
        {"source": source, "scope": scope, "status": "complete", "credentials": count}
        for source, scope, count in scopes
    ]
    for day in range(days):
        at = AS_OF - (days - 1 - day) * DAY
        header = {"schema": SCHEMA, "collected_at": format_instant(at), "coverage": covered}
        current = (day + 365 + offset) // every
        begun = at - pl.lit(day + 365, dtype=pl.Int64) * DAY - offset * DAY
        listed = frame.with_columns(
            last_used_at=pl.lit(at - HOUR, dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
            versions=pl.concat_list(*(_listed(current - old, begun, every, old == 0) for old in range(3))),
        )
        listed.write_parquet(
            folder / f"{day:03}.parquet", metadata={"keyaudit": json.dumps(header)}, row_group_size=131_072
        )


def _listed(number: pl.Expr, begun: pl.Expr, every: pl.Expr, newest: bool) -> pl.Expr:
    made, ended = ((begun + (number + more) * every * DAY).cast(pl.Datetime("us", "UTC")) for more in (0, 1))
    return pl.struct(
        id=pl.format("v{}", number),
        state=pl.lit("current" if newest else "superseded"),
        created_at=made,
        superseded_at=pl.lit(None, dtype=pl.Datetime("us", "UTC")) if newest else ended,
        authenticates=pl.lit(value=newest),
        last_used_at=ended,
    )

"""What the engine is asked for the ledger: two counts with the others, the rest when a format wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyaudit.facts import rotations
from keyaudit.facts.promotions import Period
from keyaudit.report import ledger_questions as questions
from keyaudit.report.ledger import Answers, RecordedOf
from keyaudit.report.ledger_records import records_of

if TYPE_CHECKING:
    import polars as pl

    from keyaudit.engine import Engine, Frame


@dataclass(frozen=True)
class Asking:
    """The questions of one period: about `credentials` as they were judged, and their `entries`."""

    engine: Engine
    period: Period
    credentials: Frame
    entries: Frame
    recorded: RecordedOf

    @property
    def counts(self) -> list[Frame]:
        """The two small questions."""
        return [questions.by_operation(self.credentials), questions.by_result(self.entries)]

    def answers(self, counted: Sequence[pl.DataFrame]) -> Answers:
        """Put the answers to `counts` together with what can be asked later."""
        operations, results = (dict(table.iter_rows()) for table in counted)
        return Answers(
            period=self.period,
            operations=operations,
            results=results,
            credentials=lambda: self.engine.collect([self.credentials.sort("row")])[0],
            entries=lambda: self.engine.collect([questions.in_order(self.entries)])[0],
            recorded=self.recorded,
        )


def asking(
    engine: Engine, frame: Frame, period: Period | None, values: Frame | None, requirements: int, within: int
) -> Asking | None:
    """Make the questions of a judged frame; None where no period is audited.

    `within` is how far a record that names no version may lie from the rotation that it stands for.
    """
    if period is None or values is None:
        return None
    credentials = questions.required(frame, period, requirements)
    recorded = records_of(lambda: rotations.records(frame, period, engine), within)
    return Asking(engine, period, credentials, questions.entries(values, credentials, period), recorded)

"""Which keys carry the rotation ledger and the sample, in a document that has them."""

from __future__ import annotations

from keyaudit import model
from keyaudit.model.sampled import STRATA
from keyaudit.report_document.kinds import (
    COUNT,
    DURATION,
    DURATION_OR_NULL,
    INSTANT,
    INSTANT_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    choice,
    counts,
    many,
    maybe,
    shape,
    word,
)

BASES = ("store", "inventory", "audit-log", "record")
HISTORY_KINDS = ("inventory", "history", "cloudtrail", "google-audit-log", "vault-audit-log", "audit-log")

_RECORDED = shape(
    model.Recorded,
    at=INSTANT,
    token=TEXT_OR_NULL,
    requested_by=TEXT_OR_NULL,
    approved_by=TEXT_OR_NULL,
    ticket=TEXT_OR_NULL,
)
_ENTRY = shape(
    model.LedgerEntry,
    version=TEXT,
    created_at=INSTANT_OR_NULL,
    due_at=INSTANT_OR_NULL,
    replaced_from=INSTANT_OR_NULL,
    replaced_to=INSTANT_OR_NULL,
    replaced_by=TEXT_OR_NULL,
    result=choice(model.LedgerResult),
    early_min=DURATION_OR_NULL,
    early_max=DURATION_OR_NULL,
    out_of_policy_min=("out_min", DURATION),
    out_of_policy_max=("out_max", DURATION),
    overlap_min=DURATION_OR_NULL,
    overlap_max=DURATION_OR_NULL,
    grace=choice(model.Grace),
    basis=word(*BASES),
    recorded=maybe(_RECORDED),
)
_ROW = shape(
    model.LedgerRow,
    source=TEXT,
    scope=TEXT,
    id=TEXT,
    name=TEXT,
    class_=("cls", TEXT_OR_NULL),
    environment=TEXT_OR_NULL,
    owner=TEXT_OR_NULL,
    schedule=TEXT_OR_NULL,
    rotation_period=DURATION_OR_NULL,
    grace_period=DURATION_OR_NULL,
    operation=choice(model.Operation),
    due=COUNT,
    met=COUNT,
    late=COUNT,
    open=COUNT,
    longest_min=DURATION_OR_NULL,
    longest_max=DURATION_OR_NULL,
    out_of_policy_min=("out_min", DURATION),
    out_of_policy_max=("out_max", DURATION),
    last_seen_at=INSTANT_OR_NULL,
    gaps=many(shape(model.HistoryGap, from_=("starts", INSTANT), to=("ends", INSTANT), why=TEXT)),
    entries=many(_ENTRY),
)
_POLICY = shape(
    model.PolicyPart,
    name=TEXT,
    sha256=TEXT,
    approved_by=TEXT_OR_NULL,
    from_=("starts", INSTANT),
    to=("ends", INSTANT),
)
_FILE = shape(
    model.HistoryFile,
    file=TEXT,
    kind=word(*HISTORY_KINDS),
    sha256=TEXT_OR_NULL,
    at=INSTANT_OR_NULL,
    items=COUNT,
    problem=TEXT_OR_NULL,
)
_HISTORY = shape(
    model.HistorySummary,
    sha256=TEXT,
    files=many(_FILE),
    first_at=INSTANT_OR_NULL,
    last_at=INSTANT_OR_NULL,
    longest_gap=DURATION_OR_NULL,
    recalled=COUNT,
    vanished=COUNT,
    contradictions=COUNT,
)
LEDGER = shape(
    model.Ledger,
    policies=many(_POLICY),
    history=maybe(_HISTORY),
    operations=counts(choice(model.Operation)),
    results=counts(choice(model.LedgerResult)),
    credentials=("rows", many(_ROW)),
)
_DRAWN = shape(
    model.Drawn,
    order=COUNT,
    stratum=many(TEXT),
    source=TEXT,
    scope=TEXT,
    id=TEXT,
    name=TEXT,
    key=TEXT,
)
SAMPLE = shape(
    model.Sample,
    size=COUNT,
    seed=TEXT,
    strata=many(word(*STRATA)),
    population=COUNT,
    population_sha256=TEXT,
    parts=many(shape(model.Stratum, values=TEXTS, population=COUNT, drawn=COUNT)),
    drawn=many(_DRAWN),
    reserves=many(_DRAWN),
)

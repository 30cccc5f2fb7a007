"""What is known of a period's past, and what is not, in words: for the first page of every format."""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit import times
from keyaudit.formats.visible import visible
from keyaudit.model import HistorySummary, Ledger, Report

KINDS = {
    "inventory": "an earlier inventory",
    "history": "a history document",
    "cloudtrail": "CloudTrail events",
    "google-audit-log": "a Google audit log",
    "vault-audit-log": "a Vault audit log",
    "audit-log": "an audit log of nobody known",
}
"""What each kind of history file is."""


def history(report: Report) -> str | None:
    """Say what the ledger rests on besides the inventory; None in an audit of an instant."""
    if report.ledger is None:
        return None
    known = report.ledger.history
    if known is None:
        return "none was given: only what the stores and rotation records still tell is known"
    sound = [file for file in known.files if not file.problem]
    said = [f"{_count(len(sound), 'file')}, sha256 {visible(known.sha256[:12])}"]
    looks = sum(file.kind == "inventory" for file in sound)
    if looks:
        said[0] += f", {_count(looks, 'earlier inventory', 'earlier inventories')} among them"
    if known.first_at is not None and known.last_at is not None:
        said.append(f"{times.format_date(known.first_at)} to {times.format_date(known.last_at)}")
    if known.longest_gap is not None:
        said.append(f"at most {times.describe_duration(known.longest_gap)} between two looks in the period")
    if known.recalled:
        said.append(f"{_count(known.recalled, 'version')} recalled that no store lists any more")
    if known.vanished:
        gone = _count(known.vanished, "credential")
        said.append(f"{gone} no longer listed: rules about the present do not judge what is gone")
    return "; ".join(said)


def gaps(report: Report) -> Iterator[tuple[str, str]]:
    """Name what was not tested of the past: what, and why."""
    if report.ledger is None:
        return
    yield from _word_of_management(report, report.ledger)
    known = report.ledger.history
    if known is None:
        yield "the past of the stores", "no history was given: what a store has forgotten is not known"
        return
    for file in known.files:
        if file.problem:
            yield file.file, f"no evidence of the past: {file.problem}"
    if known.contradictions:
        said = f"{_count(known.contradictions, 'date')} of versions, by other lists, logs or records"
        yield "dates that are contradicted", f"{said}: what was listed last counts"
    if known.longest_gap is None:
        yield (
            "the past of the stores",
            "no earlier inventory was given: what vanished in between is not known",
        )
    elif known.longest_gap > times.DAY:
        apart = times.describe_duration(known.longest_gap)
        yield "between two looks", f"up to {apart} apart: what came and went in between is not known"


def _word_of_management(report: Report, ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Say what no store attests: until when an earlier policy governed, and what came after the list."""
    for part in ledger.policies[:-1]:
        until = times.format_instant(part.ends)
        yield f"policy {part.name}", f"that it governed until {until} is the word of who ran this audit"
    collected = report.inventory.collected_at
    if report.period is not None and collected is not None and report.period[1] - collected > times.DAY:
        apart = times.describe_duration(report.period[1] - collected)
        yield "the end of the period", f"the inventory is {apart} older: what came then is not known"


def files(known: HistorySummary) -> Iterator[tuple[str, str, str | None]]:
    """Give each file's name, what it is or why it is no evidence, and its SHA-256."""
    for file in known.files:
        if file.problem:
            yield file.file, f"no evidence: {file.problem}", file.sha256
            continue
        what = KINDS.get(file.kind, file.kind)
        at = "" if file.at is None else f", collected {times.format_instant(file.at)}"
        noun = "credential" if file.kind == "inventory" else "event"
        count = "" if file.kind == "history" else f", {_count(file.items, noun)}"
        yield file.file, f"{what}{at}{count}", file.sha256


def _count(number: int, one: str, many: str | None = None) -> str:
    # wording says the same, and imports this.
    return f"{number:,} {one if number == 1 else many or one + 's'}"

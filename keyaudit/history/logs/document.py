"""What audit logs told, without the logs: the document `keyaudit/audit-log-entries/1`, of named fields only.

A log may hold values (of Vault with `log_raw`, or in a request), people's names and where they sat. Here is
nothing of it but ids and names of credentials and of versions, ids of entries, and instants. NDJSON, UTF-8,
one JSON object a line, fields in this order, what is not so left out:

    schema, silent, files     the first line; `silent` entries did not say which version they are about
      files[]                 file, kind, sha256, items, problem: each log as it was given, its own digest
    file, reference, things   each other line is an entry: the number of its file, from 0; its own id or place
      things[]                told, source, where, at, ids, name, exact, version, if_known, if_newest:
                              what `Happening` and `Subject` say; instants are RFC 3339

Entries stand in the order in which they were read. The bytes are canonical: only what `write` gives is read.
Who keeps a log can prove a document wrong: it has the log's SHA-256, and reading that comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from keyaudit.errors import InventoryError
from keyaudit.history.events import Told
from keyaudit.history.logs import document_problems
from keyaudit.history.logs.happening import Happening, Subject
from keyaudit.history.logs.noted import AuditLogs, Noted
from keyaudit.history.logs.shape import SCHEMA, File, Header, Line, Plain, Thing
from keyaudit.inventory.instants import check_instant
from keyaudit.model.period import HistoryFile
from keyaudit.times import format_instant

_HEADER, _LINE = msgspec.json.Decoder(Header), msgspec.json.Decoder(Line)


def write(logs: AuditLogs) -> bytes:
    """Write what logs told as one document."""
    files = [File(each.file, each.kind, each.sha256, each.items, each.problem) for each in logs.files]
    return b"".join(map(_encoded, [Header(SCHEMA, logs.silent, files), *_lines(logs)]))


def _encoded(line: Plain) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def _lines(logs: AuditLogs) -> Iterator[Line]:
    numbers: dict[str, int] = {}
    for number, file in enumerate(logs.files):
        numbers.setdefault(file.file, number)
    for (file, reference), noted in groupby(logs.noted, lambda each: (each.file, each.reference)):
        yield Line(numbers[file], reference, [_thing(each.happening) for each in noted])


def _thing(happening: Happening) -> Thing:
    about = happening.subject
    return Thing(
        happening.told,
        about.source,
        about.where,
        format_instant(happening.at),
        about.ids,
        about.name,
        about.exact,
        happening.version,
        happening.if_known,
        happening.if_newest,
    )


def read(content: bytes, file: str) -> AuditLogs:
    """Read a document; raises InventoryError with everything that is wrong with it.

    What another program wrote, or anybody changed, is refused: only the bytes that `write` gives are one.
    The logs are called as they were where they were read; `file` is for problems.
    """
    logs, written = None, None
    try:
        logs = _read(content)
        written = write(logs)
    except (ValueError, RecursionError):
        logs = None
    if logs is None or written != content:
        problems, total = document_problems.found(content, written, file)
        raise InventoryError(problems, total=total)
    return logs


def _read(content: bytes) -> AuditLogs:
    """Read what is sound; raises ValueError for anything else."""
    first, *others = content.split(b"\n")
    header = _HEADER.decode(first)
    if not document_problems.sound_header(header):
        raise ValueError(header.schema)
    files = tuple(
        HistoryFile(each.file, each.kind, each.sha256, None, each.items, each.problem)
        for each in header.files
    )
    noted = list[Noted]()
    for line in map(_LINE.decode, filter(None, others)):
        if not document_problems.sound(line, header):
            raise ValueError(line.reference)
        noted += _noted(line, files)
    return AuditLogs(files, tuple(noted), header.silent)


def _noted(line: Line, files: Sequence[HistoryFile]) -> Iterator[Noted]:
    makes = any(each.told is Told.CREATED for each in line.things)
    for each in line.things:
        about = Subject(each.source, each.where, each.ids, each.name, each.exact)
        happening = Happening(
            about, each.version, each.told, check_instant(each.at), each.if_known, each.if_newest
        )
        yield Noted(happening, files[line.file].file, line.reference, makes)

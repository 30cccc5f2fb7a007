r"""The rotation record (`keyaudit/rotation-record/1`): read as evidence, and its chain checked.

Rotations write it, audits read it. A file holds one JSON object a line (NDJSON, UTF-8, `\n`), only
ever appended to, each line on the disk before what it announces is done. No line holds a value.

    schema        keyaudit/rotation-record/1
    seq           the number of records before this one in the file
    at            when, RFC 3339 with an offset
    name          what the rotation is called in keyaudit.yaml
    credential    {source, scope, id, name} as an inventory has it: records are found by this
    token         names one rotation: a UUID, the same in all of its lines and in the new key's name
    event         requested · intent · result · failed · ended
    step          provision · void · discard · verify · decide · promote · restore · drain · revoke · drop;
                  set for intent, result and failed
    outcome       what came of a step, or of the run: rotated, rolled-back, reached,
                  nothing, waiting, blocked
    goal          forward · back · emergency
    requested_by, approved_by, ticket, reason      as they were given; null where nobody said
    detail        ids, counts and instants
    prev          the SHA-256, in hex, of all bytes from the start of the record before to the start
                  of this one; null for the first

So nothing can be changed, removed or slipped in without `prev` telling. The chain does not tell
who wrote the file, nor that its end was cut off: keep its last hash elsewhere, or sign the file.
A line that a crash tore stays where it is, is covered by the next `prev` and is no record. With no
torn line between them, line N is checked by hand against line N+1:

    sed -n Np FILE | sha256sum
"""

from __future__ import annotations

from keyaudit.rotation_record.chain import SCHEMA, Chain, recognised, verified
from keyaudit.rotation_record.reading import Record, RecordFile, read_files, read_records, wrong_with

__all__ = [
    "SCHEMA",
    "Chain",
    "Record",
    "RecordFile",
    "read_files",
    "read_records",
    "recognised",
    "verified",
    "wrong_with",
]

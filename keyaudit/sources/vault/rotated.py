"""What a rotation leaves in KV: values that were taken back, and entries of its own beside a secret.

KV cannot make an older version the newest one; the value is written again, and by its date it would
look new. Whoever does that says so beside it, in the custom metadata of the secret:

    keyaudit_value_since: 3 2026-01-01T00:00:00Z      # the value of version 3 is that old

Such a label can make a value look older than its version, never younger.

Beside a secret are the rotation's note, which holds no value, and a place for the value that is tried
before it is served. The latter is a credential while it holds one, and else as empty as the note.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyaudit.times import format_instant, parse_instant

VALUE_SINCE = "keyaudit_value_since"
NOTE_OF = "keyaudit_note_of"
"""Names the secret that an entry is the note of."""
STAGING_OF = "keyaudit_staging_of"
"""Names the secret whose next value is tried in an entry."""


def restored_label(version: int, since: int | None) -> str | None:
    """Say how old the value of a version is, in microseconds; None where that is not known."""
    return None if since is None else f"{version} {format_instant(since)}"


def value_created_at(labels: Mapping[str, str], version: int, created_at: int | None) -> int | None:
    """Give the instant at which a version's value was created, not later than the version itself."""
    number, _, since = labels.get(VALUE_SINCE, "").strip().partition(" ")
    if number != str(version):
        return created_at
    try:
        said = parse_instant(since.strip())
    except ValueError:
        return created_at
    return said if created_at is None else min(said, created_at)

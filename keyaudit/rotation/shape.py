"""How a credential sits in the text that a store keeps.

A whole text is one value; a JSON object has a field for each part and may have others, which stay as
they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from keyaudit.errors import RotationError
from keyaudit.rotation.secret import Parts, Secret


@dataclass(frozen=True, slots=True)
class Shape:
    """Where each part of a credential is: `fields` maps part → field of a JSON object.

    Empty `fields` means that the whole text is the one part there is, named `whole`.
    """

    fields: Mapping[str, str]
    whole: str = "key"

    def read(self, text: Secret) -> Parts:
        """Give the parts; raises RotationError, without the text, where they are not there."""
        if not self.fields:
            return {self.whole: text.reveal()}
        stored = _object(text)
        missing = sorted(field for field in self.fields.values() if not isinstance(stored.get(field), str))
        if missing:
            raise RotationError(f"the stored value has no field {', '.join(map(repr, missing))}")
        return {part: str(stored[field]) for part, field in self.fields.items()}

    def write(self, text: Secret, parts: Parts) -> Secret:
        """Give the text with new parts in it; raises RotationError where it cannot hold them."""
        if not self.fields:
            if set(parts) != {self.whole}:
                raise RotationError(
                    f"this key has the parts {', '.join(sorted(parts))}",
                    hint="say where each belongs: store.fields",
                )
            return Secret(parts[self.whole])
        if set(parts) != set(self.fields):
            raise RotationError(
                f"store.fields names {', '.join(sorted(self.fields))}",
                hint=f"this key has {', '.join(sorted(parts))}",
            )
        stored = _object(text)
        return Secret(json.dumps(stored | {field: parts[part] for part, field in self.fields.items()}))


def _object(text: Secret) -> dict[str, object]:
    try:
        stored = json.loads(text.reveal())
    except ValueError:
        stored = None
    if not isinstance(stored, dict):
        raise RotationError(
            "the stored value is no JSON object", hint="store.fields is for values that are JSON objects"
        )
    return stored

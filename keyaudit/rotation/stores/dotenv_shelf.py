"""What a .env file says of a rotation: variables for values, one comment for all else."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import TypeAdapter, ValidationError

from keyaudit.errors import RotationError
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Place, Shelf
from keyaudit.rotation.stores.dotenv_text import DotenvText
from keyaudit.rotation.stores.note import Note

PlaceName = Literal["current", "pending", "previous"]
Values = tuple[str, ...]

_PLACES: tuple[PlaceName, ...] = ("current", "pending", "previous")
_NEVER = "(changed by hand)"
"""A base that no version is: what was staged beside it is overtaken."""


@dataclass(frozen=True, slots=True)
class Names:
    """The variables of the credential, and what is put behind their names for the other places."""

    current: tuple[str, ...]
    next_suffix: str
    previous_suffix: str
    whole: bool
    """Whether the one variable is the whole text; otherwise the text is an object of all of them."""

    def of(self, place: PlaceName) -> tuple[str, ...]:
        """Give the variables of a place."""
        suffix = {"current": "", "pending": self.next_suffix, "previous": self.previous_suffix}[place]
        return tuple(name + suffix for name in self.current)

    def every(self) -> list[str]:
        """Give the variables of all places."""
        return [name for place in _PLACES for name in self.of(place)]

    def values(self, text: Secret) -> Values:
        """Take a stored text apart."""
        if self.whole:
            return (text.reveal(),)
        found = json.loads(text.reveal())
        return tuple(str(found[name]) for name in self.current)

    def joined(self, values: Values) -> Secret:
        """Make a stored text of the variables' values."""
        return Secret(values[0] if self.whole else json.dumps(dict(zip(self.current, values, strict=True))))


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the comment keeps beside the note: `prints` are hashes of what was put into each place."""

    salt: str
    last: int = 0
    prints: Mapping[str, str] = field(default_factory=dict)

    def print(self, values: Values) -> str:
        """Hash values so that only who has the file, and so the values, can compare."""
        return hmac.new(self.salt.encode(), json.dumps(values).encode(), hashlib.sha256).hexdigest()[:32]

    def matches(self, place: PlaceName, held: Values | None) -> bool:
        """Say whether the variables of a place hold what was put there."""
        return held is not None and self.prints.get(place) == self.print(held)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the comment says."""

    note: Note
    remembered: Remembered


@dataclass(frozen=True, slots=True, repr=False)
class DotenvShelf:
    """One look at the file. `held` is what the variables of each place are set to, None for none."""

    text: DotenvText
    names: Names
    note: Note
    remembered: Remembered
    held: Mapping[PlaceName, Values | None]

    @classmethod
    def of(cls, text: DotenvText, seen: os.stat_result, names: Names, path: Path) -> Self:
        """Make sense of a file; raises RotationError where that is not possible."""
        held = {place: _held(text, names.of(place)) for place in _PLACES}
        if held["current"] is None:
            raise RotationError(
                f"{' or '.join(names.current)} is not set in {path}", hint="write the first value by hand"
            )
        comments = text.comments(_beginning(names))
        if len(comments) > 1:
            raise RotationError(f"{path} says twice how far the rotation is", hint="remove the older comment")
        if not comments:
            # Whoever looks at the same file reads the same token, and a file that lost its comment
            # does not give out again what it gave out before.
            identity = f"{_place(path, names)}|{seen.st_ino}|{seen.st_mtime_ns}"
            remembered = Remembered(secrets.token_hex(16))
            remembered = replace(remembered, prints={"current": remembered.print(held["current"])})
            return cls(text, names, Note(identity, current=Place("0")), remembered, held)
        try:
            kept = _adapter().validate_json(comments[0], strict=True)
        except ValidationError:
            raise RotationError(
                f"somebody changed the comment in {path} that says how far the rotation is",
                hint="if no rotation is under way, remove it",
            ) from None
        if not kept.note.secret.startswith(f"{_place(path, names)}|"):
            # Two files with one note have the same tokens: each would revoke what the other has made.
            raise RotationError(
                f"the comment in {path} that says how far the rotation is was written for another file",
                hint="remove it: whether a copy or moved, the file is then as if it was never rotated",
            )
        return cls(text, names, *_with_what_others_did(kept, held), held)

    def shelf(self) -> Shelf:
        """Show the places."""
        return replace(self.note.shelf(), foreign=self.foreign)

    @property
    def foreign(self) -> str | None:
        """Name a variable that is in our way and not ours."""
        for place in ("pending", "previous"):
            if getattr(self.note, place) is None and self.held[place] is not None and not self._intact(place):
                return f"{self.names.of(place)[0]} is set, and not by keyaudit"
        return None

    @property
    def undated(self) -> bool:
        """Say whether a value is served of which nobody said since when."""
        note = self.note
        return note.previous is not None and note.current is not None and note.current.since is None

    def dated(self, now: int) -> Self:
        """Say since when the current value is served."""
        assert self.note.current is not None  # only a current value is undated
        return self.changed(replace(self.note, current=replace(self.note.current, since=now)))

    def next_version(self) -> str:
        """Give a version that was never given."""
        return str(self.remembered.last + 1)

    def read(self, version: str) -> Secret:
        """Give the value of a version that is on the shelf."""
        for place in _PLACES:
            found: Place | None = getattr(self.note, place)
            if found is not None and found.version == version:
                return self.names.joined(self._values(place))
        raise RotationError(
            "this value is not in the file any more", hint="somebody was faster; run it again"
        )

    def changed(self, note: Note, new: Mapping[str, Values] | None = None) -> Self:
        """Give the file as a note says it should be; `new` has the values of new versions."""
        if note is self.note:
            return self
        text, prints = self.text, dict(self.remembered.prints)
        for place in ("pending", "previous", "current"):
            before, after = getattr(self.note, place), getattr(note, place)
            if after is None:
                if self.held[place] is not None and self._intact(place):
                    text = _without(text, self.names.of(place))
                prints.pop(place, None)
            elif before is None or before.version != after.version:
                if self.held[place] is not None and not self._intact(place):
                    raise RotationError(f"{self.names.of(place)[0]} is set, and not by keyaudit")
                values = (new or {}).get(after.version) or self._of_version(after.version)
                text = self._set(text, place, values)
                prints[place] = self.remembered.print(values)
        last = max([self.remembered.last, *map(int, new or ())])
        remembered = replace(self.remembered, last=last, prints=prints)
        said = _adapter().dump_json(Kept(note, remembered), ensure_ascii=True).decode()
        text = text.with_comment(_beginning(self.names), said, above=self.names.current[0])
        return replace(self, text=text, note=note, remembered=remembered)

    def _set(self, text: DotenvText, place: PlaceName, values: Values) -> DotenvText:
        for name, base, value in zip(self.names.of(place), self.names.current, values, strict=True):
            text = text.with_value(name, value, after=base)
        return text

    def _of_version(self, version: str) -> Values:
        for place in _PLACES:
            found: Place | None = getattr(self.note, place)
            if found is not None and found.version == version:
                return self._values(place)
        raise AssertionError(version)  # a note moves versions, and makes none

    def _values(self, place: PlaceName) -> Values:
        values = self.held[place]
        if values is None or not self._intact(place):
            raise RotationError(f"{self.names.of(place)[0]} was changed by hand, so its value is not the one")
        return values

    def _intact(self, place: PlaceName) -> bool:
        return self.remembered.matches(place, self.held[place])


def _with_what_others_did(kept: Kept, held: Mapping[PlaceName, Values | None]) -> tuple[Note, Remembered]:
    """Take notice of values that were changed by hand."""
    note, remembered = kept.note, kept.remembered
    if not remembered.matches("current", held["current"]):
        actual = remembered.print(held["current"] or ())
        note = note.found(f"by-hand-{actual[:12]}", None)
        remembered = replace(remembered, prints={**remembered.prints, "current": actual})
    if note.pending is not None and not remembered.matches("pending", held["pending"]):
        note = replace(note, base=_NEVER)
    return note, remembered


@cache
def _adapter() -> TypeAdapter[Kept]:
    return TypeAdapter(Kept)


def _beginning(names: Names) -> str:
    return f"# keyaudit rotates {'+'.join(names.current)}: "


def _place(path: Path, names: Names) -> str:
    return f"{path}#{'+'.join(names.current)}"


def _held(text: DotenvText, names: tuple[str, ...]) -> Values | None:
    found = tuple(text.value(name) for name in names)
    if all(value is None for value in found):
        return None
    return tuple("" if value is None else value for value in found)


def _without(text: DotenvText, names: tuple[str, ...]) -> DotenvText:
    for name in names:
        text = text.without(name)
    return text

"""A .env file as a store, for an application on one machine.

    store:
      kind: dotenv
      path: .env                     # relative to keyaudit.yaml's folder
      variable: OPENAI_API_KEY       # the one that holds the whole value; or
      fields: {username: DB_USER, password: DB_PASSWORD}    # a variable for each part
      next_suffix: _NEXT             # where a new value waits
      previous_suffix: _OLD          # where the old one stays until it is retired
      timeout: 30s                   # how long to wait while somebody else has the lock

A new value waits as NAME_NEXT, where nothing looks for it. When it is promoted it becomes NAME, and
the old one NAME_OLD, in one replacement of the file; `keyaudit.client.from_environment("NAME")`
finds both. A comment above NAME's line keeps what was decided: ids and times, and salted hashes of
the values by which a change by hand is noticed. Mode, owner, order, comments and line ends stay. A
link is refused. An application reads the file when it starts: until it was restarted it uses the
old value, so the old key's silence is what to wait for.

Runs on one machine exclude each other by a lock (flock) on the file; over a network file system
they need one that knows it. Without its comment the file is as if it was never rotated, and its
next token is a new one. A copy of the file must not keep the comment: it is refused at another path,
and cannot be told at the same path of another machine, where both would revoke each other's new keys.

The inventory's `credential` of it: source `dotenv`, scope the folder, id `PATH#NAME`, name NAME
(`NAME+NAME` for several variables), all paths absolute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from keyaudit.errors import RotationError
from keyaudit.rotation.party import Means, StoreSettings
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Place, Question, Shed, Shelf
from keyaudit.rotation.stores.dotenv_file import locked, read
from keyaudit.rotation.stores.dotenv_shelf import DotenvShelf, Names
from keyaudit.rotation.stores.note import Note
from keyaudit.rotation.stores.protocol import Credential, LostRaceError
from keyaudit.sources.pulling.settings import Variable
from keyaudit.times import SECOND

Suffix = Annotated[str, Field(pattern=r"^_[A-Za-z0-9_]{1,30}$")]

_PREFERRED = ("_NEW", "_PRIMARY")
_ATTEMPTS = 3


class DotenvSettings(StoreSettings):
    """`variable` or `fields`, and the names beside them."""

    kind: Literal["dotenv"]
    path: Annotated[str, Field(min_length=1)]
    variable: Variable | None = None
    fields: Mapping[str, Variable] = Field(default_factory=dict)
    next_suffix: Suffix = "_NEXT"
    previous_suffix: Suffix = "_OLD"

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if (self.variable is None) is not bool(self.fields):
            raise ValueError("say either `variable` or `fields`")
        names = self.names.every()
        if len(set(names)) != len(names):
            raise ValueError("one name would hold two values")
        if self.next_suffix.upper().startswith((*_PREFERRED, "_V")):
            raise ValueError(f"an application would prefer {self.next_suffix} before its value was verified")
        return self

    @property
    def names(self) -> Names:
        """Give the variables of each place."""
        current = tuple(self.fields.values()) or (self.variable or "",)
        return Names(current, self.next_suffix, self.previous_suffix, whole=not self.fields)


class DotenvFile:
    """One credential in one file."""

    kind: ClassVar[str] = "dotenv"
    Settings: ClassVar[type[DotenvSettings]] = DotenvSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(self, settings: DotenvSettings, means: Means) -> None:
        """Ask nobody anything yet."""
        self._settings, self._clock = settings, means.clock
        # The folder's own links are followed, so that one file has one name; the file may be none.
        path = means.folder / settings.path
        self._path = path.parent.resolve() / path.name

    @classmethod
    def opened(cls, settings: DotenvSettings, means: Means) -> Self:
        """Open the store; the file need not be there yet."""
        return cls(settings, means)

    def __repr__(self) -> str:
        return f"DotenvFile({str(self._path)!r})"

    @property
    def credential(self) -> Credential:
        """Name the file and its variables."""
        name = "+".join(self._settings.names.current)
        return Credential("dotenv", str(self._path.parent), f"{self._path}#{name}", name)

    def look(self) -> Shelf:
        """Read the file, and show its places."""
        for _ in range(_ATTEMPTS):
            found = self._found()
            if not found.undated:
                break
            self._date()  # a run died between promoting and saying when
        return found.shelf()

    def read(self, version: str) -> Secret:
        """Give the value of a place."""
        return self._found().read(version)

    def stage(self, token: str, value: Secret, key_id: str, *, base: Place) -> None:
        """Set NAME_NEXT."""
        values = self._settings_values(value)

        def staged(found: DotenvShelf) -> DotenvShelf:
            version = found.next_version()
            note = found.note.staged(token, version, key_id, base)
            if note is not found.note and found.foreign:
                raise RotationError(found.foreign, hint="remove it, or choose another suffix for the store")
            return found.changed(note, {version: values} if note is not found.note else {})

        self._change(staged)

    def void(self, token: str) -> None:
        """Close a token."""
        self._change(lambda found: found.changed(found.note.voided(token)))

    def decide(self, token: str, question: Question, answer: bool) -> bool:  # noqa: FBT001
        """Settle a question in the comment."""
        note = self._change(lambda found: found.changed(found.note.decided(token, question, answer)))
        return bool(note.forward if question == "forward" else note.final)

    def promote(self, token: str) -> None:
        """Set NAME to the new value, and NAME_OLD to the old one."""
        self._serve(lambda note: note.with_promoted(token, 0))

    def restore(self, token: str) -> None:
        """Set NAME to the old value, and NAME_OLD to the one that was promoted."""
        self._serve(lambda note: note.restored(token, 0))

    def drop(self, place: Shed, token: str) -> None:
        """Remove NAME_NEXT or NAME_OLD."""
        self._change(lambda found: found.changed(found.note.dropped(place, token)))

    def _serve(self, transition: Callable[[Note], Note]) -> None:
        """Serve another value, and say since when only after that: a run may sleep in between."""

        def served(found: DotenvShelf) -> DotenvShelf:
            note = transition(found.note)
            if note is found.note or note.current is None:
                return found
            return found.changed(replace(note, current=replace(note.current, since=None)))

        self._change(served)
        self._date()

    def _date(self) -> None:
        """Say since when the value is served that was promoted, or restored, before now."""
        try:
            self._change(lambda found: found.dated(self._clock()) if found.undated else found)
        except LostRaceError:
            return  # whoever looks next says it

    def _found(self) -> DotenvShelf:
        text, seen = read(self._path)
        return DotenvShelf.of(text, seen, self._settings.names, self._path)

    def _change(self, transition: Callable[[DotenvShelf], DotenvShelf]) -> Note:
        with locked(self._path, self._settings.timeout / SECOND) as file:
            text, seen = file.read()
            found = DotenvShelf.of(text, seen, self._settings.names, self._path)
            changed = transition(found)
            if changed is not found and not file.replace(changed.text.text(), seen):
                raise LostRaceError
            return changed.note

    def _settings_values(self, value: Secret) -> tuple[str, ...]:
        return self._settings.names.values(value)

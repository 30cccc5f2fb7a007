"""The text of a .env file: which line sets a variable, and the same text with another value there.

There is no standard. What is read and written here is what python-dotenv, Node, Docker Compose and
a shell's `.` take alike; a value that they would take differently (`$` outside single quotes, `${`
anywhere, backslashes in double quotes, several lines) is refused, never guessed. All other lines
stay as they are, byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from keyaudit.errors import RotationError

Quote = Literal["", "'", '"']

_SETS = re.compile(
    r"(?P<head>[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*)(?P<rest>.*)"
)
_COMMENT = re.compile(r"[ \t]*(?:#.*|[ \t]#.*)?")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or several where a quoted value goes over them.

    `name` is the variable that it sets, if any; `value` what it is set to, None where readers would
    not agree, and `trouble` says why.
    """

    text: str
    ending: str = "\n"
    name: str | None = None
    head: str = ""
    quote: Quote = ""
    value: str | None = None
    tail: str = ""
    trouble: str = ""

    def __repr__(self) -> str:
        return f"Line(name={self.name!r})"


@dataclass(frozen=True, slots=True)
class DotenvText:
    """All lines of a file."""

    lines: tuple[Line, ...]

    def text(self) -> str:
        """Give the file's text."""
        return "".join(line.text + line.ending for line in self.lines)

    def value(self, name: str) -> str | None:
        """Give a variable's value, None if it is not set; raises RotationError if that is not certain."""
        found = [line for line in self.lines if line.name == name]
        if len(found) > 1:
            raise RotationError(f"{name} is set twice in the file", hint="leave one of the lines")
        if not found:
            return None
        if found[0].value is None:
            raise RotationError(f"{name} {found[0].trouble}", hint="put it into single quotes, on one line")
        return found[0].value

    def with_value(self, name: str, value: str, *, after: str) -> DotenvText:
        """Set a variable: in its own line, or in a new one below that of the variable `after`."""
        for index, line in enumerate(self.lines):
            if line.name == name:
                return self._spliced(index, index + 1, (_with(line, name, value),))
        index = next(index for index, line in enumerate(self.lines) if line.name == after)
        model = self.lines[index]
        before, _, equals = model.head.rpartition(after)
        new = _with(replace(model, head=before + name + equals, tail=""), name, value)
        if model.ending:
            return self._spliced(index + 1, index + 1, (new,))
        ending = next((line.ending for line in self.lines if line.ending), "\n")
        return self._spliced(index, index + 1, (replace(model, ending=ending), new))

    def without(self, name: str) -> DotenvText:
        """Take a variable out."""
        return DotenvText(tuple(line for line in self.lines if line.name != name))

    def comments(self, beginning: str) -> list[str]:
        """Give what follows in the comment lines that begin so."""
        return [line.text[len(beginning) :] for line in self.lines if line.text.startswith(beginning)]

    def with_comment(self, beginning: str, rest: str, *, above: str) -> DotenvText:
        """Put a comment line in the place of the one that begins so, or above a variable's line."""
        for index, line in enumerate(self.lines):
            if line.text.startswith(beginning):
                return self._spliced(index, index + 1, (replace(line, text=beginning + rest),))
        index = next(index for index, line in enumerate(self.lines) if line.name == above)
        ending = next((line.ending for line in self.lines if line.ending), "\n")
        return self._spliced(index, index, (Line(beginning + rest, ending),))

    def _spliced(self, begin: int, end: int, lines: tuple[Line, ...]) -> DotenvText:
        return DotenvText((*self.lines[:begin], *lines, *self.lines[end:]))


def read_text(text: str) -> DotenvText:
    """Take a file's text apart; what is no assignment is kept, and never an error."""
    pieces = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z", text)
    lines: list[Line] = []
    index = 0
    while index < len(pieces):
        length = _length(pieces[index:])
        lines.append(_line("".join(pieces[index : index + length])))
        index += length
    return DotenvText(tuple(lines))


def _length(pieces: Sequence[str]) -> int:
    """Say over how many lines the first one goes: more than one if a quote is closed on a later one."""
    match = _SETS.match(pieces[0])
    quote = match["rest"][:1] if match else ""
    if match is None or quote not in {"'", '"'} or _closing(match["rest"], quote) is not None:
        return 1
    text = match["rest"]
    for number, piece in enumerate(pieces[1:], start=2):
        text += piece
        if _closing(text, quote) is not None:
            return number
    return 1


def _closing(text: str, quote: str) -> int | None:
    """Find the quote that closes the one in front; one behind a backslash closes nothing."""
    index = 1
    while index < len(text):
        if text[index] == "\\":
            index += 1
        elif text[index] == quote:
            return index
        index += 1
    return None


def _line(piece: str) -> Line:
    text = piece.rstrip("\r\n")
    ending = piece[len(text) :]
    match = _SETS.match(text)
    if match is None or "\n" in text or "\r" in text:
        several = match["name"] if match else None
        return Line(text, ending, name=several, trouble="goes over several lines" if several else "")
    line = Line(text, ending, name=match["name"], head=match["head"])
    rest = match["rest"]
    if rest[:1] not in {"'", '"'}:
        value = re.split(r"(?:^|[ \t])#", rest, maxsplit=1)[0].rstrip()
        return _judged(replace(line, value=value, tail=rest[len(value) :]))
    quote: Quote = "'" if rest[0] == "'" else '"'
    end = _closing(rest, quote)
    if end is None:
        return replace(line, trouble="has a quote that is not closed")
    if not _COMMENT.fullmatch(rest[end + 1 :]):
        return replace(line, trouble="has something behind its closing quote")
    return _judged(replace(line, quote=quote, value=rest[1:end], tail=rest[end + 1 :]))


def _judged(line: Line) -> Line:
    """Give the line without its value if not all readers would take it for the same."""
    trouble = _trouble(line.value or "", line.quote)
    return replace(line, value=None, trouble=trouble) if trouble else line


def _trouble(value: str, quote: Quote) -> str:
    if _INVISIBLE.search(value):
        return "has characters that cannot be seen"
    if "${" in value or (quote != "'" and ("$" in value or "`" in value)):
        return "has a $ that some readers take for another variable"
    if quote == '"' and "\\" in value:
        return "has a backslash in double quotes, which readers take differently"
    if quote == "'" and ("\\\\" in value or value.endswith("\\") or "\\'" in value):
        return "has a backslash in single quotes that readers take differently"
    if not quote and re.search(r"""["'\\]""", value):
        return "has a quote or a backslash outside quotes, which readers take differently"
    return ""


def _with(line: Line, name: str, value: str) -> Line:
    """Set a value in the quotes that the line has, or in others if the value needs them."""
    quote = next((quote for quote in (line.quote, "", "'", '"') if _fits(value, quote)), None)
    if quote is None:
        raise RotationError(
            f"the new value of {name} has characters that readers of .env files take differently",
            hint="keep this credential in another store, or encode it",
        )
    text = f"{line.head}{quote}{value}{quote}{line.tail}"
    return replace(line, text=text, name=name, quote=quote, value=value, trouble="")


def _fits(value: str, quote: Quote) -> bool:
    if not quote:
        return bool(_PLAIN.fullmatch(value))
    return quote not in value and not _trouble(value, quote)

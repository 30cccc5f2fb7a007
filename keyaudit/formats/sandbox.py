"""Where templates are filled: nothing but a report's own nouns can be reached, and no end of work asked for.

Ours run here as well as a user's, which may have come out of a bundle that a stranger made. A template

- reads attributes of the report's frozen data, of mappings and of loops, and none that begins with `_`;
- includes what lies beside it or is ours, by name; no path, file or address is ever opened;
- calls what it is handed, macros, and the filters of `FILTERS`: no random one, none that marks text as
  safe mark-up, none that can make much of little;
- spends from one budget for a document: turns of loops, calls, includes, characters printed.

Mark-up cannot be switched off (`autoescape`), and a name that is not known is an error with its line.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any

from jinja2 import (
    BaseLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    nodes,
    pass_context,
)
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from markupsafe import Markup, escape

from keyaudit.errors import PolicyError, Problem
from keyaudit.formats.own_templates import TEMPLATES, OwnTemplates
from keyaudit.formats.visible import visible

TURNS, CALLS, INCLUDES, CHARACTERS = 2_000_000, 1_000_000, 5_000, 400_000_000
"""What one document may spend; ours use a hundredth of it for ten thousand findings."""
MOST_RANGE = 10_000
LONGEST = 4_000_000
"""Characters of one text, and entries of one list, that an operator or a filter may make."""

FILTERS = (
    "abs", "batch", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float",
    "groupby", "int", "items", "last", "length", "list", "lower", "map", "max", "min", "reject",
    "rejectattr", "reverse", "round", "select", "selectattr", "sort", "title", "trim", "unique", "upper",
    "urlencode",
)  # fmt: skip
_MAPPING = frozenset(("get", "items", "keys", "values"))
_TEXT = frozenset(("upper", "lower", "strip", "startswith", "endswith", "split", "value"))
_LOOP = frozenset((
    "index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem", "cycle",
    "changed",
))  # fmt: skip
_PRINTED = (str, int, float, bool, type(None))
_OWN = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", re.ASCII)


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for one document: make another for the next, the budget is spent."""

    def __init__(self, own: OwnTemplates, folder: str, shown: Callable[[Any], Any]) -> None:
        """Open our `folder` of templates with the user's before it; `shown` prints a value."""
        super().__init__(
            loader=_Beside(own, folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=self._printed,
        )
        self.own = own
        self._shown = shown
        self._left = {"turns": TURNS, "calls": CALLS, "includes": INCLUDES, "characters": CHARACTERS}
        self.globals = {"range": _range, "dict": dict, "namespace": Namespace}
        self.filters = {name: self._bounded(self.filters[name]) for name in FILTERS}
        self.filters |= {
            "join": _joined,
            "sum": _sum,
            "string": _string,
            "replace": _replaced,
            "_counted": self._counted,
            "_said": _as_it_is,
        }
        self.intercepted_binops = frozenset("+*%") | {"**", "//"}

    def fill(self, name: str, content: Mapping[str, Any]) -> str:
        """Fill a template; raises PolicyError with file and line where a user's is at fault."""
        try:
            filled: str = self.get_template(name).render(content)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
            problem = self._blamed(error)
            if problem is None:
                raise
            raise PolicyError([problem]) from None
        return filled

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - the name is Jinja's
        """Say whether a template may look at that: fields and properties of our data, and little else."""
        if attr.startswith("_"):
            return False
        kind = type(obj)
        if is_dataclass(obj) and kind.__module__.startswith("keyaudit."):
            named = {field.name for field in fields(obj)}
            return attr in named or isinstance(getattr(kind, attr, None), property)
        if isinstance(obj, Mapping):
            return attr in _MAPPING
        if isinstance(obj, str):
            return attr in _TEXT
        return attr in _LOOP if isinstance(obj, LoopContext) else isinstance(obj, TemplateModule | Namespace)

    def is_safe_callable(self, obj: Any) -> bool:
        """Say whether a template may call that: all that it can reach, but no class except `dict`."""
        return not isinstance(obj, type) or obj in (dict, Namespace)

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Count calls: a macro that calls itself twice would never end."""
        self._spend("calls", 1)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate with small numbers, and put texts and lists together only up to a length."""
        plain = not isinstance(left, str | list | tuple) and not isinstance(right, str | list | tuple)
        if operator == "**" or (operator in {"*", "%"} and not plain):
            raise SecurityError(f"{operator} is not allowed here")
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and result.bit_length() > 64:
            raise SecurityError("a number grew too large")
        return _bounded(result)

    def get_template(self, name: Any, *args: Any, **kwargs: Any) -> Any:
        """Count includes: a template that includes itself twice would never end."""
        self._spend("includes", 1)
        return super().get_template(name, *args, **kwargs)

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,  # noqa: FBT001, FBT002 - as Jinja has it
    ) -> str:
        for output in source.find_all(nodes.Output):
            output.nodes = [
                _said(part) if isinstance(part, nodes.TemplateData) else part for part in output.nodes
            ]
        for loop in source.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "_counted", [], [], None, None)
        for concat in source.find_all(nodes.Concat):
            listed = nodes.List([*concat.nodes])
            concat.nodes = [nodes.Filter(listed, "join", [], [], None, None)]
        for switched in source.find_all(nodes.EvalContextModifier):  # of which the scoped one is a kind
            raise TemplateSyntaxError("autoescape cannot be switched", switched.lineno, name, filename)
        return super()._generate(source, name, filename, defer_init=defer_init)

    def _counted(self, many: Iterable[Any]) -> Iterator[Any]:
        for one in many:
            self._spend("turns", 1)
            yield one

    def _bounded(self, made: Callable[..., Any]) -> Callable[..., Any]:
        def filtered(*args: Any, **kwargs: Any) -> Any:
            self._spend("calls", 1)
            return _bounded(made(*args, **kwargs))

        return wraps(made)(filtered)  # keeps what Jinja notes on it: that it wants the environment

    def _printed(self, value: Any) -> Any:
        shown = self._shown(_scalar(value))
        self._spend("characters", len(str(shown)))
        return shown

    def _spend(self, what: str, much: int) -> None:
        self._left[what] -= much
        if self._left[what] < 0:
            raise SecurityError(f"the templates ask for too much: too many {what}")

    def _blamed(self, error: Exception) -> Problem | None:
        """Find the line of a user's template that an error came from; None where it was none of theirs."""
        said = visible(str(error) or type(error).__name__)
        if isinstance(error, RecursionError):
            said = "it includes or calls itself without end"
        places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
        if (line := getattr(error, "lineno", None)) is not None:
            places.append((getattr(error, "filename", None) or "", line))
        ours = [place for place in places if place[0].removeprefix(f"{self.own.folder}/") in self.own.texts]
        if not ours:
            return None
        return Problem(ours[-1][0], ours[-1][1], None, None, said)


class _Beside(BaseLoader):
    """Templates by name: the user's, then ours; ours alone under `keyaudit/`."""

    def __init__(self, own: OwnTemplates, folder: str) -> None:
        self.own, self.folder = own, folder

    def get_source(self, environment: Any, template: str) -> tuple[str, str | None, Any]:  # noqa: ARG002
        name = f"{self.folder}{template}"
        if name in self.own.texts:
            return self.own.texts[name], f"{self.own.folder}/{name}", None
        plain = template.removeprefix("keyaudit/")
        file = TEMPLATES / self.folder / plain
        if not _OWN.fullmatch(plain) or ".." in plain or not file.is_file():
            raise TemplateNotFound(template)
        return file.read_text("utf-8"), str(file), None


def _said(part: nodes.TemplateData) -> nodes.Expr:
    """Have a template's own text pass where values are printed, so that it is counted each time."""
    return nodes.Filter(nodes.MarkSafe(nodes.Const(part.data)), "_said", [], [], None, None)


@pass_context  # so that Jinja does not settle it once and for all when it compiles
def _as_it_is(_context: Any, text: str) -> str:
    return text


def _range(*bounds: int) -> range:
    made = range(*bounds)
    if len(made) > MOST_RANGE:
        raise SecurityError(f"a range of more than {MOST_RANGE:,}")
    return made


def _bounded(result: Any) -> Any:
    if isinstance(result, str | list | tuple) and len(result) > LONGEST:
        raise SecurityError("a text or a list grew too long")
    return result


def _piece(value: Any) -> str:
    return value if isinstance(value, str) else str(_scalar(value))


def _scalar(value: Any) -> Any:
    if isinstance(value, Undefined):
        return str(value)  # nothing for an `if` without `else`; else it raises and says which name
    if not isinstance(value, _PRINTED):
        raise SecurityError(f"a {type(value).__name__} is not printed as it is")
    return value


def _joined(many: Iterable[Any], between: str = "") -> str:
    """Put texts together; mark-up makes mark-up of the rest, escaped."""
    pieces = [_piece(one) for one in many]
    if sum(map(len, pieces)) + len(between) * len(pieces) > LONGEST:
        raise SecurityError("a text or a list grew too long")
    if any(isinstance(piece, Markup) for piece in pieces):
        return escape(between).join(escape(piece) for piece in pieces)
    return between.join(pieces)


def _sum(many: Iterable[int]) -> int:
    return sum(int(one) for one in many)


def _replaced(text: str, old: str, new: str) -> str:
    if not old or text.count(old) * len(new) > LONGEST:
        raise SecurityError("a text or a list grew too long")
    return text.replace(old, new)


def _string(value: Any) -> str:
    return _piece(value)

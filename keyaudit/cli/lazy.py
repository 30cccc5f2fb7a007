"""Commands that are imported when they are run, from one explicit table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import click

from keyaudit.cli.outputs import log
from keyaudit.errors import nearest


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: what it does in one line, and where it lives (as `attribute`) or what it groups."""

    summary: str
    module: str = ""
    commands: Mapping[str, Entry] = field(default_factory=dict)
    attribute: str = "command"
    epilog: str | None = None


class LazyGroup(click.Group):
    """A group that lists its commands without importing any of them."""

    def __init__(self, *args: Any, table: Mapping[str, Entry], **options: Any) -> None:
        """Keep the table; it is the whole list, in its order."""
        super().__init__(*args, **options)
        self.table = table

    def invoke(self, ctx: click.Context) -> Any:
        """See `click.Group.invoke`; an interrupt leaves no empty line where machines read every one."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            if log().as_json:
                raise click.Abort from None
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group.list_commands`."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group.get_command`."""
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        if entry.commands:
            return LazyGroup(cmd_name, table=entry.commands, help=entry.summary, epilog=entry.epilog)
        command: click.Command = getattr(import_module(f"keyaudit.cli.{entry.module}"), entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See `click.Group.format_commands`."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.table.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group.resolve_command`; a name that is almost one says which."""
        if args and args[0] not in self.table and not args[0].startswith("-"):
            near = nearest(args[0], self.table)
            question = f" Did you mean {near!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{question}")
        return super().resolve_command(ctx, args)

"""What READMEs show: commands with what they print, help, tables. Each is made by running the real thing.

<!-- file: NAME -->         the fenced block that follows is written to NAME first
<!-- run: CODE -->          a console block: `$ keyaudit …`, what it prints, and it ends with CODE
<!-- help: keyaudit … -->   the help of a command
<!-- frameworks -->         a table of the shipped frameworks
<!-- rotation kinds -->    a table of the parties that a rotation may have
<!-- least privilege: KIND -->   the policy that a source needs

What needs servers is `<!-- rotate: CODE -->`, in test_rotate_example.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from keyaudit.rotation.issuers import ISSUERS
from keyaudit.rotation.probes import PROBES
from keyaudit.rotation.silences import SILENCES
from keyaudit.rotation.stores import STORES

ROOT = Path(__file__).parent.parent
_FOLDERS = tuple(sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir()))
EXAMPLES = tuple(
    path
    for path in _FOLDERS
    if (path / "keyaudit.yaml").is_file()
    and not re.search(r"^sources:", (path / "keyaudit.yaml").read_text("utf-8"), re.MULTILINE)
)
"""Those that judge documents, so that their reports are the same on any day."""
READMES = (ROOT / "README.md", *(folder / "README.md" for folder in _FOLDERS))

_PART = re.compile(
    r"^<!-- (file|run|help|frameworks|rotation kinds|least privilege)(?:: ([^\n]+?))? -->\n(```.*?\n```\n|(?:\|[^\n]*\n)*)",
    re.MULTILINE | re.DOTALL,
)


def surroundings() -> dict[str, str]:
    """Give the environment of a run that must not depend on who runs it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KEYAUDIT_"))}
    return {**kept, "COLUMNS": "110", "TERM": "dumb", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}


def keyaudit(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the program as a user does, in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "keyaudit", *arguments],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=120,
        env=surroundings(),
    )


def refreshed(readme: Path, folder: Path) -> str:
    """Give a README with everything in it made anew; `folder` is an empty one to work in."""
    if readme.parent != ROOT:
        shutil.copytree(readme.parent, folder, dirs_exist_ok=True)
    return _PART.sub(lambda part: _made(part, folder), readme.read_text("utf-8"))


def _made(part: re.Match[str], folder: Path) -> str:
    kind, argument, block = part[1], part[2] or "", part[3]
    return part[0].removesuffix(block) + _MAKERS[kind](argument, block, folder)


def _file(name: str, block: str, folder: Path) -> str:
    (folder / name).write_text(block.partition("\n")[2].removesuffix("```\n"), "utf-8")
    return block


def _run(code: str, block: str, folder: Path) -> str:
    """Run each command of a console block; the last one must end with the code."""
    shown, ended = ["```console"], None
    for line in block.splitlines():
        if line.startswith("$ "):
            program, *arguments = shlex.split(line[2:], comments=True)
            assert program == "keyaudit", line
            done = keyaudit(arguments, folder)
            ended = done.returncode
            shown += [line, *(done.stdout + done.stderr).decode().rstrip("\n").splitlines()]
    assert ended == int(code), f"{block.splitlines()[1]} ended with {ended}, not {code}:\n" + "\n".join(shown)
    return "\n".join([*shown, "```", ""])


def _help(command: str, _block: str, folder: Path) -> str:
    printed = keyaudit([*command.split()[1:], "--help"], folder).stdout.decode()
    return f"```text\n$ {command} --help\n{printed.rstrip()}\n```\n"


def _frameworks(_argument: str, _block: str, folder: Path) -> str:
    rows = json.loads(keyaudit(["frameworks", "--format", "json"], folder).stdout)
    table = [
        f"| `{row['id']}` | {row['name']}, {row['version']} | {row['controls']} | {row['own_numbers']} | {row['compared']} |"
        for row in rows
    ]
    return "\n".join(
        [
            "| id | framework | controls | whose text sets a number | that credentials are compared with |",
            "|---|---|---|---|---|",
            *table,
            "",
        ]
    )


def _rotation_kinds(_argument: str, _block: str, _folder: Path) -> str:
    parties = {
        "`store`: where it is kept": STORES,
        "`issuer`: who makes keys and ends them": ISSUERS,
        "`probe`: does the new one work?": PROBES,
        "`silence`: when was the old one last used? Or `none`": SILENCES,
    }
    rows = [f"| {role} | {', '.join(f'`{kind}`' for kind in kinds)} |" for role, kinds in parties.items()]
    return "\n".join(["| | `kind:` |", "|---|---|", *rows, ""])


_MAKERS: dict[str, Callable[[str, str, Path], str]] = {
    "file": _file,
    "run": _run,
    "help": _help,
    "frameworks": _frameworks,
    "rotation kinds": _rotation_kinds,
}

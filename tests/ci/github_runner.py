"""action.yml, run as a runner of GitHub runs it: steps in bash, inputs as variables, commands read from the log.

How a line becomes a command is what actions/runner does (ActionCommand.cs, ActionCommandManager.cs): `::name::` at the
beginning of a line, else `##[name]` anywhere in it, and neither between `::stop-commands::TOKEN` and `::TOKEN::`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from transcripts import ROOT, surroundings

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
COMMANDS = frozenset(
    {
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    }
)
ANNOTATIONS = ("error", "warning", "notice")
LARGEST_SUMMARY = 1024 * 1024
_EXPRESSION = re.compile(r"\$\{\{ (inputs|steps\.gate\.outputs)\.([a-z-]+) \}\}")


@dataclass(frozen=True)
class Command:
    """What the runner obeys; `properties` and `message` are decoded."""

    name: str
    properties: Mapping[str, str]
    message: str


@dataclass(frozen=True)
class Ended:
    """How a step ended, and what it left; `aside` is what it wrote on stderr, in no order with the log."""

    code: int
    log: str
    aside: str
    outputs: Mapping[str, str]
    summary: str

    @property
    def obeyed(self) -> list[Command]:
        return list(commands(self.log))

    def annotations(self, level: str) -> list[Command]:
        return [said for said in self.obeyed if said.name == level]


@dataclass(frozen=True)
class Runner:
    """A runner with a checked-out repository; `temporary` holds what the install step made."""

    temporary: Path
    workspace: Path

    def run(self, step: Mapping, folder: Path, inputs: Mapping[str, str], **environment: str) -> Ended:
        """Run one step of action.yml; `folder` is for the files that a step writes to."""
        given = {name: str(entry.get("default", "")) for name, entry in ACTION["inputs"].items()}
        assert set(inputs) <= set(given)
        said = {
            name: _EXPRESSION.sub(lambda part: {**given, **inputs}[part[2]], value)
            for name, value in step["env"].items()
        }
        folder.mkdir(exist_ok=True)
        files = {name: folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in (*files.values(), folder / "script"):
            file.write_bytes(b"")
        (folder / "script").write_text(step["run"], "utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", folder / "script"],
            cwd=self.workspace,
            env={**self._environment(), **environment, **said, **{k: str(v) for k, v in files.items()}},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=300,
        )
        return Ended(
            done.returncode,
            done.stdout.decode(),
            done.stderr.decode(),
            dict(_outputs(files["GITHUB_OUTPUT"].read_text("utf-8"))),
            files["GITHUB_STEP_SUMMARY"].read_text("utf-8"),
        )

    def install(self, **inputs: str) -> Ended:
        return self.run(ACTION["runs"]["steps"][0], self.temporary / "step", inputs)

    def gate(self, folder: Path, inputs: Mapping[str, str], **environment: str) -> Ended:
        """Run the step that scans; its outputs are those of the action."""
        step = ACTION["runs"]["steps"][1]
        assert step["id"] == "gate"
        ended = self.run(step, folder, inputs, **environment)
        outputs = {
            name: _EXPRESSION.sub(lambda part: ended.outputs.get(part[2], ""), entry["value"])
            for name, entry in ACTION["outputs"].items()
        }
        assert set(ended.outputs) <= set(outputs)
        assert not ended.aside, ended.aside
        return replace(ended, outputs=outputs)

    def _environment(self) -> dict[str, str]:
        uv = os.environ.get("UV")
        path = os.environ["PATH"] if uv is None else f"{Path(uv).absolute().parent}:{os.environ['PATH']}"
        return {
            **surroundings(),
            "PATH": path,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temporary),
        }


def commands(log: str) -> Iterator[Command]:
    """Say what a runner obeys of a log."""
    token = None
    for line in log.splitlines():
        read = _read(line, COMMANDS if token is None else COMMANDS | {token})
        if read is None or (token is not None and read.name != token):
            continue
        if token is not None:
            token = None
        elif read.name == "stop-commands":
            assert read.message not in COMMANDS
            token = read.message
        else:
            yield read
    assert token is None, "commands were stopped and never resumed"


def _read(line: str, known: frozenset[str]) -> Command | None:
    """Read a line as its newer form, else as its older one; a name that is not known is neither."""
    newer = re.match(r"\s*::([^ :]*)(?: ((?:[^:]|:(?!:))*))?::(.*)", line)
    if newer and newer[1].lower() in known:
        properties = dict(pair.split("=", 1) for pair in (newer[2] or "").split(",") if "=" in pair)
        values = {name: _decoded(value, ":", ",") for name, value in properties.items()}
        return Command(newer[1].lower(), values, _decoded(newer[3]))
    older = re.search(r"##\[([^ \]]*)(?: ([^\]]*))?\](.*)", line)
    if older and older[1].lower() in known:
        properties = dict(pair.split("=", 1) for pair in (older[2] or "").split(";") if "=" in pair)
        return Command(older[1].lower(), properties, older[3])
    return None


def _decoded(text: str, *more: str) -> str:
    for character in ("\r", "\n", *more, "%"):
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def _outputs(text: str) -> Iterator[tuple[str, str]]:
    """Read a file of outputs; what needs more than a line is not among ours."""
    for line in text.splitlines():
        name, sign, value = line.partition("=")
        assert sign, line
        assert "<<" not in name, line
        yield name, value

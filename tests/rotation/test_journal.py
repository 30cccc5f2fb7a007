"""What a rotation wrote down survives whatever happens to the run, and holds no value."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from keyaudit.errors import RotationError
from keyaudit.rotation.journal import Entry, FileJournal, Request
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.performing import PERFORMED
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.sight import Sight
from keyaudit.rotation.simulation.provider import SimulatedProbe, SimulatedProvider, SimulatedSilence
from keyaudit.rotation.steps import Done, Goal, Order, Outcome, Stage, Step
from keyaudit.rotation.stores.memory import MemoryStore
from keyaudit.rotation.stores.protocol import Credential
from keyaudit.rotation_record import Record, read_records
from keyaudit.rotation_record.fields import GOALS, STEPS
from keyaudit.times import HOUR, format_instant

ROOT = Path(__file__).parents[2]
AT = 1_780_000_000_000_000
CREDENTIAL = Credential("memory", "process", "prod/openai", "prod/openai")
ASKED = Request("dev@acme.example", "lead@acme.example", "OPS-42", "it falls due")


def journal(path: Path, request: Request = ASKED) -> FileJournal:
    return FileJournal(path, "openai-prod", CREDENTIAL, request)


def entry(number: int, event: str = "requested") -> Entry:
    return Entry(at=AT + number, event=event, detail={"number": number})


def sound(path: Path) -> tuple[Record, ...]:
    records, problems = read_records([path])
    assert problems == ()
    return records


def test_what_was_appended_is_read_again_with_its_chain(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "openai-prod.ndjson"
    kept = journal(path)
    assert kept.entries() == []
    for number in range(5):
        kept.append(entry(number))
    assert [each["detail"] for each in journal(path).entries()] == [{"number": n} for n in range(5)]
    records = sound(path)
    assert [(each.seq, each.at, each.line) for each in records] == [(n, AT + n, n + 1) for n in range(5)]
    last = records[-1]
    assert (last.name, last.source, last.scope, last.id, last.credential_name) == (
        "openai-prod", "memory", "process", "prod/openai", "prod/openai"
    )  # fmt: skip
    assert (last.requested_by, last.approved_by, last.ticket, last.reason) == (
        "dev@acme.example", "lead@acme.example", "OPS-42", "it falls due"
    )  # fmt: skip


def test_the_record_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "a.ndjson"
    before = os.umask(0)
    try:
        journal(path).append(entry(0))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("what", ["a link", "a pipe", "a device", "a folder"])
def test_what_is_no_file_of_our_own_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.ndjson"
    if what == "a link":
        (tmp_path / "elsewhere").write_text("theirs\n")
        path.symlink_to("elsewhere")
    elif what == "a pipe":
        os.mkfifo(path)
    elif what == "a device":
        path = Path(os.devnull)
    else:
        path.mkdir()
    with pytest.raises(RotationError, match="cannot be written") as caught:
        journal(path).append(entry(0))
    assert caught.value.hint == "nothing is changed without a record; give another folder with --journal"
    if what == "a link":
        assert (tmp_path / "elsewhere").read_text() == "theirs\n"


def test_a_line_torn_at_any_byte_is_covered_by_the_chain_and_is_no_record(tmp_path: Path) -> None:
    whole = tmp_path / "whole.ndjson"
    for number in range(2):
        journal(whole).append(entry(number))
    content = whole.read_bytes()
    torn = tmp_path / "torn.ndjson"
    for length in range(len(content) + 1):
        torn.write_bytes(content[:length])
        before = len(sound(torn))
        assert before == sum(
            1 for line in content.splitlines(keepends=True) if _ends(content, line) <= length
        )
        for number in (7, 8):
            journal(torn).append(entry(number))
        records = sound(torn)
        assert [each.seq for each in records] == list(range(before + 2))
        assert [each.detail["number"] for each in records][-2:] == [7, 8]
        assert torn.read_bytes().startswith(content[:length])
        assert len(journal(torn).entries()) == before + 2


def _ends(content: bytes, line: bytes) -> int:
    """Where the text of a line ends; its line end is not needed."""
    return content.index(line) + len(line) - 1


APPENDING = """
import sys
from pathlib import Path
from rotation.test_journal import entry, journal
path, first = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for number in range(first, first + 100):
    journal(path).append(entry(number))
    print(number, flush=True)
"""


def appending(path: Path, first: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", APPENDING, str(path), str(first)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_two_processes_that_append_at_once_keep_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    running = [appending(path, first) for first in (0, 1000)]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=120)
        assert process.returncode == 0
    numbers = [each.detail["number"] for each in sound(path)]
    assert sorted(numbers) == [*range(100), *range(1000, 1100)]
    assert [each for each in numbers if each < 1000] == list(range(100))
    assert numbers[:100] not in (list(range(100)), list(range(1000, 1100))), "they took turns"


def test_what_was_said_to_be_kept_is_there_after_the_process_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    for moment in (1, 5, 20):
        process = appending(path, 0)
        assert process.stdin is not None
        assert process.stdout is not None
        before = len(sound(path)) if path.exists() else 0
        process.stdin.write(b"go\n")
        process.stdin.flush()
        for _ in range(moment):
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert len(sound(path)) >= before + said + 1
        journal(path).append(entry(9999))
        assert sound(path)[-1].detail == {"number": 9999}


@dataclass
class World:
    """A rotation in memory whose run waits for nothing, on a clock of its own."""

    path: Path
    now: int = AT
    request: Request = ASKED
    told: list[Step] = field(default_factory=list)
    agreed: bool = True

    def __post_init__(self) -> None:
        clock = lambda: self.now  # noqa: E731
        self.provider = SimulatedProvider(clock)
        first = self.provider.mint(None, frozenset())
        self.store = MemoryStore("prod/openai", Secret(first.parts["key"]), clock=clock)
        self.parties = Parties(
            self.store,
            self.provider,
            SimulatedProbe(self.provider),
            SimulatedSilence(self.provider),
            Shape({}),
        )

    def around(self) -> Around:
        return Around(self)

    def run(self, order: Order):
        kept = journal(self.path, self.request)
        return Runner(self.parties, kept, self.around()).run(order)

    def state(self) -> object:
        return self.store.look(), self.store.served(), self.provider.keys()


class Around:
    """The surroundings of a run in a `World`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> int:
        return self._world.now

    def sleep(self, until: int) -> bool:
        self._world.now = max(until, self._world.now)
        return True

    def agrees(self, step: Step, sight: Sight) -> bool:
        return self._world.agreed

    def tell(self, step: Step, sight: Sight) -> None:
        self._world.told.append(step)


ORDER = Order(window=HOUR, fresh=0)


def test_a_whole_rotation_writes_each_intent_before_and_each_result_after(tmp_path: Path) -> None:
    world = World(tmp_path / "a.ndjson")
    ending = world.run(ORDER)
    assert isinstance(ending.step, Done)
    assert ending.step.outcome is Outcome.ROTATED
    records = sound(world.path)
    told = [(each.event, each.step) for each in records]
    assert told[0] == ("requested", None)
    assert told[-1] == ("ended", None)
    assert records[-1].outcome == "rotated"
    steps = told[1:-1]
    assert steps[::2] == [("intent", step) for _, step in steps[::2]]
    assert steps[1::2] == [("result", step) for _, step in steps[::2]]
    names = list(dict.fromkeys(step for _, step in steps))
    assert names == ["provision", "verify", "decide", "promote", "drain", "revoke", "drop"]
    tokens = {each.token for each in records if each.event != "requested" and each.step == "promote"}
    assert len(tokens) == 1
    (provisioned,) = [each for each in records if (each.event, each.step) == ("result", "provision")]
    assert provisioned.detail["key_id"] == "key-2"
    assert provisioned.detail["old_key_id"] == "key-1"
    assert all(first.at <= second.at for first, second in pairwise(records))


def test_no_value_is_ever_written_down(tmp_path: Path) -> None:
    world = World(tmp_path / "a.ndjson")
    world.run(ORDER)
    world.run(Order(until=Stage.PROMOTE, fresh=0))
    world.run(Order(goal=Goal.BACK))
    values = [held.value for held in world.provider._keys.values()]
    assert len(values) == 3
    content = world.path.read_text()
    assert not [value for value in values if value in content]
    for name in ("Secret(", "parts"):
        assert name not in content


def test_the_reader_knows_every_step_and_goal_that_there_is() -> None:
    assert {action.name for action in PERFORMED} == set(STEPS)
    assert {str(goal) for goal in Goal} == set(GOALS)


@pytest.mark.parametrize("after", range(20))
def test_nothing_is_done_whose_intent_cannot_be_written(tmp_path: Path, after: int) -> None:
    world = World(tmp_path / "a.ndjson")
    states = []

    class Full(FileJournal):
        """A disk that is full after so many lines."""

        def append(self, entry: Entry) -> None:
            states.append(world.state())
            if len(states) > after:
                limited(lambda: FileJournal.append(self, entry))
            else:
                FileJournal.append(self, entry)

    kept = Full(world.path, "openai-prod", CREDENTIAL, ASKED)
    with pytest.raises(RotationError, match=r"cannot be written: File too large"):
        Runner(world.parties, kept, world.around()).run(ORDER)
    assert world.state() == states[after]
    assert len(sound(world.path)) == after if world.path.exists() else after == 0
    ending = world.run(ORDER)
    assert isinstance(ending.step, Done)
    assert ending.step.outcome is Outcome.ROTATED
    sound(world.path)
    works = [key.id for key in world.provider.keys() or () if key.active]
    assert len(works) == 1
    assert world.provider.works(world.store.served().reveal())


def limited(action) -> None:
    """Let files grow by nothing more, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        action()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_line_that_did_not_fit_whole_is_torn_and_the_next_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    journal(path).append(entry(0))
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
    try:
        with pytest.raises(RotationError, match="cannot be written: File too large"):
            journal(path).append(entry(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert path.stat().st_size == size + 100
    journal(path).append(entry(2))
    assert [each.detail["number"] for each in sound(path)] == [0, 2]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request(reason="two\nlines"), "reason has characters that cannot be seen"),
        (Request(requested_by="x\u202ey"), "requested_by has characters that cannot be seen"),
        (Request(ticket="x" * 3000), "ticket is longer than 2,048 characters"),
        (Request(approved_by="\ud800"), "approved_by has characters that cannot be seen"),
    ],
)
def test_what_no_reader_would_take_is_refused_before_anything_is_done(
    tmp_path: Path, request_: Request, message: str
) -> None:
    world = World(tmp_path / "a.ndjson", request=request_)
    before = world.state()
    with pytest.raises(RotationError, match=message):
        world.run(ORDER)
    assert world.state() == before
    assert sound(world.path) == ()


def test_what_a_failure_says_is_kept_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    journal(path).append(Entry(at=AT, event="failed", step="promote", outcome="x\ny\x1b[1m" + "z" * 5000))
    (record,) = sound(path)
    assert record.outcome == "x?y?[1m" + "z" * 993


def test_threads_that_append_at_once_keep_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    threads = [
        threading.Thread(target=lambda: [journal(path).append(entry(number)) for number in range(20)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(sound(path)) == 80


def test_a_line_is_what_the_format_says_field_by_field(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    journal(path).append(
        Entry(at=AT, event="result", token="t-1", step="verify", outcome="done", detail={"liveness": "alive"})
    )
    assert json.loads(path.read_bytes()) == {
        "schema": "keyaudit/rotation-record/1",
        "seq": 0,
        "at": format_instant(AT),
        "name": "openai-prod",
        "credential": {"source": "memory", "scope": "process", "id": "prod/openai", "name": "prod/openai"},
        "token": "t-1",
        "event": "result",
        "step": "verify",
        "outcome": "done",
        "goal": None,
        "requested_by": "dev@acme.example",
        "approved_by": "lead@acme.example",
        "ticket": "OPS-42",
        "reason": "it falls due",
        "detail": {"liveness": "alive"},
        "prev": None,
    }

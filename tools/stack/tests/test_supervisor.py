"""The supervisor with real processes: it restarts what dies, ever more slowly, and leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from shouwang.stack.supervisor import Child, Patience, Supervisor

HASTY = Patience(first_s=0.02, most_s=0.1, healthy_s=30.0, grace_s=0.5)


def python(name: str, code: str, **env: str) -> Child:
    return Child(name, [sys.executable, "-S", "-c", code], env)


def sleeper(name: str) -> Child:
    return Child(name, ["sleep", "600"])


async def until(true: Callable[[], bool], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110 - other processes set no events
            await asyncio.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether it has ended; a zombie has, only its new parent has not noticed."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_what_dies_is_restarted_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    async with Supervisor([sleeper("a"), sleeper("b")], said.append, tmp_path, HASTY) as supervisor:
        await until(lambda: None not in {supervisor.pid("a"), supervisor.pid("b")})
        first, other = supervisor.pid("a"), supervisor.pid("b")
        supervisor.kill("a", signal.SIGKILL)
        await until(lambda: supervisor.pid("a") not in {None, first})
        assert supervisor.pid("b") == other
    assert said == [f"a died (SIGKILL), starts again in 0.02 s; log: {tmp_path / 'a.log'}"]


async def test_the_wait_grows_to_its_limit(tmp_path: Path) -> None:
    said: list[str] = []
    async with Supervisor([python("a", "raise SystemExit(3)")], said.append, tmp_path, HASTY):
        await until(lambda: len(said) >= 5)
    assert [line.split(";")[0] for line in said[:5]] == [
        f"a died (exit code 3), starts again in {wait} s" for wait in ("0.02", "0.04", "0.08", "0.1", "0.1")
    ]


async def test_health_makes_the_next_death_a_first_one(tmp_path: Path) -> None:
    said: list[str] = []
    patience = Patience(first_s=0.01, most_s=1.0, healthy_s=0.2, grace_s=0.5)
    async with Supervisor([sleeper("a")], said.append, tmp_path, patience) as supervisor:
        for run_s in (0.0, 0.0, 0.3):
            await until(lambda: supervisor.pid("a") is not None)
            await asyncio.sleep(run_s)
            deaths = len(said)
            supervisor.kill("a")
            await until(lambda deaths=deaths: len(said) > deaths)  # type: ignore[misc]
    assert [line.split(" in ")[1].split(";")[0] for line in said] == ["0.01 s", "0.02 s", "0.01 s"]


def test_the_usual_waits() -> None:
    assert Patience() == Patience(first_s=0.2, most_s=10.0, healthy_s=30.0, grace_s=10.0)


async def test_outputs_and_environment(tmp_path: Path) -> None:
    code = "import os, sys; print('out', os.environ['WORD'], 'HOME' in os.environ); sys.exit('err')"
    said: list[str] = []
    async with Supervisor([python("a", code, WORD="hi")], said.append, tmp_path / "logs", HASTY) as supervisor:
        await until(lambda: len(said) >= 2)
    lines = supervisor.log("a").read_text().splitlines()
    assert sorted(lines[:4]) == ["err", "err", f"out hi {'HOME' in os.environ}", f"out hi {'HOME' in os.environ}"]


async def test_a_program_that_is_not_there_is_named_in_the_log(tmp_path: Path) -> None:
    said: list[str] = []
    async with Supervisor([Child("a", ["/no/such/program"])], said.append, tmp_path, HASTY) as supervisor:
        await until(lambda: bool(said))
    assert supervisor.log("a").read_text().startswith("cannot run /no/such/program: No such file or directory")


async def test_a_log_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.log").mkdir()
    said: list[str] = []
    async with Supervisor([sleeper("a")], said.append, tmp_path, HASTY) as supervisor:
        await until(lambda: bool(said))
        assert supervisor.pid("a") is None
        with pytest.raises(ProcessLookupError, match="a is down"):
            supervisor.kill("a")
        with pytest.raises(KeyError):
            supervisor.pid("b")
    assert "Is a directory" in said[0]


async def test_stop_is_asked_first_then_forced_and_parallel(tmp_path: Path) -> None:
    def deaf_or(handler: str) -> str:
        return (
            f"import signal, sys, time; signal.signal(signal.SIGTERM, {handler}); print(1, flush=True); time.sleep(60)"
        )

    children = [
        python("polite", deaf_or("lambda *_: print('bye') or sys.exit()")),
        python("deaf", deaf_or("signal.SIG_IGN")),
        python("deaf too", deaf_or("signal.SIG_IGN")),
    ]
    said: list[str] = []
    supervisor = Supervisor(children, said.append, tmp_path, HASTY)
    await supervisor.start()
    logs = [supervisor.log(child.name) for child in children]
    await until(lambda: all(log.exists() and log.read_text() for log in logs))
    pids = [supervisor.pid(child.name) for child in children]
    clock = asyncio.get_running_loop().time
    began_s = clock()
    await supervisor.stop()
    assert 0.4 < clock() - began_s < 0.9
    assert "bye" in logs[0].read_text()
    assert all(pid is not None and gone(pid) for pid in pids)
    assert said == []
    await supervisor.stop()  # nothing happens


async def test_what_a_child_forked_goes_with_it(tmp_path: Path) -> None:
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
    async with Supervisor([python("a", code)], lambda _: None, tmp_path, HASTY) as supervisor:
        await until(lambda: supervisor.log("a").exists() and supervisor.log("a").read_text().endswith("\n"))
    await until(lambda: gone(int(supervisor.log("a").read_text())), within_s=1.0)


async def test_stop_right_after_start_leaves_nothing(tmp_path: Path) -> None:
    children = [sleeper(f"child-{n}") for n in range(5)]
    before = {child.pid for child in psutil.Process().children()}
    for yields in range(4):
        supervisor = Supervisor(children, lambda _: None, tmp_path, HASTY)
        await supervisor.start()
        for _ in range(yields):
            await asyncio.sleep(0)
        await supervisor.stop()
    assert {child.pid for child in psutil.Process().children()} == before


async def test_a_closed_terminal_does_not_end_the_watch(tmp_path: Path) -> None:
    def say(_: str) -> None:
        raise BrokenPipeError

    async with Supervisor([sleeper("a")], say, tmp_path, HASTY) as supervisor:
        await until(lambda: supervisor.pid("a") is not None)
        first = supervisor.pid("a")
        supervisor.kill("a")
        await until(lambda: supervisor.pid("a") not in {None, first})


PARENT = """
import asyncio, sys
from pathlib import Path
from shouwang.stack.supervisor import Child, Supervisor

async def main():
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    children = [Child("sleep", ["sleep", "600"]), Child("deaf", [sys.executable, "-c", deaf])]
    async with Supervisor(children, print, Path(sys.argv[1])) as supervisor:
        while None in {supervisor.pid(child.name) for child in children}:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        print(*(supervisor.pid(child.name) for child in children), flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def test_a_killed_parent_takes_its_children_with_it(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    asyncio.run(until(lambda: all(gone(pid) for pid in pids)))


def test_two_children_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="same name"):
        Supervisor([sleeper("a"), sleeper("a")], print, tmp_path)

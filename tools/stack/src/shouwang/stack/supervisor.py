"""Keeps the service processes of one machine running: restarts what dies and says so, stops them together."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from shouwang.stack.servers.process import open_log
from shouwang.stack.servers.tied import tied


@dataclass(frozen=True)
class Child:
    """A process to keep running. `env` is added to our own environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Patience:
    """How long the supervisor waits, in seconds."""

    first_s: float = 0.2
    """Before the first restart; twice as long each further time, ..."""
    most_s: float = 10.0
    """... up to this."""
    healthy_s: float = 30.0
    """A child that ran this long is well again: its next death is a first one."""
    grace_s: float = 10.0
    """From SIGTERM to SIGKILL."""


class Supervisor:
    """Runs `children`, each with stdout and stderr appended to `log_dir/<name>.log`.

    Every death nobody asked for goes to `say`, in one line: how it died, when it starts again, where its log is.
    If our process is killed, or the event loop's thread ends, the children are killed with it.
    """

    def __init__(
        self, children: Sequence[Child], say: Callable[[str], None], log_dir: Path, patience: Patience | None = None
    ) -> None:
        self._children = {child.name: child for child in children}
        if len(self._children) != len(children):
            raise ValueError("two children have the same name, and would share a log")
        self._say = say
        self._log_dir = log_dir
        self._patience = patience or Patience()
        self._processes: dict[str, Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Begin to start all children, and return without waiting for any to be ready; once is enough."""
        if self._keepers:
            return
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._stopping.clear()
        self._keepers = [asyncio.create_task(self._keep(child)) for child in self._children.values()]

    async def stop(self) -> None:
        """End all children at the same time: SIGTERM, and SIGKILL to those still there after the grace period.

        Nothing happens if none runs. Cancelled while it waits, it kills at once.
        """
        self._stopping.set()
        try:
            for process in self._processes.values():
                _send(process, signal.SIGTERM)
            if self._keepers:
                await asyncio.wait(self._keepers, timeout=self._patience.grace_s)
        finally:
            for process in self._processes.values():
                _kill_group(process)
        keepers, self._keepers = self._keepers, []
        await asyncio.gather(*keepers)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def pid(self, name: str) -> int | None:
        """Process id of a child, None while it is down. Raises KeyError for a name that is no child's."""
        process = self._processes.get(self._children[name].name)
        return None if process is None else process.pid

    def kill(self, name: str, sig: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a child, as a stranger would. Raises KeyError (no such child), ProcessLookupError (down)."""
        pid = self.pid(name)
        if pid is None:
            raise ProcessLookupError(f"{name} is down")
        os.kill(pid, sig)

    def log(self, name: str) -> Path:
        """The file a child's outputs are appended to; past 10 MB a restart sets it aside as `<name>.log.1`."""
        return self._log_dir / f"{name}.log"

    async def _keep(self, child: Child) -> None:
        """Run one child again and again until we stop."""
        clock = asyncio.get_running_loop().time
        wait_s = self._patience.first_s
        while not self._stopping.is_set():
            began_s = clock()
            how = await self._run(child)
            if self._stopping.is_set():
                return
            if clock() - began_s >= self._patience.healthy_s:
                wait_s = self._patience.first_s
            with contextlib.suppress(OSError):  # a closed terminal must not end the watch
                self._say(f"{child.name} died ({how}), starts again in {wait_s:g} s; log: {self.log(child.name)}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)
            wait_s = min(2 * wait_s, self._patience.most_s)

    async def _run(self, child: Child) -> str:
        """Run one child to its end, and tell how it ended."""
        try:
            process = await self._spawn(child)
        except OSError as error:  # no memory, too many processes, log not writable: may pass, so it counts as a death
            return str(error)
        self._processes[child.name] = process
        if self._stopping.is_set():  # stop() came while we forked, and has not seen this process
            _send(process, signal.SIGTERM)
        try:
            code = await process.wait()
        finally:
            del self._processes[child.name]
            _kill_group(process)  # what it forked itself goes with it, before its successor needs the ports
        return f"exit code {code}" if code >= 0 else _signal_name(-code)

    async def _spawn(self, child: Child) -> Process:
        with open_log(self.log(child.name)) as out:
            return await asyncio.create_subprocess_exec(
                # SIGKILL, because the servers go down at the same moment: there is nothing left to finish in order.
                *tied(child.argv, signal.SIGKILL),
                env={**os.environ, **child.env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only us, and we stop the children in order
            )


def _send(process: Process, sig: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(sig)


def _kill_group(process: Process) -> None:
    # Its group has its number, since each child leads a session.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # a real-time signal

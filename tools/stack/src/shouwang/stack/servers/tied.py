"""Start a program that dies with its parent, even when the parent is killed with -9.

This file is both a module and the little script that stands between fork and exec in the child. A script, because the
other way, `preexec_fn`, runs Python between fork and exec of a process with threads and can deadlock there.
It costs about 20 ms a start and nothing afterwards: exec replaces it and keeps the process id.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def tied(argv: Sequence[str], on_death: signal.Signals) -> list[str]:
    """The command line that runs `argv` and sends it `on_death` when the thread that forked it ends.

    The thread, not the process: that is how Linux has it (prctl(2), PR_SET_PDEATHSIG). Fork from a thread that lives as
    long as the process (`process.spawn` does) or from the one that runs the event loop. Elsewhere than on Linux the
    command line comes back unchanged, and only an orderly end stops the child.
    """
    if sys.platform != "linux":
        return list(argv)
    # -I -S: no site-packages and no PYTHON* variables, which makes it fast and nobody's business but ours.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(on_death)), *argv]


def _become(parent: int, on_death: int, argv: list[str]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(on_death))
    if os.getppid() != parent:
        sys.exit(1)  # the parent died before prctl took hold, so its death will never be told to us
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)  # "ignored" would survive exec
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.exit(f"cannot run {argv[0]}: {error.strerror}")


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])

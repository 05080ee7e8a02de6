"""Free TCP ports that stay free while a server is down."""

import secrets
import socket
from pathlib import Path

_handed_out: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Distinct TCP ports that are free on 127.0.0.1.

    They lie below the range the kernel takes for outgoing connections. In that range a client that knocks while the
    server is down can be given the server's own port, connect to itself, and keep the server from coming back.
    """
    try:
        low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    except OSError:
        low = 32768
    first, end = (10_000, low) if low > 12_000 else (20_000, 32_000)
    found: list[int] = []
    while len(found) < count:
        port = first + secrets.randbelow(end - first)
        if port not in _handed_out and port_is_free(port):
            _handed_out.add(port)
            found.append(port)
    return found


def port_is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as both servers do: TIME_WAIT is no hindrance
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

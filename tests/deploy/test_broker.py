"""The broker as compose configures it: the same variables, only ports and the folder are free ones."""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest

from shouwang.stack.provision import provision
from shouwang.stack.servers.ports import free_ports

SERVER = Path(sys.executable).parent / "nats-server"


@pytest.fixture(scope="module")
def told(compose) -> dict[str, str]:
    return compose["services"]["nats"]["environment"]


@pytest.fixture(scope="module")
def running(told, root, tmp_path_factory) -> Iterator[dict[str, str]]:
    """The environment of a broker that runs with deploy/nats/nats.conf."""
    names = [name for name in told if name.endswith("_PORT")]
    store = tmp_path_factory.mktemp("store")
    environment = told | dict(zip(names, map(str, free_ports(len(names))), strict=True))
    environment |= {"SHOUWANG_NATS_HOST": "127.0.0.1", "SHOUWANG_NATS_STORE": json.dumps(str(store))}
    server = subprocess.Popen(
        [SERVER, "-c", root / "deploy/nats/nats.conf"], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(environment, "/healthz?js-enabled-only=true", server)
        yield environment
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(store)


def page(environment: dict[str, str], path: str) -> dict:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"http://127.0.0.1:{environment['SHOUWANG_NATS_MONITOR_PORT']}{path}", timeout=2) as answer:
        return json.load(answer)


def wait_for(environment: dict[str, str], path: str, server: subprocess.Popen) -> None:
    for _ in range(100):
        assert server.poll() is None, "the broker refuses this configuration"
        try:
            page(environment, path)
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the broker does not answer {path}")


def test_the_server_accepts_the_configuration_with_these_variables_and_not_without(told, root):
    command = [SERVER, "-t", "-c", root / "deploy/nats/nats.conf"]

    assert subprocess.run(command, env=told, check=False).returncode == 0
    for missing in told.keys() - {"GOMEMLIMIT"}:
        rest = {name: value for name, value in told.items() if name != missing}
        assert subprocess.run(command, env=rest, check=False, stderr=subprocess.DEVNULL).returncode != 0, missing


async def test_facts_are_on_disk_before_they_are_acknowledged_and_reports_need_not_be(running, told):
    url = f"nats://127.0.0.1:{running['SHOUWANG_NATS_PORT']}"
    await provision(url, lambda _: None)
    client = await nats.connect(url)
    try:
        config = {
            name: json.loads((await client.request(f"$JS.API.STREAM.INFO.{name}")).data)["config"]
            for name in ("REPORTS", "LOCATION", "DISPATCH", "DEAD")
        }
    finally:
        await client.close()
    facts = page(running, "/varz")

    assert facts["jetstream"]["config"]["sync_always"] is True
    assert config.pop("REPORTS")["persist_mode"] == "async"
    assert all(stream.get("persist_mode", "default") == "default" for stream in config.values())
    assert facts["server_name"] == told["SHOUWANG_NATS_NAME"]


def test_the_soft_memory_limit_is_below_the_hard_one(told, compose):
    assert compose["services"]["nats"]["mem_limit"] == "1g"
    assert int(told["GOMEMLIMIT"].removesuffix("MiB")) < 1024

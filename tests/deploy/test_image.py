"""deploy/Dockerfile, .dockerignore and the health check, as far as that is possible without an engine."""

import http.server
import json
import re
import subprocess
import sys
import threading
from importlib.metadata import entry_points

import pytest

SERVICES = ("location", "dispatch", "training", "stack")


def stage(dockerfile, name):
    """Instructions of a stage and of those it is made from, the base first."""
    begin = next(i for i, (word, rest) in enumerate(dockerfile) if word == "FROM" and rest.endswith(f" AS {name}"))
    end = next((i for i in range(begin + 1, len(dockerfile)) if dockerfile[i][0] == "FROM"), len(dockerfile))
    base = dockerfile[begin][1].split()[0]
    earlier = [rest.split(" AS ")[1] for word, rest in dockerfile[:begin] if word == "FROM" and " AS " in rest]
    return (stage(dockerfile, base) if base in earlier else []) + dockerfile[begin + 1 : end]


def test_hadolint_has_nothing_to_say(tool):
    done = tool("hadolint", "deploy/Dockerfile")

    assert done.returncode == 0, done.stdout


def test_the_base_is_one_image_with_a_version(dockerfile):
    bases = {rest.split()[0] for word, rest in dockerfile if word == "FROM" and rest.startswith("python")}
    version = next(rest for word, rest in dockerfile if word == "ARG" and rest.startswith("PYTHON="))

    assert bases == {"python:${PYTHON}"}
    assert re.fullmatch(r"PYTHON=3\.1[123]-slim-\w+", version)


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_runs_its_command_as_nobody_in_particular(dockerfile, service):
    made = stage(dockerfile, service)
    last = dict(made)
    command = json.loads(last["CMD"])

    assert dockerfile[-1] == ("FROM", "${SERVICE}")
    assert command[0] in {script.name for script in entry_points(group="console_scripts")}
    assert command[0] == ("shouwang" if service == "stack" else f"shouwang-{service}")
    assert last["USER"] == "10001:10001"
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert "PYTHONUNBUFFERED=1" in last["ENV"] or any("PYTHONUNBUFFERED=1" in rest for _, rest in made)
    assert ("HEALTHCHECK" in last) is (service != "stack")


def test_what_is_copied_is_there_and_docker_may_see_it(dockerfile, root):
    allowed = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for word, rest in dockerfile:
        if word == "COPY" and not rest.startswith("--from"):
            source = rest.split()[0]
            assert (root / source).exists()
            assert source in allowed, f"{source} is not in .dockerignore's list"


@pytest.fixture
def service():
    """A server that is alive but not ready."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/livez" else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(("path", "code"), [("/livez", 0), ("/readyz", 1)])
def test_the_probe_tells_200_from_the_rest_and_asks_no_proxy(service, root, path, code):
    environment = {"SHOUWANG_HTTP_PORT": str(service.server_port), "http_proxy": "http://127.0.0.1:9"}

    done = subprocess.run(
        [sys.executable, "-I", root / "deploy/probe.py", path], env=environment, capture_output=True, check=False
    )

    assert done.returncode == code


def test_the_probe_says_so_when_nobody_listens(root):
    environment = {"SHOUWANG_HTTP_PORT": "9"}

    done = subprocess.run(
        [sys.executable, "-I", root / "deploy/probe.py"], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "/readyz" in done.stderr
    assert "Traceback" not in done.stderr

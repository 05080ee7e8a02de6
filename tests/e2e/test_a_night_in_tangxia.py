"""The one journey: a newcomer types one command and watches a night being dispatched."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

SHOUWANG = [sys.executable, "-m", "shouwang.stack.cli"]
KEYS = [
    "reports", "rejected", "online", "incidents", "offered", "accepted", "declined", "expired", "completed",
    "shortfall", "offer_ms", "nearest_exact",
]  # fmt: skip


def test_the_demo_dispatches_every_call_to_the_truly_nearest() -> None:
    done = subprocess.run(
        [*SHOUWANG, "demo", "--for", "15", "--json"], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    *nothing, line = done.stdout.splitlines()
    assert not nothing, "stdout is for the summary alone"
    summary = json.loads(line)
    assert list(summary)[: len(KEYS)] == KEYS
    assert summary["reports"] > 1000
    assert {"impossible", "off_duty", "repeated", "unparsable"} <= set(summary["rejected"])
    assert summary["incidents"] > 5
    assert summary["offered"] >= summary["incidents"] - summary["shortfall"]
    assert summary["accepted"] > 0
    assert summary["completed"] > 0
    assert summary["nearest_exact"] == 1.0
    assert summary["measured"] + summary["shortfall"] >= summary["incidents"], "a call was neither offered nor short"
    assert summary["offer_ms"]["p50"] > 0
    assert summary["roster"]["places"] == 145, "70 shared guards, 62 of schools, 10 militia, 3 of the linked shops"
    assert summary["roster"]["on_shift"] == 150, "and the five officers who lead"
    assert summary["roster"]["people"] > 11_000
    assert summary["duty"] == {"started": 150, "ended": 150}
    assert summary["online"] == 147, "the three of the shops have gone home at two"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_up_stops_cleanly_and_leaves_nothing(tmp_path: Path, sign: signal.Signals) -> None:
    data = tmp_path / "data"
    with (tmp_path / "out").open("w") as out:
        up = subprocess.Popen([*SHOUWANG, "up", "--data", str(data)], stdout=out, stderr=out, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not (data / "stack.json").exists():
            assert up.poll() is None, (tmp_path / "out").read_text()
            assert time.monotonic() < deadline, (tmp_path / "out").read_text()
            time.sleep(0.1)
        stack = json.loads((data / "stack.json").read_text())
        assert set(stack) == {"nats", "nats_ws", "mqtt", "http", "postgres", "metrics", "admin"}
        well = subprocess.run([*SHOUWANG, "doctor", "--data", str(data)], capture_output=True, text=True, check=False)
        assert well.returncode == 0, well.stdout
        family = psutil.Process(up.pid).children(recursive=True)
        assert len(family) >= 5, "broker, database and three services"
        os.kill(up.pid, sign)
        assert up.wait(30) == 0, (tmp_path / "out").read_text()
        _, alive = psutil.wait_procs(family, timeout=10)
        assert not alive
        assert not (data / "stack.json").exists()
        logs = {path.name: path.read_text() for path in (data / "logs").iterdir()}
        assert set(logs) == {"location.log", "dispatch.log", "training.log"}
        assert not [name for name, text in logs.items() if "Traceback" in text]
    finally:
        if up.poll() is None:
            up.kill()


def test_replay_plays_real_traces_into_the_suite() -> None:
    data = Path(__file__).parents[3] / "shared" / "data"
    units, calls = data / "units_sf_cabs_2008-06-06_17-19h.csv.gz", data / "incidents_sf_sfpd.csv.gz"
    if not units.exists():
        pytest.skip(f"no real data at {data}")
    options = ["--units", str(units), "--incidents", str(calls), "--speed", "120", "--for", "15", "--json"]
    done = subprocess.run([*SHOUWANG, "replay", *options], capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    summary = json.loads(done.stdout)
    assert summary["reports"] + sum(summary["rejected"].values()) == summary["sent"]
    assert summary["rejected"]["jump"] > 0, "the real traces have GPS jumps"
    assert summary["incidents"] > 0
    assert summary["nearest_exact"] == 1.0


def test_a_wrong_option_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("unit,when,lat,lon\n")
    done = subprocess.run(
        [*SHOUWANG, "replay", "--units", str(bad)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "ts" in done.stderr

"""The drive against a real broker and a small fake of the suite, which keeps to the contracts and loses replies."""

import asyncio
import csv
import json
import subprocess
import sys
import time
import uuid
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from rich.console import Console

from shouwang.common.geo import distance_m
from shouwang.contracts.dispatch import CloseIncident, OpenIncident, Respond, TaskDelivery
from shouwang.contracts.location import Counts, Report
from shouwang.stack.drive import Behaviour, Board, Call, Drive, Endpoints
from shouwang.stack.drive.board import quantile
from shouwang.stack.drive.meters import ACCEPTED, FIRST_OFFERS, REJECTED, WANTED, Meters, parse_page
from shouwang.stack.drive.watch import Watch
from shouwang.stack.drive.wire import Asker
from shouwang.stack.replay import run_demo, run_replay
from shouwang.stack.summary import KEYS, summarise
from shouwang.stack.tangxia import TangxiaNight
from shouwang.stack.traces import TraceError
from shouwang.stack.view import show

EXPIRE_S = 1.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class FakeSuite:
    """Location and dispatch as far as an outsider sees them."""

    def __init__(self, nc: Client) -> None:
        self.nc, self.js = nc, nc.jetstream()
        self.units: dict[str, tuple[float, float, float]] = {}
        self.accepted, self.rejected, self.first_offers = 0, Counter[str](), Counter[str]()
        self.incidents: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.replies: dict[str, dict[str, Any]] = {}
        self.keys: Counter[str] = Counter()
        self.lose = 0
        self.problems: list[str] = []
        self.work: set[asyncio.Task[None]] = set()
        self.metrics: dict[str, str] = {}

    async def start(self) -> None:
        await self.js.add_stream(name="DISPATCH", subjects=["dispatch.>"])
        await self.fact("task.completed", {"unit": "of-yesterday", "task": "t", "incident": "i"}, "of-yesterday", "t")
        while (await self.js.stream_info("DISPATCH")).state.messages < 2:  # noqa: ASYNC110 - kept before any test looks
            await asyncio.sleep(0.01)
        await self.nc.subscribe("report.*", cb=self.report)
        await self.nc.subscribe("request.*.*.*.v1", cb=self.request)
        self.server = await asyncio.start_server(self.page, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.metrics = dict.fromkeys(("location", "dispatch"), f"http://127.0.0.1:{port}/metrics")

    async def stop(self) -> None:
        for task in self.work:
            task.cancel()
        await asyncio.gather(*self.work, return_exceptions=True)
        self.server.close()
        await self.server.wait_closed()
        await self.nc.close()

    # -- location

    async def report(self, msg: Msg) -> None:
        unit = msg.subject.split(".")[1]
        try:
            said = Report.model_validate_json(msg.data, strict=False)
        except ValueError:
            self.rejected["malformed"] += 1
            return
        at = said.time if isinstance(said.time, float) else said.time.timestamp()
        before = self.units.get(unit, (0, 0, 0.0))[2]
        if at > time.time() + 60:
            self.rejected["impossible"] += 1
        elif at <= before:
            self.rejected["old"] += 1
        else:
            self.accepted += 1
            self.units[unit] = (said.lat, said.lon, at)

    async def page(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = [f"{ACCEPTED} {self.accepted}", "# HELP x y", "other_total 3"]
        lines += [f'{REJECTED}{{reason="{reason}"}} {count}' for reason, count in self.rejected.items()]
        lines += [f'{FIRST_OFFERS}{{nearest="{name}"}} {count}' for name, count in self.first_offers.items()]
        body = "\n".join([*lines, ""]).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    # -- dispatch

    async def request(self, msg: Msg) -> None:
        _, principal, service, verb, _ = msg.subject.split(".")
        key = (msg.headers or {})["Idempotency-Key"]
        self.keys[key] += 1
        if key not in self.replies:
            self.replies[key] = await self.answer(principal, f"{service}.{verb}", msg.data)
        if self.lose > 0 and verb == "open_incident":
            self.lose -= 1  # done, but the reply never arrives
            return
        reply = self.replies[key]
        headers = None
        if "status" in reply and isinstance(reply["status"], int):
            headers = {"Nats-Service-Error": "no", "Nats-Service-Error-Code": str(reply["status"])}
        await self.nc.publish(msg.reply, json.dumps(reply).encode(), headers=headers)

    async def answer(self, principal: str, verb: str, data: bytes) -> dict[str, Any]:
        try:
            if verb == "location.counts":
                assert Counts.model_validate_json(data).resolution == 7
                return {"total": len(self.units), "cells": []}
            if verb == "dispatch.open_incident":
                return await self.open(OpenIncident.model_validate_json(data))
            if verb == "dispatch.close_incident":
                return await self.close(CloseIncident.model_validate_json(data))
            return await self.respond(principal, Respond.model_validate_json(data))
        except ValueError as error:
            return {"status": 400, "title": "Bad Request", "detail": str(error)}

    async def open(self, asked: OpenIncident) -> dict[str, Any]:
        incident = str(uuid.uuid4())
        self.incidents[incident] = {"asked": asked, "tried": set(), "open": True}
        place = {"lat": asked.lat, "lon": asked.lon, "needed": asked.needed}
        await self.fact("incident.opened", {"incident": incident, "kind": asked.kind, **place}, incident)
        tasks = [await self.offer(incident) for _ in range(asked.needed)]
        self.first_offers["exact"] += 1
        short = tasks.count(None)
        if short:
            await self.fact("shortfall.declared", {"incident": incident, "missing": short}, incident)
        return {"incident": incident, "tasks": [], "left_out": [], "shortfall": short}

    async def offer(self, incident: str) -> str | None:
        case, busy = self.incidents[incident], {task["unit"] for task in self.tasks.values() if task["live"]}
        lat, lon = case["asked"].lat, case["asked"].lon
        free = [unit for unit in self.units if unit not in busy and unit not in case["tried"]]
        if not free or not case["open"]:
            return None
        unit = min(free, key=lambda name: distance_m(*self.units[name][:2], lat, lon))
        case["tried"].add(unit)
        task = str(uuid.uuid4())
        self.tasks[task] = {"unit": unit, "incident": incident, "live": True, "status": "offered"}
        far = distance_m(*self.units[unit][:2], lat, lon)
        offer = TaskDelivery(
            task=task, incident=incident, instruction=case["asked"].summary, lat=lat, lon=lon, distance_m=far,
            offered_at=NOW, expires_at=NOW,
        )  # fmt: skip
        await self.nc.publish(f"user.{unit}.task", offer.model_dump_json().encode())
        await self.fact("task.offered", {"task": task, "unit": unit, "incident": incident}, unit, task)
        expiring = asyncio.create_task(self.expire(task))
        self.work.add(expiring)
        expiring.add_done_callback(self.work.discard)
        return task

    async def expire(self, task: str) -> None:
        await asyncio.sleep(EXPIRE_S)
        if self.tasks[task]["status"] == "offered":
            await self.end(task, "expired")

    async def end(self, task: str, past: str) -> None:
        now = self.tasks[task]
        now.update(live=False, status=past)
        await self.fact(
            f"task.{past}", {"task": task, "unit": now["unit"], "incident": now["incident"]}, now["unit"], task
        )
        if past in {"declined", "expired"}:
            await self.offer(now["incident"])

    async def respond(self, principal: str, asked: Respond) -> dict[str, Any]:
        task = self.tasks[asked.task]
        assert task["unit"] == principal, "a unit answers for itself only"
        now, ends = {"accept": ("accepted", False), "decline": ("declined", True), "arrive": ("arrived", False),
                     "complete": ("completed", True)}[asked.answer]  # fmt: skip
        wanted = {"accepted": "offered", "declined": "offered", "arrived": "accepted", "completed": "arrived"}[now]
        if task["status"] != wanted:
            return {"status": 409, "title": "Conflict", "detail": f"{task['status']} is not {wanted}"}
        if now == "arrived":
            asked_for = self.incidents[task["incident"]]["asked"]
            task["off_m"] = distance_m(*self.units[principal][:2], asked_for.lat, asked_for.lon)
        if ends:
            await self.end(asked.task, now)
        else:
            task["status"] = now
            await self.fact(f"task.{now}", {"task": asked.task, "incident": task["incident"]}, principal, asked.task)
        return {"task": asked.task, "status": now}

    async def close(self, asked: CloseIncident) -> dict[str, Any]:
        self.incidents[asked.incident]["open"] = False
        self.incidents[asked.incident]["outcome"] = asked.outcome
        await self.fact("incident.closed", {"incident": asked.incident, "outcome": asked.outcome}, asked.incident)
        return {"incident": asked.incident, "status": "closed"}

    async def fact(self, name: str, body: dict[str, Any], *keys: str) -> None:
        headers = {"ce-id": str(uuid.uuid4())}
        data = json.dumps(body).encode()
        for _ in range(2):  # everything twice, as after a crash of the relay
            await self.nc.publish(".".join(("dispatch", name, "v1", *keys)), data, headers=headers)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    command = Path(sys.executable).with_name("nats-server")
    ports = tmp_path / "ports"
    ports.mkdir()
    server = subprocess.Popen(
        [command, "-a", "127.0.0.1", "-p", "-1", "-js", "-sd", tmp_path / "js", "--ports_file_dir", ports],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            if found := list(ports.glob("*.ports")):
                break
            time.sleep(0.02)
        yield json.loads(found[0].read_text())["nats"][0]
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
async def suite(broker: str) -> AsyncIterator[FakeSuite]:
    fake = FakeSuite(await nats.connect(broker))
    await fake.start()
    yield fake
    await fake.stop()


def endpoints(suite: FakeSuite) -> Endpoints:
    url = suite.nc.connected_url
    assert url is not None
    return Endpoints(url.geturl(), suite.metrics)


async def test_a_demo_from_first_report_to_summary(suite: FakeSuite) -> None:
    suite.lose = 1
    said: list[str] = []
    began = time.perf_counter()
    summary = await run_demo(endpoints(suite), 9.0, True, 7, said.append)
    assert time.perf_counter() - began >= 9.0
    assert tuple(summary)[: len(KEYS)] == KEYS
    assert summary["reports"] == suite.accepted >= 1200
    assert summary["rejected"] == suite.rejected
    assert {"malformed", "impossible", "old"} <= suite.rejected.keys()
    assert summary["online"] == 150
    assert summary["incidents"] == len(suite.incidents) == 12
    assert summary["offered"] == len(suite.tasks)
    by_status = Counter(task["status"] for task in suite.tasks.values())
    assert summary["declined"] == by_status["declined"]
    assert summary["expired"] == by_status["expired"]
    assert summary["completed"] == by_status["completed"] >= 6
    assert summary["accepted"] >= summary["completed"]
    assert summary["closed"] == sum(not case["open"] for case in suite.incidents.values()) >= 4
    assert summary["measured"] == 12
    assert summary["offer_ms"]["p99"] >= summary["offer_ms"]["p50"] > 0
    assert summary["nearest_exact"] == 1.0
    assert summary["refused_calls"] == {}
    lost_and_asked_again = [key for key, times in suite.keys.items() if times == 2]
    assert len(lost_and_asked_again) == 1
    assert all(task.get("off_m", 0) < 60 for task in suite.tasks.values())
    assert len(said) == 1
    assert "online 150" in said[-1]


class Scripted(TangxiaNight):
    """A short night with calls and habits of our own."""

    def __init__(self, seconds: float, calls: list[Call], behaviour: Behaviour) -> None:
        super().__init__(seconds, 1)
        self.behaviour = behaviour
        self.script = deque(calls)

    def calls(self, elapsed_s: float) -> Iterator[Call]:
        while elapsed_s > 0.2 and self.script:
            yield self.script.popleft()


def call_at(lat: float | str, needed: int = 1) -> Call:
    return Call("x", "property", lat, 120.7, "测试", "韩田 测试", needed=needed)


async def test_declined_and_unanswered_offers_go_on_and_problems_are_counted(suite: FakeSuite) -> None:
    habits = Behaviour(accept=0.4, decline=0.3, react_s=(0.0, 0.1), handle_s=(0.0, 0.1))
    calls = [call_at(27.875 + n / 10_000) for n in range(20)] + [call_at("here"), call_at(91.0)]
    drive = Drive(endpoints(suite), Scripted(3.0, calls, habits), 3.0, seed=2)
    await drive.run()
    summary = summarise(drive)
    assert summary["incidents"] == 20
    assert summary["refused_calls"] == {"400": 2}
    assert summary["declined"] > 0
    assert summary["expired"] > 0
    assert summary["offered"] >= 20 + summary["declined"]
    assert "open_incident 被拒 refused 400" in "".join(event.text for event in drive.board.events)


async def test_more_hands_than_there_are_is_a_shortfall(suite: FakeSuite) -> None:
    quick = Behaviour(accept=1.0, decline=0.0, react_s=(0.0, 0.0), handle_s=(0.0, 0.0))
    drive = Drive(endpoints(suite), Scripted(1.2, [call_at(27.875, needed=50)] * 4, quick), 1.2)
    await drive.run()
    assert summarise(drive)["shortfall"] == sum(1 for _ in drive.board.short) >= 1


async def test_a_replay_of_files(suite: FakeSuite, tmp_path: Path) -> None:
    with (tmp_path / "units.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["unit", "ts", "lat", "lon"])
        for ts in range(1000, 1600, 10):
            writer.writerows([f"cab {n}", ts, 37.7 + n / 1000, -122.4 + ts / 1e6] for n in range(40))
        writer.writerows([["cab 1", 1600, 91, 0], ["cab 1", 1600, "", ""], ["cab 1", "x", 37.7, -122.4]])
    (tmp_path / "calls.csv").write_text(
        "id,ts,lat,lon,category,description,priority\n"
        "1,605860,37.71,-122.4,Larceny Theft,bicycle,3\n2,605861,,,Lost Property,,\n3,5,37.7,-122.4,Other,,\n"
    )
    said: list[str] = []
    summary = await run_replay(
        endpoints(suite), tmp_path / "units.csv", tmp_path / "calls.csv", 500.0, 1.6, json_mode=True, say=said.append
    )
    assert summary["sent"] == 2403
    assert summary["reports"] == 2400
    assert sum(summary["rejected"].values()) == 3
    assert summary["online"] == 40
    assert summary["incidents"] == 1
    assert summary["refused_calls"] == {"400": 1}
    (case,) = suite.incidents.values()
    asked = case["asked"]
    assert (asked.kind, asked.summary, asked.priority) == ("property", "Larceny Theft: bicycle", "urgent")
    assert "2 calls moved by -604,800 s lie within, 1 outside are left out" in said[-1]


@pytest.mark.parametrize(("speed", "tz", "error"), [(0.0, None, ValueError), (1.0, "Mars/Base", ValueError)])
async def test_senseless_wishes_are_refused(speed: float, tz: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        await run_replay(Endpoints("nats://127.0.0.1:1", {}), Path("x.csv"), None, speed, 1.0, tz=tz)


async def test_a_replay_without_its_file_sends_nothing() -> None:
    with pytest.raises(TraceError, match=r"nowhere\.csv"):
        await run_replay(Endpoints("nats://127.0.0.1:1", {}), Path("nowhere.csv"), say=lambda _: None)


async def test_without_anybody_there_the_drive_still_ends(broker: str) -> None:
    """A broker without stream, services or pages."""
    night = Scripted(1.2, [call_at(27.875)] * 3, Behaviour())
    drive = Drive(Endpoints(broker, {"location": "http://127.0.0.1:1/metrics"}), night, 1.2)
    async with asyncio.timeout(30):
        await drive.run()
    summary = summarise(drive)
    assert (summary["reports"], summary["online"], summary["nearest_exact"]) == (None, None, None)
    assert summary["offer_ms"] == {"p50": None, "p99": None}
    assert summary["sent"] > 170


async def test_plain_lines_where_there_is_no_terminal(
    suite: FakeSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shouwang.stack.view.LINE_S", 0.6)
    drive = Drive(endpoints(suite), Scripted(1.4, [], Behaviour()), 1.4)
    with (tmp_path / "out").open("w") as out:
        showing = asyncio.create_task(show(drive, Console(file=out)))
        await drive.run()
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
    lines = (tmp_path / "out").read_text().splitlines()
    assert len(lines) >= 2
    assert lines[1].startswith("04:00 +1s  online 150 | 1")


async def test_a_lost_reply_is_asked_for_again_under_the_same_key(suite: FakeSuite) -> None:
    suite.lose = 2
    asker = Asker(suite.nc, timeout_s=0.1, first_pause_s=0.01)
    body = {"kind": "fire", "lat": 1.0, "lon": 2.0, "summary": "x"}
    answer = await asker.ask("duty-room", "dispatch.open_incident", body)
    assert answer.ok
    assert list(suite.keys.values()) == [3]
    assert len(suite.incidents) == 1
    nobody = await asker.ask("duty-room", "nobody.there.at-all", {})
    assert (nobody.status, nobody.ok) == (0, False)


async def test_facts_that_passed_while_the_broker_was_away_are_read_from_the_stream(suite: FakeSuite) -> None:
    watch = Watch(suite.nc, Board(clock=lambda: ""))
    await watch.start()
    for n in range(700):
        await suite.fact("task.offered", {"incident": "i"}, "guard-001", f"t{n}")
    await suite.nc.flush()
    watch._board = missed = Board(clock=lambda: "")
    assert await watch.catch_up()
    assert missed.facts == {"task.offered": 700}  # each once, and nothing of yesterday
    await suite.fact("task.expired", {"incident": "i"}, "guard-001", "t0")
    assert await watch.catch_up()
    assert missed.facts == {"task.offered": 700, "task.expired": 1}


# -- the pure parts


def test_counters_that_start_again_take_nothing_away() -> None:
    meters = Meters({})
    for accepted in (100.0, 150.0, 20.0, 25.0):
        meters.read("location", {(ACCEPTED, ""): accepted})
    meters.read("location", {(ACCEPTED, ""): 25.0, (REJECTED, "old"): 3.0})
    assert meters.total(ACCEPTED) == 50 + 20 + 5
    assert meters.by_label(REJECTED) == {"old": 3}


def test_only_the_wanted_series_of_a_page_are_read() -> None:
    page = (
        f"# TYPE {ACCEPTED[:-6]} counter\n{ACCEPTED} 5.0\n{ACCEPTED[:-6]}_created 1.7e9\n"
        f'{REJECTED}{{reason="old",shard="0"}} 2.0\n{REJECTED}{{reason="old",shard="1"}} 1.0\nother{{a="}}"}} nan\n'
    )
    assert parse_page(page, WANTED["location"]) == {(ACCEPTED, ""): 5.0, (REJECTED, "old"): 3.0}
    assert parse_page("", WANTED["location"]) == {}


@pytest.mark.parametrize(
    ("samples", "share", "value"),
    [([], 0.5, None), ([3.0], 0.99, 3.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0), (list(range(1, 201)), 0.99, 198)],
)
def test_quantiles_are_samples(samples: list[float], share: float, value: float | None) -> None:
    assert quantile(samples, share) == value


@pytest.mark.parametrize("reply_first", [True, False])
def test_an_offer_is_measured_whichever_comes_first(reply_first: bool) -> None:
    board = Board(clock=lambda: "22:41")
    if reply_first:
        board.opened("i", call_at(1.0), 5.0)
    board.delivered("i", "guard-017", 214.4, 5.006)
    board.delivered("i", "guard-018", 300.0, 5.9)
    if not reply_first:
        board.opened("i", call_at(1.0), 5.0)
    assert board.offer_ms == [pytest.approx(6.0)]
    assert board.events[0].text == "韩田 测试 → guard-017, 214 m, offered in 6 ms"


def test_an_incident_is_closed_once_when_all_needed_are_done() -> None:
    board = Board(clock=lambda: "")
    board.opened("i", call_at(1.0, needed=2), 0.0)
    for n, unit in enumerate(("a", "b")):
        assert board.to_close() == []
        for _ in range(2):  # the same fact twice
            board.fact(f"dispatch.task.completed.v1.{unit}.t{n}", f"fact-{n}", {"incident": "i"})
    assert board.to_close() == ["i"]
    assert board.to_close() == []
    assert board.facts == {"task.completed": 2}

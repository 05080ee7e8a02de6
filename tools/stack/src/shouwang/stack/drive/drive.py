"""The drive: plays a scenario against a running suite for so many seconds."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import nats
from nats.aio.client import Client

from shouwang.stack.drive.board import Board, Event, Place, quantile
from shouwang.stack.drive.duty import PRINCIPAL, DutyRoom
from shouwang.stack.drive.meters import ACCEPTED, ON_DUTY, REJECTED, Meters
from shouwang.stack.drive.phones import Phones
from shouwang.stack.drive.scenario import Box, Dot, Endpoints, Scenario, calling_s
from shouwang.stack.drive.shifts import ShiftChange
from shouwang.stack.drive.watch import Watch
from shouwang.stack.drive.wire import Asker

TICK_S = 0.02
CLOSE_EVERY_TICKS = 5
CONNECT_S = 10.0
HEARD_S = 15.0
SETTLE_S = 0.3
"""Between the last report and the last reading of the counters, for what is still in the air."""
PENDING_BYTES = 16 * 1024**2


@dataclass(frozen=True)
class Snapshot:
    """Everything the live view shows, as it stands at one moment."""

    title: str
    clock: str
    elapsed_s: float
    seconds: float
    calling: bool
    online: int | None
    on_duty: int | None
    needed: int | None
    reports: int
    reports_per_s: float
    rejected: dict[str, int]
    facts: dict[str, int]
    open_incidents: int
    states: dict[str, str]
    places: list[Place]
    p50_ms: float | None
    p99_ms: float | None
    short: int
    refused: dict[str, dict[str, int]]
    events: list[Event]
    dots: list[Dot]
    box: Box
    landmarks: Sequence[tuple[str, float, float]]
    outline: Sequence[tuple[float, float]]


class Drive:
    """One run. `board` and `meters` hold what came of it; `online` is the last count by the location service."""

    def __init__(self, endpoints: Endpoints, scenario: Scenario, seconds: float, *, seed: int = 7) -> None:
        self.scenario, self.seconds = scenario, seconds
        self.board = Board(clock=lambda: self.scenario.clock(self.elapsed_s))
        self.meters = Meters(endpoints.metrics)
        self.online: int | None = None
        self.shifts: ShiftChange | None = None
        self._rostered = "training" in endpoints.metrics
        self._nats = endpoints.nats
        self._rng = random.Random(seed)  # noqa: S311 - habits of played people, no secret
        self._phones: Phones | None = None
        self._per_s = 0.0

    @property
    def elapsed_s(self) -> float:
        return min(self._phones.elapsed_s, self.seconds) if self._phones else 0.0

    @property
    def sent(self) -> int:
        """Reports that have left the driver."""
        return self._phones.sent if self._phones else 0

    async def run(self) -> None:
        """Plays to the end. Raises only when the broker cannot be reached at the start."""
        nc = await asyncio.wait_for(self._connect(), CONNECT_S)
        phones = Phones(nc, Asker(nc), self.scenario, self.board, self._rng)
        duty = DutyRoom(Asker(nc), self.board)
        shifts = self.shifts = ShiftChange(Asker(nc), self.scenario, self.board)
        try:
            watch = Watch(nc, self.board)
            await watch.start()
            await nc.subscribe("user.*.task", cb=phones.take)
            await nc.flush()
            await self.meters.poll()
            shifts.look(0.0)
            await shifts.settled()
            await self._heard(shifts)  # the first watch is out before the first call
            phones.start()
            self._phones = phones
            looking = asyncio.create_task(self._look(nc, watch))
            try:
                await self._play(phones, duty, shifts)
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
            await self._count(nc)
            await shifts.everybody_home()
            await asyncio.sleep(SETTLE_S)
            await watch.catch_up()
            await self.meters.poll()
        finally:
            await phones.stop()
            await duty.stop()
            await nc.close()

    async def _heard(self, shifts: ShiftChange) -> None:
        """Wait until location has heard who is on duty: it refuses the reports of everybody else."""
        end = time.perf_counter() + HEARD_S
        while (self.meters.now("location", ON_DUTY) or 0) < len(shifts.on) and time.perf_counter() < end:
            await asyncio.sleep(0.1)
            await self.meters.poll()

    async def _connect(self) -> Client:
        async def note(error: Exception) -> None:
            self.board.say("broker", f"{type(error).__name__}: {error}")

        return await nats.connect(
            self._nats,
            name="shouwang-drive",
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,
            pending_size=PENDING_BYTES,
            skip_subject_validation=True,  # our tokens are made by us; saves a regular expression a report
            error_cb=note,
        )

    async def _play(self, phones: Phones, duty: DutyRoom, shifts: ShiftChange) -> None:
        calls_end, tick = calling_s(self.seconds), 0
        while phones.elapsed_s < self.seconds:
            await phones.report()
            if phones.elapsed_s < calls_end:
                for call in self.scenario.calls(phones.elapsed_s):
                    duty.take(call)
            tick += 1
            if tick % CLOSE_EVERY_TICKS == 0:
                duty.close_finished()
                shifts.look(phones.elapsed_s)
            await asyncio.sleep(TICK_S - phones.elapsed_s % TICK_S)

    async def _look(self, nc: Client, watch: Watch) -> None:
        """Once a second: the counters, how many are online, and facts that were missed."""
        last_at, last = time.perf_counter(), 0
        while True:
            await asyncio.sleep(1.0)
            await asyncio.gather(self.meters.poll(), self._count(nc), watch.look())
            now, taken = time.perf_counter(), self._taken()
            self._per_s = (taken - last) / (now - last_at)
            last_at, last = now, taken

    def _taken(self) -> int:
        """Reports that the suite has dealt with; without its page, those that we have sent."""
        if not self.meters.known("location"):
            return self.sent
        return self.meters.total(ACCEPTED) + sum(self.meters.by_label(REJECTED).values())

    async def _count(self, nc: Client) -> None:
        answer = await Asker(nc, timeout_s=1.0, tries=1).ask(PRINCIPAL, "location.counts", {"resolution": 7})
        total = answer.body.get("total")
        if answer.ok and isinstance(total, int):
            self.online = total
        if self.shifts is not None and self._rostered:
            await self.shifts.count()

    def snapshot(self) -> Snapshot:
        """The state as values; cheap enough to take several times a second."""
        board, elapsed_s = self.board, self.elapsed_s
        covered = self.shifts.covered if self.shifts else None
        return Snapshot(
            title=self.scenario.title,
            clock=self.scenario.clock(elapsed_s),
            elapsed_s=elapsed_s,
            seconds=self.seconds,
            calling=elapsed_s < calling_s(self.seconds),
            online=self.online,
            on_duty=covered.on_duty if covered else None,
            needed=covered.needed if covered else None,
            reports=self.meters.total(ACCEPTED) if self.meters.known("location") else self.sent,
            reports_per_s=self._per_s,
            rejected=self.meters.by_label(REJECTED),
            facts=dict(board.facts),
            open_incidents=max(0, board.facts["incident.opened"] - board.facts["incident.closed"]),
            states=dict(board.unit_states),
            places=[Place(place.lat, place.lon, place.state) for place in board.places.values()],
            p50_ms=quantile(board.offer_ms, 0.5),
            p99_ms=quantile(board.offer_ms, 0.99),
            short=len(board.short),
            refused={verb: dict(counts) for verb, counts in board.refused.items()},
            events=list(board.events),
            dots=self.scenario.dots(elapsed_s),
            box=self.scenario.box,
            landmarks=self.scenario.landmarks,
            outline=self.scenario.outline,
        )

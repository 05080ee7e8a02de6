"""The phones: they send reports, take tasks and answer them."""

import asyncio
import random
import time

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from shouwang.stack.drive.board import Board
from shouwang.stack.drive.scenario import Scenario
from shouwang.stack.drive.wire import Asker, decoded

TURN_REPORTS = 200
"""Reports sent before others get a turn (about 1 ms), so that a burst does not hold up an offer being measured."""
PASS_S = 0.1
"""A replay too fast for this machine falls behind; after so long the calls have their turn all the same."""


class Phones:
    """All phones of a scenario on one connection and one wildcard subscription."""

    def __init__(self, nc: Client, asker: Asker, scenario: Scenario, board: Board, rng: random.Random) -> None:
        self._nc, self._asker, self._scenario, self._board, self._rng = nc, asker, scenario, board, rng
        self._started = time.perf_counter()
        self._wall0 = time.time()
        self._busy: set[str] = set()
        self._taken: set[str] = set()
        self._errands: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.unsent = 0

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._started

    def start(self) -> None:
        """The drive begins now."""
        self._started, self._wall0 = time.perf_counter(), time.time()

    async def report(self) -> None:
        """Sends all reports that are due, or as many as can be sent in one pass."""
        began_s = self.elapsed_s
        for unit, body in self._scenario.reports(began_s, self._wall0):
            try:
                await self._nc.publish(f"report.{unit}", body)
                self.sent += 1
            except nats.errors.Error:  # the broker is away and the client's buffer is full: a phone without network
                self.unsent += 1
            if (self.sent + self.unsent) % TURN_REPORTS == 0:
                await asyncio.sleep(0)
                if self.elapsed_s > began_s + PASS_S:
                    return

    async def take(self, message: Msg) -> None:
        """A task has arrived on `user.<unit>.task`. The time is taken before anything else is done."""
        at = time.perf_counter()
        unit = message.subject.split(".")[1]
        offer = decoded(message.data)
        task, incident, distance_m = offer.get("task"), offer.get("incident"), offer.get("distance_m")
        if not isinstance(task, str) or task in self._taken:
            return
        self._taken.add(task)
        if isinstance(incident, str):
            self._board.delivered(incident, unit, float(distance_m or 0), at)
        if self._scenario.owns(unit):
            place = float(offer.get("lat") or 0), float(offer.get("lon") or 0), float(distance_m or 0)
            errand = asyncio.create_task(self._errand(unit, task, place))
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)

    async def _errand(self, unit: str, task: str, place: tuple[float, float, float]) -> None:
        """From the offer to the end, as the person with this phone would do it."""
        habits, roll = self._scenario.behaviour, self._rng.random()
        if roll >= habits.accept + habits.decline:
            return  # the phone is in a pocket
        await asyncio.sleep(self._rng.uniform(*habits.react_s))
        if roll >= habits.accept or unit in self._busy:
            await self._answer(unit, task, "decline")
            return
        self._busy.add(unit)
        try:
            if await self._answer(unit, task, "accept"):
                await self._go(unit, task, place)
        finally:
            self._busy.discard(unit)
            self._scenario.release(unit, self.elapsed_s)

    async def _go(self, unit: str, task: str, place: tuple[float, float, float]) -> None:
        await asyncio.sleep(self._scenario.go(unit, *place, self.elapsed_s))
        if await self._answer(unit, task, "arrive"):
            await asyncio.sleep(self._rng.uniform(*self._scenario.behaviour.handle_s))
            await self._answer(unit, task, "complete")

    async def _answer(self, unit: str, task: str, word: str) -> bool:
        answer = await self._asker.ask(unit, "dispatch.respond", {"task": task, "answer": word})
        if not answer.ok:
            self._board.refuse("respond", answer.status, f"{unit} {word}: {answer.detail}")
        return answer.ok

    async def stop(self) -> None:
        """Phones off: open errands are left as they are."""
        for errand in list(self._errands):
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)

"""Members going on duty and off, and what the roster says of it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from shouwang.stack.drive.board import Board
from shouwang.stack.drive.scenario import Scenario, Turn
from shouwang.stack.drive.wire import Asker

AT_ONCE = 12
PRINCIPAL = "duty-room"


@dataclass(frozen=True)
class Covered:
    """How many are on duty, and how many the shifts that are held now need."""

    on_duty: int
    needed: int


class ShiftChange:
    """Every phone that says that its member begins or ends."""

    def __init__(self, asker: Asker, scenario: Scenario, board: Board) -> None:
        self._asker, self._scenario, self._board = asker, scenario, board
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._work: set[asyncio.Task[None]] = set()
        self.on: set[str] = set()
        """who is on duty"""
        self.covered: Covered | None = None

    def look(self, elapsed_s: float) -> None:
        """Begin what is due."""
        for turn in self._scenario.turns(elapsed_s):
            task = asyncio.create_task(self._turn(turn))
            self._work.add(task)
            task.add_done_callback(self._work.discard)

    async def settled(self) -> None:
        """Wait until everybody who was due has turned."""
        while self._work:
            await asyncio.gather(*self._work)

    async def everybody_home(self) -> None:
        """The night is over: whoever is on duty goes off."""
        await self.settled()
        await self._all(Turn(unit, False) for unit in sorted(self.on))

    async def count(self) -> None:
        """What the roster says now."""
        answer = await self._asker.ask(PRINCIPAL, "training.duty", {})
        if answer.ok:
            self.covered = Covered(int(answer.body["on_duty"]), int(answer.body["needed"]))

    async def _all(self, turns: Iterable[Turn]) -> None:
        await asyncio.gather(*map(self._turn, turns))

    async def _turn(self, turn: Turn) -> None:
        verb, body = ("go_on_duty", {"shift": turn.shift}) if turn.on else ("go_off_duty", {})
        async with self._turns:
            answer = await self._asker.ask(turn.unit, f"training.{verb}", body)
        if not answer.ok:
            self._board.refuse(verb, answer.status, f"{turn.unit}: {answer.detail}")
            return
        self._scenario.turned(turn.unit, on=turn.on)
        (self.on.add if turn.on else self.on.discard)(turn.unit)

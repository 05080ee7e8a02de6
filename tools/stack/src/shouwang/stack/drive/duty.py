"""The duty room (值班室): takes the calls, opens incidents, closes them when everybody needed is done."""

import asyncio
import time
from collections.abc import Coroutine

from shouwang.stack.drive.board import Board
from shouwang.stack.drive.scenario import Call
from shouwang.stack.drive.wire import Asker

PRINCIPAL = "duty-room"


class DutyRoom:
    """Works on many calls at once, as several officers would."""

    def __init__(self, asker: Asker, board: Board) -> None:
        self._asker, self._board = asker, board
        self._work: set[asyncio.Task[None]] = set()
        self._run = f"{time.time_ns() // 1_000_000:x}"

    def take(self, call: Call) -> None:
        """A citizen calls."""
        self._spawn(self._open(call))

    def close_finished(self) -> None:
        """Closes what is done."""
        for incident in self._board.to_close():
            self._spawn(self._close(incident))

    async def _open(self, call: Call) -> None:
        sent_at = time.perf_counter()
        answer = await self._asker.ask(
            PRINCIPAL,
            "dispatch.open_incident",
            {
                "kind": call.kind,
                "lat": call.lat,
                "lon": call.lon,
                "summary": call.summary,
                "needed": call.needed,
                "priority": call.priority,
                # One external id opens one incident for ever, so the same night played again needs other ids.
                "external_id": f"{call.ref[:50]}-{self._run}",
            },
        )
        incident = answer.body.get("incident")
        if answer.ok and isinstance(incident, str):
            self._board.opened(incident, call, sent_at)
        else:
            self._board.refuse("open_incident", answer.status, answer.detail)

    async def _close(self, incident: str) -> None:
        outcome = self._board.cases[incident].call.outcome
        answer = await self._asker.ask(PRINCIPAL, "dispatch.close_incident", {"incident": incident, "outcome": outcome})
        if not answer.ok:
            self._board.refuse("close_incident", answer.status, answer.detail)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def stop(self) -> None:
        """Hangs up."""
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

"""A place on earth of a test's own, with units in it: nobody of another test is within an incident's reach."""

import asyncio
import itertools
import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from shouwang.common.ids import new_id
from shouwang.common.testing import Answer, Kept, ask, eventually, kept

M_PER_DEG = 111_195.0
"""Metres of a degree of latitude on the sphere that distances are reckoned on."""

DUTY = "duty-room"

_places: Iterator[tuple[float, float]] = (
    (float(lat), float(lon)) for lat, lon in itertools.product(range(-60, 61), range(-175, 176, 2))
)


@dataclass
class FeedEar:
    """Listens to the whole feed: when a unit's fix is here, it is with dispatch too, which listens as we do."""

    times: dict[str, float] = field(default_factory=dict)

    async def listen(self, connection: Client) -> None:
        """From now on; also over reconnects."""
        await connection.subscribe("location.cell.v1.>", cb=self._take)
        await connection.flush()

    async def _take(self, msg: Msg) -> None:
        for unit in json.loads(msg.data)["units"]:
            self.times[unit["unit"]] = max(unit["time"], self.times.get(unit["unit"], 0.0))


class Town:
    """Everything a duty room and its patrols do, in one place."""

    def __init__(self, connection: Client, ear: FeedEar) -> None:
        self.connection, self._ear = connection, ear
        self.lat, self.lon = next(_places)
        self.name = f"t{new_id()[-12:]}"

    def unit(self, word: str) -> str:
        """The full name of a unit of this town."""
        return f"{self.name}-{word}"

    def at(self, north_m: float, east_m: float = 0.0) -> dict[str, float]:
        """A place so many metres from the town's centre."""
        east_deg = east_m / (M_PER_DEG * math.cos(math.radians(self.lat)))
        return {"lat": self.lat + north_m / M_PER_DEG, "lon": self.lon + east_deg}

    async def report(self, word: str, north_m: float = 0.0, *, age_s: float = 0.0, **said: Any) -> str:
        """A unit reports from so many metres north of the centre; returns, with its name, when the feed has told it."""
        unit, fix_at = self.unit(word), time.time() - age_s
        body = {**self.at(north_m), "time": fix_at, **said}
        await self.connection.publish(f"report.{unit}", json.dumps(body).encode())
        await eventually(lambda: self._ear.times.get(unit, 0.0) >= fix_at - 0.001)
        return unit

    def is_seen(self, word: str) -> bool:
        """Whether the feed has told where a unit is."""
        return self.unit(word) in self._ear.times

    def forget_fix(self, word: str) -> None:
        """As if the feed had not told it yet."""
        self._ear.times.pop(self.unit(word), None)

    async def patrol(self, **north_m: float) -> None:
        """Several units report: `await town.patrol(a=100, b=200)`."""
        await asyncio.gather(*(self.report(word, metres) for word, metres in north_m.items()))

    async def ask(
        self,
        contract: str,
        body: Mapping[str, Any] | bytes = b"{}",
        *,
        principal: str = DUTY,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask `location.unit` and so on, as somebody."""
        return await ask(self.connection, f"request.{principal}.{contract}.v1", body, headers)

    async def open(self, needed: int = 1, **more: Any) -> dict[str, Any]:
        """Open an incident in the centre; its reply."""
        body = {"kind": "dispute", **self.at(0), "summary": "两人争吵", "needed": needed, **more}
        answer = await self.ask("dispatch.open_incident", body)
        assert answer.status == 200, answer.body
        return answer.body

    async def respond(self, offer: Mapping[str, Any], answer: str) -> Answer:
        """The unit that was offered a task answers."""
        body = {"task": offer["task"], "answer": answer}
        return await self.ask("dispatch.respond", body, principal=str(offer["unit"]))

    async def incident(self, incident: str) -> dict[str, Any]:
        """An incident as dispatch tells it now."""
        return (await self.ask("dispatch.incident", {"incident": incident})).body

    async def offer_to(self, incident: str, word: str) -> dict[str, Any]:
        """The live task of a unit for an incident, as soon as there is one."""

        async def found() -> dict[str, Any] | None:
            tasks = (await self.incident(incident))["tasks"]
            wanted = (t for t in tasks if t["unit"] == self.unit(word) and t["status"] == "offered")
            return next(wanted, None)

        return await eventually(found)  # type: ignore[no-any-return]

    async def facts(self, subject: str) -> list[Kept]:
        """Facts that dispatch told, by the part of their subject after `dispatch.`."""
        return await kept(self.connection, "DISPATCH", f"dispatch.{subject}")

    async def steps(self, task: str) -> list[str]:
        """What the facts say has become of a task, in order."""
        return [fact.subject.split(".")[2] for fact in await self.facts(f"task.*.v1.*.{task}")]


def left_out(said: Mapping[str, Any]) -> dict[str, str]:
    """Who was left out and why, by the last word of the unit's name."""
    return {entry["unit"].rpartition("-")[2]: entry["reason"] for entry in said["left_out"]}


def offered(said: Mapping[str, Any]) -> list[str]:
    """Who was offered it, by the last word of the unit's name."""
    return [offer["unit"].rpartition("-")[2] for offer in said["tasks"]]

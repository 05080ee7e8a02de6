"""Live positions coming in from location's feed: dispatch's own index, so that it can decide while others are away."""

import asyncio

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shouwang.common.geo import GeoIndex
from shouwang.common.telemetry import log
from shouwang.contracts.location import CellFrame, FeedRefreshed, RefreshFeed


class UnitShown(msgspec.Struct, gc=False):
    """A unit in a frame (contract `UnitInCell`), as far as dispatch needs it."""

    unit: str
    kind: str
    lat: float
    lon: float
    time: float


class Frame(msgspec.Struct, gc=False):
    """A frame (contract `CellFrame`), decoded the fast way; a test holds the two together."""

    cell: str
    at: float
    units: list[UnitShown]
    full: bool = False
    left: list[str] = []


_decode = msgspec.json.Decoder(Frame).decode


class Feed:
    """Follows every frame; asks for everything anew at the start and whenever the broker was away."""

    def __init__(self, index: GeoIndex) -> None:
        self.index = index
        self.kinds: dict[str, str] = {}
        self.complete = False
        self._cell_of: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}

    async def follow(self, broker: Client) -> None:
        """Subscribe, then keep the index complete for as long as the service runs."""
        await broker.subscribe(CellFrame.subject(r5="*", r7="*"), cb=self._take)
        reconnects = -1
        while True:
            if broker.is_connected and reconnects != broker.stats["reconnects"]:
                self.complete = False
                if await self._refresh(broker):
                    reconnects, self.complete = broker.stats["reconnects"], True
            await asyncio.sleep(0.5)

    async def _refresh(self, broker: Client) -> bool:
        try:
            answer = await broker.request(RefreshFeed.subject("dispatch"), b"{}", timeout=5)
            frames = FeedRefreshed.model_validate_json(answer.data).frames
        except (NatsError, ValueError) as error:  # location is away: what is known is kept, and it is asked again
            log.info("the feed is not refreshed yet", error=f"{type(error).__name__}: {error}")
            return False
        log.info("the feed is complete", frames=frames, units=len(self.index))
        return True

    async def _take(self, msg: Msg) -> None:
        try:
            self.apply(_decode(msg.data))
        except msgspec.MsgspecError as error:
            log.warning("a frame could not be read", subject=msg.subject, error=str(error))

    def apply(self, frame: Frame) -> None:
        """Bring the index to what a frame says. Frames of different cells may overtake each other: times decide."""
        for shown in frame.units:
            self._show(shown, frame.cell)
        gone = set(frame.left)
        if frame.full:
            gone |= self._members.get(frame.cell, set()) - {shown.unit for shown in frame.units}
        for unit in gone:
            if self._cell_of.get(unit) == frame.cell:  # else it has been told in another cell already
                self._hide(unit)

    def _show(self, shown: UnitShown, cell: str) -> None:
        slot = self.index.slots.get(shown.unit)
        if slot is not None and self.index.time[slot] > shown.time:
            return
        before = self._cell_of.get(shown.unit)
        if before != cell:
            if before is not None:
                self._members[before].discard(shown.unit)
            self._members.setdefault(cell, set()).add(shown.unit)
            self._cell_of[shown.unit] = cell
        self.index.put(shown.unit, shown.lat, shown.lon, shown.time)
        self.kinds[shown.unit] = shown.kind

    def _hide(self, unit: str) -> None:
        self._members[self._cell_of.pop(unit)].discard(unit)
        self.index.drop(unit)
        self.kinds.pop(unit, None)

"""Live positions coming in from location's feed: dispatch's own index, so that it can decide while others are away."""

import asyncio
import time

import msgspec
import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shouwang.common.geo import GeoIndex, cell_at
from shouwang.common.telemetry import log
from shouwang.contracts.location import CellFrame, FeedRefreshed, RefreshFeed
from shouwang.dispatch import SERVICE

LOOK_S = 0.5
FORGET_EVERY_S = 60.0


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


class Follower:
    """Follows every frame; asks for everything anew at the start and whenever the broker was away.

    Args:
        forget_s: a unit whose last fix is older than this is dropped: its farewell was missed.
    """

    def __init__(self, index: GeoIndex, forget_s: float) -> None:
        self.index = index
        self.kinds: dict[str, str] = {}
        self._forget_s = forget_s
        self._cell_of: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}

    async def follow(self, broker: Client) -> None:
        """Subscribe, then keep the index complete for as long as the service runs."""
        await broker.subscribe(CellFrame.subject(r5="*", r7="*"), cb=self._take)
        complete_since = -1
        forgot_at = 0.0
        while True:
            reconnects = broker.stats["reconnects"]
            if broker.is_connected and reconnects != complete_since and await self._refresh(broker):
                complete_since = reconnects
            if time.time() - forgot_at > FORGET_EVERY_S:
                forgot_at = time.time()
                self.forget(forgot_at)
            await asyncio.sleep(LOOK_S)

    async def _refresh(self, broker: Client) -> bool:
        try:
            answer = await broker.request(RefreshFeed.subject(SERVICE), b"{}", timeout=5)
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
        newest: dict[str, UnitShown] = {}
        for shown in frame.units:
            if self._is_newer(shown) and (shown.unit not in newest or newest[shown.unit].time <= shown.time):
                newest[shown.unit] = shown
        self._show(list(newest.values()), frame.cell)
        gone = set(frame.left)
        if frame.full:
            gone |= self._members.get(frame.cell, set()) - {shown.unit for shown in frame.units}
        for unit in gone:
            if self._cell_of.get(unit) == frame.cell:  # else it has been told in another cell already
                self._hide(unit)

    def forget(self, now: float) -> None:
        """Drop whoever has not been heard of for too long."""
        index = self.index
        for slot in np.flatnonzero((index.cell != 0) & (index.time < now - self._forget_s)).tolist():
            unit = index.units[slot]
            if unit is not None:
                self._hide(unit)

    def _is_newer(self, shown: UnitShown) -> bool:
        slot = self.index.slots.get(shown.unit)
        return slot is None or bool(self.index.time[slot] <= shown.time)

    def _show(self, units: list[UnitShown], cell: str) -> None:
        if not units:
            return
        lats, lons = np.array([u.lat for u in units]), np.array([u.lon for u in units])
        cells = np.array([cell_at(u.lat, u.lon) for u in units], dtype=np.uint64)
        slots = self.index.slots_for([u.unit for u in units])
        self.index.place(slots, lats, lons, np.array([u.time for u in units]), cells)
        for shown in units:
            self.kinds[shown.unit] = shown.kind
            before = self._cell_of.get(shown.unit)
            if before != cell:
                if before is not None:
                    self._leave(shown.unit, before)
                self._members.setdefault(cell, set()).add(shown.unit)
                self._cell_of[shown.unit] = cell

    def _hide(self, unit: str) -> None:
        self._leave(unit, self._cell_of.pop(unit))
        self.index.drop(unit)
        self.kinds.pop(unit, None)

    def _leave(self, unit: str, cell: str) -> None:
        members = self._members[cell]
        members.discard(unit)
        if not members:
            del self._members[cell]

"""Live positions by place: one frame a feed cell of who changed in it, and counts that name nobody.

The subject carries the cell and its area (`location.cell.v1.<r5>.<r7>`), so the broker itself sends each subscriber
what it asked for, or may have, and nothing else.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec
import numpy as np
from nats.aio.client import Client
from numpy.typing import NDArray

from shouwang.common.geo import AREA_RES, FEED_RES, parent, token
from shouwang.contracts.location import CellCount, CellFrame
from shouwang.location.domain.whereabouts import Whereabouts
from shouwang.location.metrics import Metrics

_encode = msgspec.json.Encoder().encode
EMPTY_TOLD_S = 3600.0
PORTION = 10_000
"""Units told in one go: about 0.1 s of work."""


class Feed:
    """Remembers which cell each unit was last told in, so that a cell it has left is told so."""

    def __init__(self, whereabouts: Whereabouts, metrics: Metrics) -> None:
        self._whereabouts, self._metrics = whereabouts, metrics
        self._members: dict[int, dict[str, int]] = {}  # feed cell -> unit -> slot
        self._cell_of: dict[str, int] = {}
        self._changed: set[int] = set()
        self._recount: set[int] = set()
        self._farewells: dict[int, list[str]] = {}  # feed cell -> units taken away from it and not told yet
        self._emptied: dict[int, float] = {}  # feed cell -> when its last unit left

    def changed(self, slots: NDArray[np.int64]) -> None:
        """These slots have a new position."""
        self._changed.update(slots.tolist())

    def remember(self, slots: NDArray[np.int64]) -> None:
        """These were told where they are by an earlier process: who has gone since is taken away from there."""
        for slot in slots.tolist():
            unit = self._whereabouts.index.units[slot]
            assert unit is not None
            self._enter(unit, slot, parent(self._whereabouts.index.cell.item(slot), FEED_RES))

    def frames(self, now: float) -> list[tuple[str, bytes]]:
        """Messages for what has changed and was not told yet, `(subject, body)`, one a cell; a part of very much."""
        index = self._whereabouts.index
        units: dict[int, list[dict[str, Any]]] = {}
        left, self._farewells = self._farewells, {}
        portion = set(islice(self._changed, PORTION))
        self._changed -= portion
        for slot in portion:
            unit, cell = index.units[slot], index.cell.item(slot)
            if unit is None or not cell:
                continue  # gone again since
            feed_cell = parent(cell, FEED_RES)
            before = self._cell_of.get(unit)
            if before != feed_cell:
                self._move(unit, slot, before, feed_cell, now, left)
            units.setdefault(feed_cell, []).append(self._shown(slot))
        return [self._frame(c, now, units.get(c, []), self._gone_from(c, left)) for c in units.keys() | left.keys()]

    def gone(self, unit: str, now: float) -> tuple[str, bytes] | None:
        """The message that a unit is no longer shown."""
        cell = self._cell_of.pop(unit, None)
        if cell is None:
            return None
        self._leave(unit, cell, now)
        return self._frame(cell, now, [], [unit])

    def take_away(self, unit: str, now: float) -> None:
        """A unit is no longer shown, though it may just have moved: its cell is told with the next frames.

        Not at once: a frame that shows it may be on its way, and would show it again if it came later.
        """
        cell = self._cell_of.pop(unit, None)
        if cell is not None:
            self._leave(unit, cell, now)
            self._farewells.setdefault(cell, []).append(unit)

    def full_frames(self, now: float) -> Iterator[tuple[str, bytes]]:
        """A message for every cell that names everybody in it: for who has just begun to listen, or missed something.

        Cells that were left by all within the hour are told too, as empty: their last farewell may have been missed.
        """
        self._emptied = {cell: left for cell, left in self._emptied.items() if now - left < EMPTY_TOLD_S}
        for cell in self._members.keys() | self._emptied.keys():
            shown = [self._shown(slot) for slot in self._members.get(cell, {}).values()]
            yield self._frame(cell, now, shown, [], full=True)

    def counts(self, now: float, *, everywhere: bool = False) -> list[tuple[str, bytes]]:
        """Messages with the number of units by kind, for the cells that somebody entered or left."""
        cells = self._members.keys() | self._emptied.keys() | self._recount if everywhere else self._recount
        self._recount = set()
        messages = []
        for cell in cells:
            units = self._members.get(cell, {})
            kinds = Counter(self._whereabouts.kind_of(unit) for unit in units)
            body = {"cell": token(cell), "at": now, "count": len(units), "by_kind": kinds}
            messages.append((CellCount.subject(**_tokens(cell)), _encode(body)))
        return messages

    async def send(self, broker: Client, messages: Iterable[tuple[str, bytes]]) -> int:
        """Publish, and say how many it was; while the broker is away nothing is kept, the next frame says it better."""
        sent = 0
        if broker.is_connected:
            for subject, body in messages:
                await broker.publish(subject, body)
                await asyncio.sleep(0)  # everybody's frames are much work: let reports in between
                sent += 1
            self._metrics.frames.inc(sent)
        return sent

    def _move(
        self, unit: str, slot: int, before: int | None, cell: int, now: float, left: dict[int, list[str]]
    ) -> None:
        if before is not None:
            self._leave(unit, before, now)
            left.setdefault(before, []).append(unit)
        self._enter(unit, slot, cell)

    def _gone_from(self, cell: int, left: dict[int, list[str]]) -> list[str]:
        return [unit for unit in left.get(cell, ()) if self._cell_of.get(unit) != cell]  # else it has come back

    def _enter(self, unit: str, slot: int, cell: int) -> None:
        self._members.setdefault(cell, {})[unit] = slot
        self._emptied.pop(cell, None)
        self._cell_of[unit] = cell
        self._recount.add(cell)

    def _leave(self, unit: str, cell: int, now: float) -> None:
        del self._members[cell][unit]
        if not self._members[cell]:
            del self._members[cell]
            self._emptied[cell] = now
        self._recount.add(cell)

    def _shown(self, slot: int) -> dict[str, Any]:
        known = self._whereabouts.known(slot)
        shown = {"unit": known.unit, "kind": known.kind, "lat": known.lat, "lon": known.lon, "time": known.time}
        if known.accuracy_m == known.accuracy_m:  # not NaN
            shown["accuracy_m"] = known.accuracy_m
        if known.battery_pct == known.battery_pct:
            shown["battery_pct"] = known.battery_pct
        return shown

    def _frame(
        self, cell: int, now: float, units: list[dict[str, Any]], left: list[str], *, full: bool = False
    ) -> tuple[str, bytes]:
        body = {"cell": token(cell), "at": now, "full": full, "units": units, "left": left}
        return CellFrame.subject(**_tokens(cell)), _encode(body)


@lru_cache(maxsize=65_536)
def _tokens(cell: int) -> dict[str, str]:
    return {"r5": token(parent(cell, AREA_RES)), "r7": token(cell)}

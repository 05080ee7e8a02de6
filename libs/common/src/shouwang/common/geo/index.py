"""Where every unit is: numpy arrays by slot, and a set of slots for each H3 index cell."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop
from itertools import count, islice
from typing import NamedTuple, cast

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from .cells import INDEX_RES, cell_at, parent
from .region import Region
from .sphere import distance_m, distances_m

# No point of an index cell is farther than this from the cell's centre, anywhere on earth. H3 draws equal hexagons on
# the faces of an icosahedron and projects them gnomonically, which shrinks them away from the face centre: the 20 face
# centres have the largest cells, 221.173 m from centre to corner (along the icosahedron's edges <= 206 m, around
# pentagons <= 173 m; measured with h3 4.5, and again by the tests). The margin of 0.8 m pays for rounding.
R_MAX_M = 222.0

# Looking at one more cell (its centre, its members) is worth measuring this many units: found best for 100 to 100,000
# units, dense and sparse. A walk that would look at more cells measures everybody at once.
UNITS_PER_CELL = 64


class Position(NamedTuple):
    """Where a unit is: degrees, epoch seconds of the fix, H3 index cell."""

    unit: str
    lat: float
    lon: float
    time: float
    cell: int


class Near(NamedTuple):
    """A `Position` with its great-circle distance from the point asked about."""

    unit: str
    lat: float
    lon: float
    time: float
    cell: int
    distance_m: float


class GeoIndex:
    """Tracked units by place. Not for threads: one event loop owns it.

    A unit has a slot, a row of the arrays. `lat`, `lon` (degrees), `time` (epoch seconds of the fix) and `cell` (uint64
    index cell) may be read by slot; growing replaces them, so do not keep a reference to one. A slot that is free, or
    reserved for a unit without a position, has cell 0 and belongs to no set of `cells`.
    """

    def __init__(self) -> None:
        self.slots: dict[str, int] = {}
        self.units: list[str | None] = []
        self.cells: dict[int, set[int]] = {}
        self.lat: NDArray[np.float64] = np.empty(0)
        self.lon: NDArray[np.float64] = np.empty(0)
        self.time: NDArray[np.float64] = np.empty(0)
        self.cell: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        self._free: list[int] = []
        self._placed = 0

    def __len__(self) -> int:
        """How many units have a position."""
        return self._placed

    def __contains__(self, unit: str) -> bool:
        """Whether a unit has a position."""
        slot = self.slots.get(unit)
        return slot is not None and bool(self.cell[slot])

    def put(self, unit: str, lat: float, lon: float, time: float) -> None:
        """Set where one unit is: degrees, epoch seconds. For many, `slots_for` and `place` are far faster."""
        cells = np.array([cell_at(lat, lon)], dtype=np.uint64)
        self.place(self.slots_for([unit]), np.array([lat]), np.array([lon]), np.array([time]), cells)

    def slots_for(self, units: Sequence[str]) -> NDArray[np.int64]:
        """The slot of each unit, shape (n,). A new unit gets one, with time -inf and cell 0 until it is placed."""
        try:
            return np.fromiter(map(self.slots.__getitem__, units), dtype=np.int64, count=len(units))
        except KeyError:  # seldom, so one pass is enough for most batches
            for unit in units:
                if unit not in self.slots:
                    self._claim(unit)
            return self.slots_for(units)

    def place(
        self,
        slots: NDArray[np.int64],
        lats: NDArray[np.float64],
        lons: NDArray[np.float64],
        times: NDArray[np.float64],
        cells: NDArray[np.uint64],
    ) -> NDArray[np.bool_]:
        """Set where a batch of units is and say which of them are now in another index cell (a first place is one).

        All arrays have shape (n,). No slot may be there twice, and `cells` must be the index cells of the positions;
        neither is checked, being what callers vectorise. Older fixes are not refused: compare with `time` before.
        Raises ValueError, changing nothing, if a cell is 0.
        """
        if not cells.all():
            raise ValueError("cell 0 is no place")
        old = self.cell[slots]
        changed: NDArray[np.bool_] = old != cells
        self.lat[slots], self.lon[slots], self.time[slots], self.cell[slots] = lats, lons, times, cells
        for slot, was, now in zip(slots[changed].tolist(), old[changed].tolist(), cells[changed].tolist(), strict=True):
            if was:
                self._leave(was, slot)
            else:
                self._placed += 1
            self.cells.setdefault(now, set()).add(slot)
        return changed

    def drop(self, unit: str) -> bool:
        """Forget a unit and free its slot. Says whether it had a position."""
        slot = self.slots.pop(unit, None)
        if slot is None:
            return False
        was = int(self.cell[slot])
        if was:
            self._leave(was, slot)
            self._placed -= 1
        self.units[slot] = None
        self.lat[slot] = self.lon[slot] = np.nan
        self.time[slot] = -np.inf
        self.cell[slot] = 0
        self._free.append(slot)
        return was != 0

    def position(self, unit: str) -> Position | None:
        """Where a unit is, or None if it is unknown or not placed yet."""
        return self._positions(self.slots_for([unit]))[0] if unit in self else None

    def walk(self, lat: float, lon: float, max_m: float = math.inf) -> Iterator[Near]:
        """All units within `max_m` of a point (degrees), nearest first: exact, equal distances by name, lazily.

        The index must not be changed while a walk is being consumed.
        """
        # A great circle from the point to any unit outside the rings looked at so far crosses a cell of the next ring.
        # There it is at most R_MAX_M from that cell's centre, so the unit is at least `bound` away, and whatever has
        # been found nearer than that can be handed out: nobody unseen comes before it.
        found: list[tuple[float, str, int]] = []
        given: list[int] = []
        looked_at = 0
        for ring in _rings(lat, lon):
            if found or max_m < math.inf:
                bound = _bound_m(lat, lon, ring)
                while found and found[0][0] < bound:
                    distance, _, slot = heappop(found)
                    given.append(slot)
                    yield self._near(slot, distance)
                if bound > max_m:
                    return
            looked_at += len(ring)
            if looked_at * UNITS_PER_CELL > len(self):
                break
            found += self._measured(lat, lon, max_m, self._members(ring))
            heapify(found)
        yield from self._walk_rest(lat, lon, max_m, given)

    def nearest(
        self, lat: float, lon: float, k: int, max_m: float = math.inf, where: Callable[[Near], bool] | None = None
    ) -> list[Near]:
        """The first `k` units of `walk` that `where` accepts, or all there are. Raises ValueError if k < 0."""
        return list(islice(filter(where, self.walk(lat, lon, max_m)), k))

    def inside(self, region: Region) -> list[Position]:
        """The units in a region (its outline included), in no particular order.

        For a region that is asked about often, call its `cells()` once: then only its own cells are looked at.
        """
        return self._positions(self._slots_in(region))

    def counts(self, res: int, region: Region | None = None) -> dict[int, int]:
        """How many units there are by cell of a resolution (0..9), in a region or everywhere; empty cells are left out.

        A unit counts for the index ancestor of its index cell (DESIGN §4). Raises ValueError if `res` is not 0..9.
        """
        if not 0 <= res <= INDEX_RES:
            raise ValueError(f"resolution {res} is outside 0..{INDEX_RES}")
        if region is None:
            numbers = {cell: len(slots) for cell, slots in self.cells.items()}
        else:
            numbers = Counter(self.cell[self._slots_in(region)].tolist())
        totals: Counter[int] = Counter()
        for cell, number in numbers.items():
            totals[parent(cell, res)] += number
        return dict(totals)

    def _claim(self, unit: str) -> None:
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self.slots[unit] = slot
        self.units[slot] = unit

    def _grow(self) -> None:
        size = len(self.units)
        more = max(1024, size)
        self.units += [None] * more
        self.lat = np.append(self.lat, np.full(more, np.nan))
        self.lon = np.append(self.lon, np.full(more, np.nan))
        self.time = np.append(self.time, np.full(more, -np.inf))
        self.cell = np.append(self.cell, np.zeros(more, dtype=np.uint64))
        self._free += range(size + more - 1, size - 1, -1)

    def _leave(self, cell: int, slot: int) -> None:
        members = self.cells[cell]
        members.remove(slot)
        if not members:
            del self.cells[cell]

    def _members(self, cells: Iterable[int]) -> NDArray[np.int64]:
        return np.array([slot for cell in cells if cell in self.cells for slot in self.cells[cell]], dtype=np.int64)

    def _names(self, slots: NDArray[np.int64]) -> list[str]:
        return cast("list[str]", [self.units[slot] for slot in slots.tolist()])

    def _positions(self, slots: NDArray[np.int64]) -> list[Position]:
        columns = (array[slots].tolist() for array in (self.lat, self.lon, self.time, self.cell))
        return list(map(Position, self._names(slots), *columns))

    def _near(self, slot: int, distance: float) -> Near:
        unit = cast("str", self.units[slot])
        return Near(
            unit, self.lat.item(slot), self.lon.item(slot), self.time.item(slot), self.cell.item(slot), distance
        )

    def _measured(self, lat: float, lon: float, max_m: float, slots: NDArray[np.int64]) -> list[tuple[float, str, int]]:
        distances = distances_m(lat, lon, self.lat[slots], self.lon[slots])
        rows = zip(distances.tolist(), self._names(slots), slots.tolist(), strict=True)
        return [row for row in rows if row[0] <= max_m]

    def _walk_rest(self, lat: float, lon: float, max_m: float, given: list[int]) -> Iterator[Near]:
        left = self.cell != 0
        left[given] = False
        slots = np.flatnonzero(left)
        distances = distances_m(lat, lon, self.lat[slots], self.lon[slots])
        size = 32  # most walks end early: sort the nearest few, and more only if they are asked for
        while slots.size:
            limit = np.partition(distances, size)[size] if size < slots.size else np.inf
            first = distances <= min(limit, max_m)
            chosen = slots[first]
            rows = zip(distances[first].tolist(), self._names(chosen), chosen.tolist(), strict=True)
            for distance, _, slot in sorted(rows):
                yield self._near(slot, distance)
            if limit >= max_m:
                return
            slots, distances, size = slots[~first], distances[~first], size * 8

    def _slots_in(self, region: Region) -> NDArray[np.int64]:
        if not region.has_cells:
            # For one question, testing everybody in its bounding box is sooner done than making cells.
            slots = np.flatnonzero(self.cell)
            return slots[region.contains(self.lat[slots], self.lon[slots])]
        inner, border = (self._members(cells & self.cells.keys()) for cells in region.cells())
        return np.concatenate([inner, border[region.contains(self.lat[border], self.lon[border])]])


def _rings(lat: float, lon: float) -> Iterator[list[int]]:
    # The first seven cells come together: the bound before the second ring almost never lets anybody through.
    # h3 4.5 draws a ring rightly around and across pentagons too (the tests compare it with disks).
    start = cell_at(lat, lon)
    yield h3.grid_disk(start, 1)
    for radius in count(2):
        yield h3.grid_ring(start, radius)


def _bound_m(lat: float, lon: float, ring: list[int]) -> float:
    return min(distance_m(lat, lon, *h3.cell_to_latlng(cell)) for cell in ring) - R_MAX_M

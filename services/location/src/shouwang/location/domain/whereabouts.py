"""Everybody's last known position, in memory: the one thing that reports change and questions read."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from h3ronpy.vector import coordinates_to_cells
from numpy.typing import NDArray

from shouwang.common.geo import INDEX_RES, GeoIndex
from shouwang.location.domain.fixes import Fixes, Floats, Limits, Verdict, judge, possible
from shouwang.location.domain.presence import Patience, Presence, presences


class Report(NamedTuple):
    """One report as the door understood it: degrees, epoch seconds; NaN where the phone said nothing."""

    unit: str
    lat: float
    lon: float
    time: float
    accuracy_m: float
    battery_pct: float
    kind: str | None


class Known(NamedTuple):
    """What is known of one unit."""

    unit: str
    kind: str
    lat: float
    lon: float
    time: float
    accuracy_m: float
    battery_pct: float
    presence: Presence


@dataclass(frozen=True)
class Applied:
    """What a batch has changed: the slots with a new position, and how many reports were refused, by reason."""

    slots: NDArray[np.int64]
    refused: Counter[str]


class Whereabouts:
    """Units by slot: `GeoIndex` holds the places, the arrays here what else a report says."""

    def __init__(self, limits: Limits, patience: Patience, default_kind: str) -> None:
        self.index = GeoIndex()
        self._limits, self._patience, self._default_kind = limits, patience, default_kind
        self._kind: list[str] = []
        self._rows: Floats = np.empty((6, 0))  # by slot: the columns named below
        self.presence: NDArray[np.int8] = np.empty(0, dtype=np.int8)

    def apply(self, reports: Sequence[Report], now: float) -> Applied:
        """Take what counts of a batch; a unit's later reports are judged after its earlier ones."""
        refused: Counter[str] = Counter()
        judged = [self._apply_once(turn, now, refused) for turn in _turns(self._possible(reports, now, refused))]
        slots = np.unique(np.concatenate(judged)) if judged else np.empty(0, dtype=np.int64)
        return Applied(slots, refused)

    def _possible(self, reports: Sequence[Report], now: float, refused: Counter[str]) -> Sequence[Report]:
        """Those that are on earth, and not from the future."""
        keep = possible(_fixes(reports), now, self._limits)
        if keep.all():
            return reports
        refused[Verdict.IMPOSSIBLE.name.lower()] += int((~keep).sum())
        return _pick(reports, keep)

    def _apply_once(self, reports: Sequence[Report], now: float, refused: Counter[str]) -> NDArray[np.int64]:
        """Judge and place a batch in which every unit stands at most once."""
        fixes, index = _fixes(reports), self.index
        slots = self._slots_for([report.unit for report in reports])
        known = Fixes(index.lat[slots], index.lon[slots], index.time[slots])
        verdicts = judge(fixes, known, Fixes(*self._rows[JUMP, slots]), now, self._limits)
        good = verdicts == Verdict.ACCEPTED
        if not good.all():
            self._refuse(reports, slots, verdicts, refused)
            reports, slots, fixes = _pick(reports, good), slots[good], fixes.where(good)
        self._place(reports, slots, fixes)
        return slots

    def _refuse(
        self, reports: Sequence[Report], slots: NDArray[np.int64], verdicts: NDArray[np.int8], refused: Counter[str]
    ) -> None:
        """Count the refused by reason, remember where a jump led, and leave no trace of who was not known before."""
        for verdict, count in zip(*np.unique(verdicts[verdicts != Verdict.ACCEPTED], return_counts=True), strict=True):
            refused[Verdict(verdict).name.lower()] += int(count)
        jumped = verdicts == Verdict.JUMP
        if jumped.any():
            to = _fixes(_pick(reports, jumped))
            self._rows[JUMP, slots[jumped]] = np.array([to.lat, to.lon, to.time])
        for report in _pick(reports, verdicts != Verdict.ACCEPTED):
            if report.unit not in self.index:
                self._drop(report.unit)

    def _place(self, reports: Sequence[Report], slots: NDArray[np.int64], fixes: Fixes) -> None:
        cells = np.asarray(coordinates_to_cells(fixes.lat, fixes.lon, INDEX_RES), dtype=np.uint64)
        self.index.place(slots, fixes.lat, fixes.lon, fixes.time, cells)
        self._rows[ACCURACY, slots] = [report.accuracy_m for report in reports]
        self._rows[BATTERY, slots] = [report.battery_pct for report in reports]
        self._rows[JUMP_TIME, slots] = -np.inf
        for slot, report in zip(slots.tolist(), reports, strict=True):
            if report.kind:
                self._kind[slot] = report.kind

    def restore(self, everybody: Sequence[Known]) -> None:
        """Put back what was known before a restart."""
        if not everybody:
            return
        slots = self._slots_for([known.unit for known in everybody])
        lat, lon, time = (np.array([known[i] for known in everybody]) for i in (2, 3, 4))
        cells = np.asarray(coordinates_to_cells(lat, lon, INDEX_RES), dtype=np.uint64)
        self.index.place(slots, lat, lon, time, cells)
        self._rows[ACCURACY, slots] = [known.accuracy_m for known in everybody]
        self._rows[BATTERY, slots] = [known.battery_pct for known in everybody]
        self._rows[SAVED_TIME, slots] = time
        self.presence[slots] = [known.presence for known in everybody]
        for slot, known in zip(slots.tolist(), everybody, strict=True):
            self._kind[slot] = known.kind

    def changes_of_presence(self, now: float, most: int, *, hearing: bool = True) -> list[Known]:
        """Units, at most so many, whose presence is no longer what was last said, with the presence they have now.

        Args:
            hearing: false while reports cannot reach us: then nobody's silence says anything.
        """
        placed = self.placed()
        wanted = presences(now - self.index.time[placed], self._patience)
        changed = wanted != self.presence[placed]
        if not hearing:
            changed &= wanted == Presence.ONLINE
        different = np.flatnonzero(changed)[:most]
        return [
            self.known(int(slot))._replace(presence=Presence(int(now_is)))
            for slot, now_is in zip(placed[different], wanted[different], strict=True)
        ]

    def said(self, changes: Sequence[Known]) -> None:
        """Remember that these presences were told; who is offline is no longer among those that are shown."""
        for change in changes:
            slot = self.index.slots.get(change.unit)
            if slot is None:
                continue
            self.presence[slot] = change.presence
            self._rows[SAVED_TIME, slot] = max(self._rows[SAVED_TIME, slot], change.time)  # it was saved with it
            if change.presence is Presence.OFFLINE and self.index.time[slot] <= change.time:
                self._drop(change.unit)

    def take_away(self, unit: str) -> None:
        """Show a unit no more, if it was shown, and keep nothing of it."""
        if unit in self.index.slots:
            self._drop(unit)

    def placed(self) -> NDArray[np.int64]:
        """The slots of everybody who is shown."""
        return np.flatnonzero(self.index.cell)

    def known(self, slot: int) -> Known:
        """What is known of the unit in a slot."""
        index, rows = self.index, self._rows
        unit = index.units[slot]
        assert unit is not None
        return Known(
            unit, self._kind[slot], float(index.lat[slot]), float(index.lon[slot]), float(index.time[slot]),
            float(rows[ACCURACY, slot]), float(rows[BATTERY, slot]), Presence(int(self.presence[slot])),
        )  # fmt: skip

    def unsaved(self, most: int) -> list[Known]:
        """Units, at most so many, that have a newer fix than was saved."""
        placed = self.placed()
        newer = np.flatnonzero(self.index.time[placed] > self._rows[SAVED_TIME, placed])[:most]
        return [self.known(slot) for slot in placed[newer].tolist()]

    def saved(self, everybody: Sequence[Known]) -> None:
        """Remember that these were saved."""
        for known in everybody:
            if (slot := self.index.slots.get(known.unit)) is not None:
                self._rows[SAVED_TIME, slot] = known.time

    def kind_of(self, unit: str) -> str:
        """The kind of a tracked unit."""
        return self._kind[self.index.slots[unit]]

    def _slots_for(self, units: list[str]) -> NDArray[np.int64]:
        slots = self.index.slots_for(units)
        if (short := len(self.index.time) - len(self._kind)) > 0:
            self._kind += [self._default_kind] * short
            self._rows = np.append(self._rows, np.repeat(_UNTOLD, short, axis=1), axis=1)
            self.presence = np.append(self.presence, np.zeros(short, dtype=np.int8))
        return slots

    def _drop(self, unit: str) -> None:
        slot = self.index.slots[unit]
        self.index.drop(unit)
        self._kind[slot] = self._default_kind
        self._rows[:, slot] = _UNTOLD[:, 0]
        self.presence[slot] = Presence.UNKNOWN


ACCURACY, BATTERY, JUMP, JUMP_TIME, SAVED_TIME = 0, 1, slice(2, 5), 4, 5
"""Rows of `Whereabouts._rows`: metres, percent, (lat, lon, time) of a suspected jump, time of the fix last saved."""

_UNTOLD = np.array([[np.nan], [np.nan], [np.nan], [np.nan], [-np.inf], [-np.inf]])


def _turns(reports: Sequence[Report]) -> list[list[Report]]:
    """Split a batch so that no unit stands twice in a part; nearly always there is one part."""
    turns: list[list[Report]] = []
    times_seen: Counter[str] = Counter()
    for report in reports:
        turn = times_seen[report.unit]
        times_seen[report.unit] += 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(report)
    return turns


def _fixes(reports: Sequence[Report]) -> Fixes:
    return Fixes(*(np.array([report[column] for report in reports], dtype=np.float64) for column in (1, 2, 3)))


def _pick(reports: Sequence[Report], keep: NDArray[np.bool_]) -> list[Report]:
    return [report for report, good in zip(reports, keep.tolist(), strict=True) if good]

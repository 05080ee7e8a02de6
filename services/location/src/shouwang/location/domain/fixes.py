"""Which position fixes count: a whole batch is judged at once, in arrays.

A fix is refused, with a reason that is counted, and changes nothing:

- `impossible`: not a place on earth, not a number, or from the future beyond what a phone's clock may be wrong by;
- `old`: not newer than what is known of the unit, or too old to be of use;
- `repeated`: the very fix that is known already (a phone that sends again);
- `jump`: so far from the last one that nobody moves that fast. If the next fix agrees with the jump, the unit
  really is there (the wrong one was the first), so a wild fix costs one report and never locks a unit out.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from shouwang.common.geo import distances_m

Floats = NDArray[np.float64]


class Verdict(IntEnum):
    """What becomes of a fix; 0 is accepted."""

    ACCEPTED = 0
    IMPOSSIBLE = 1
    OLD = 2
    REPEATED = 3
    JUMP = 4


@dataclass(frozen=True)
class Limits:
    """What is believed of a fix. Seconds, metres per second."""

    future_s: float = 60.0
    max_age_s: float = 600.0
    max_speed_mps: float = 70.0
    jump_m: float = 300.0  # below this a jump is ordinary noise of a phone between houses


@dataclass(frozen=True)
class Fixes:
    """Positions of units, row by row: shape (n,), degrees and epoch seconds."""

    lat: Floats
    lon: Floats
    time: Floats

    def where(self, mask: NDArray[np.bool_]) -> "Fixes":
        """The rows that a mask of shape (n,) picks."""
        return Fixes(self.lat[mask], self.lon[mask], self.time[mask])


def possible(fixes: Fixes, now: float, limits: Limits) -> NDArray[np.bool_]:
    """Whether each is a place on earth at a time that can be. NaN compares false, so it is impossible too."""
    return (
        (np.abs(fixes.lat) <= 90.0)
        & (np.abs(fixes.lon) <= 180.0)
        & (fixes.time <= now + limits.future_s)
        & (fixes.time >= 0.0)
    )


def judge(fixes: Fixes, known: Fixes, suspect: Fixes, now: float, limits: Limits) -> NDArray[np.int8]:
    """A `Verdict` for each possible fix.

    Args:
        known: the last accepted fix of the same unit; its time is -inf for a unit not known.
        suspect: the last fix of that unit that was refused as a jump; its time is -inf if there is none.
    """
    verdicts = np.zeros(len(fixes.time), dtype=np.int8)
    plausible = _reachable(fixes, known, limits) | _reachable(fixes, suspect, limits) | np.isneginf(known.time)
    verdicts[~plausible] = Verdict.JUMP
    verdicts[(fixes.time < known.time) | (fixes.time < now - limits.max_age_s)] = Verdict.OLD
    verdicts[fixes.time == known.time] = Verdict.REPEATED
    return verdicts


def _reachable(fixes: Fixes, origin: Fixes, limits: Limits) -> NDArray[np.bool_]:
    """Whether a unit can have come here from there in the time between; false where there is no origin."""
    seconds = np.where(np.isneginf(origin.time), np.nan, np.abs(fixes.time - origin.time))
    metres = distances_m(origin.lat, origin.lon, fixes.lat, fixes.lon)
    with np.errstate(invalid="ignore"):
        reachable: NDArray[np.bool_] = metres <= np.maximum(limits.jump_m, limits.max_speed_mps * seconds)
        return reachable & ~np.isnan(seconds)

"""Online, silent, offline: three things, told apart by the age of a unit's last fix."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Presence(IntEnum):
    """`UNKNOWN` is a unit that nothing has been said about yet."""

    UNKNOWN = 0
    ONLINE = 1
    SILENT = 2
    OFFLINE = 3


@dataclass(frozen=True)
class Patience:
    """How old a fix may be: then the unit is silent, then it is given up. Seconds."""

    silent_s: float = 120.0
    offline_s: float = 600.0


def presences(age_s: NDArray[np.float64], patience: Patience) -> NDArray[np.int8]:
    """The presence that each age stands for, shape (n,)."""
    steps = (age_s > patience.silent_s).astype(np.int8) + (age_s > patience.offline_s).astype(np.int8)
    return (Presence.ONLINE + steps).astype(np.int8)


def presence(age_s: float, patience: Patience) -> Presence:
    """The same for one unit."""
    return Presence(int(presences(np.array([age_s]), patience)[0]))

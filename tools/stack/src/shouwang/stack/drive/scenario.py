"""What a scenario gives to the drive: reports, calls and the habits of its people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Box = tuple[float, float, float, float]
"""south, west, north, east in degrees"""


@dataclass(frozen=True)
class Endpoints:
    """Where the suite is: the broker, and each service's `/metrics` page by service name."""

    nats: str
    metrics: Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """One call as the duty room types it in. A place that is no number goes out as it is and shall be refused."""

    ref: str
    kind: str
    lat: float | str
    lon: float | str
    summary: str
    label: str
    """few words for the live view, such as 韩田 打架"""
    needed: int = 1
    priority: str = "normal"
    outcome: str = "settled"


@dataclass(frozen=True)
class Behaviour:
    """How the people with the phones answer. What is neither accepted nor declined is left unanswered."""

    accept: float = 0.84
    decline: float = 0.11
    react_s: tuple[float, float] = (0.3, 1.5)
    handle_s: tuple[float, float] = (1.5, 4.0)


class Turn(NamedTuple):
    """A unit goes on duty, or off."""

    unit: str
    on: bool
    shift: str | None = None


class Dot(NamedTuple):
    """A unit on the map."""

    unit: str
    kind: str
    lat: float
    lon: float


class Scenario(Protocol):
    """Times are seconds since the start of the drive; `wall0_s` is its start in epoch seconds."""

    title: str
    behaviour: Behaviour
    box: Box
    landmarks: Sequence[tuple[str, float, float]]
    """names on the map, with lat and lon"""
    outline: Sequence[tuple[float, float]]
    """points of a border on the map, as lat and lon"""

    def reports(self, elapsed_s: float, wall0_s: float) -> Iterator[tuple[str, bytes]]:
        """Unit and body of every report that is due by now and was not given before.

        May be left off after any report, and is then asked again for the rest.
        """
        ...

    def calls(self, elapsed_s: float) -> Iterator[Call]:
        """Every call that is due by now and was not given before."""
        ...

    def turns(self, elapsed_s: float) -> Iterator[Turn]:
        """Every going on and off duty that is due by now and was not given before."""
        ...

    def turned(self, unit: str, *, on: bool) -> None:
        """The suite has put the unit on duty, or taken it off."""
        ...

    def owns(self, unit: str) -> bool:
        """Whether this scenario plays the unit. Others' tasks are not ours to answer."""
        ...

    def go(self, unit: str, lat: float, lon: float, distance_m: float, elapsed_s: float) -> float:
        """The unit has accepted and sets out. Returns in how many seconds it is there."""
        ...

    def release(self, unit: str, elapsed_s: float) -> None:
        """The unit is done with its task, or it was taken away."""
        ...

    def clock(self, elapsed_s: float) -> str:
        """The scenario's own time of day, HH:MM."""
        ...

    def dots(self, elapsed_s: float) -> list[Dot]:
        """Where the units are, for the map."""
        ...


def calling_s(seconds: float) -> float:
    """How long calls come in: all but the last fifth, at least 8 s, in which open tasks can be finished."""
    return max(seconds - max(8.0, 0.2 * seconds), 0.25 * seconds)

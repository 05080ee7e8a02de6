"""People on foot: positions as straight legs in time, so that where somebody is needs no small steps."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

M_PER_LAT_DEG = 110_800.0
M_PER_LON_DEG = 98_400.0
"""Lengths of a degree about Tangxia (DOMAIN §10.2); good to 1 % within a few hundred kilometres of it."""

ROUND = 1.01
"""Allows for that 1 %, so that who says "there" is there by the great circle too."""

Point = tuple[float, float]
"""lat, lon in degrees"""


def offset(origin: Point, east_m: float, north_m: float) -> Point:
    """The point so many metres to the east and north."""
    return origin[0] + north_m / M_PER_LAT_DEG, origin[1] + east_m / M_PER_LON_DEG


def metres(a: Point, b: Point) -> tuple[float, float]:
    """How far b is east and north of a."""
    return (b[1] - a[1]) * M_PER_LON_DEG, (b[0] - a[0]) * M_PER_LAT_DEG


def within(centre: Point, radius_m: float, rng: random.Random) -> Point:
    """A point of the circle, each part of it as likely as another."""
    away_m, angle = radius_m * math.sqrt(rng.random()), rng.uniform(0, math.tau)
    return offset(centre, away_m * math.cos(angle), away_m * math.sin(angle))


@dataclass
class Walker:
    """Walks from waypoint to waypoint of a beat; when called, goes to the place and stays there until released."""

    at: Point
    pace_mps: float
    next_waypoint: Callable[[], Point]
    since_s: float = 0.0
    target: Point | None = None
    called: bool = False

    def where(self, now_s: float) -> Point:
        """The position now; takes up the next leg when one is finished. `now_s` never goes back."""
        while True:
            if self.target is None:
                self.target = self.next_waypoint()
            east, north = metres(self.at, self.target)
            takes_s = math.hypot(east, north) / self.pace_mps
            if now_s < self.since_s + takes_s:
                share = max(0.0, now_s - self.since_s) / takes_s
                return offset(self.at, east * share, north * share)
            if self.called:
                return self.target
            self.at, self.since_s, self.target = self.target, self.since_s + max(takes_s, 0.1), None

    def heading_deg(self) -> float:
        """Where the current leg leads, clockwise from north."""
        east, north = metres(self.at, self.target) if self.target else (0.0, 0.0)
        return math.degrees(math.atan2(east, north)) % 360

    def go(self, place: Point, now_s: float, near_m: float) -> float:
        """Called: from here to the place. Returns in how many seconds it is near."""
        self.at, self.since_s, self.target, self.called = self.where(now_s), now_s, place, True
        return max(0.0, math.hypot(*metres(self.at, place)) * ROUND - near_m) / self.pace_mps

    def moves(self, now_s: float) -> bool:
        """Not standing at the place it was called to."""
        return not self.called or self.where(now_s) != self.target

    def release(self, now_s: float) -> None:
        """Back to the beat."""
        if self.called:
            self.at, self.since_s, self.target, self.called = self.where(now_s), now_s, None, False

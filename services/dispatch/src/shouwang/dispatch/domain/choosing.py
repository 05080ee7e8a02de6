"""Who is offered an incident: the soonest there of those who can go, and why each of the others was left out.

The rules are DESIGN §5: candidates come by growing rings, whoever cannot go is dropped with the reason kept, the
rest is ranked by expected travel time.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from shouwang.common.geo import Near


class Reason(StrEnum):
    """Why a unit was chosen, or left out though it was nearer than one who was chosen."""

    NEAREST = "nearest"
    BUSY = "busy"
    SILENT = "silent"
    OFFLINE = "offline"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    TASK_ENDED = "task_ended"
    TAKEN = "taken"
    OFFERED = "offered"
    UNKNOWN_MEMBER = "unknown_member"
    NOT_CLEARED = "not_cleared"
    OFF_DUTY = "off_duty"


@dataclass(frozen=True)
class Rules:
    """The settings that choosing depends on. Metres, seconds, metres per second."""

    fresh_s: float = 120.0
    reach_m: float = 10_000.0
    speed_mps: float = 1.3
    speeds_mps: Mapping[str, float] = field(default_factory=dict)
    offer_s: float = 30.0
    again_s: float = 120.0
    retry_s: float = 2.0

    def wait_s(self, short_for_s: float) -> float:
        """When an incident that lacks hands for so long is tried again: soon at first, then ever less often."""
        return max(self.retry_s, min(short_for_s / 4, 60.0))

    def travel_s(self, kind: str, distance_m: float) -> float:
        """How long a unit of this kind needs for a distance."""
        return distance_m / self.speeds_mps.get(kind, self.speed_mps)

    @property
    def fastest_mps(self) -> float:
        """The speed of the fastest kind: nobody beyond a distance can be there sooner than it allows."""
        return max(self.speed_mps, *self.speeds_mps.values()) if self.speeds_mps else self.speed_mps


@dataclass(frozen=True)
class Standing:
    """What is known of a unit beside its place: its kind, and what keeps it from going, if anything does.

    That is a `Reason`, or a code of training's own (`domain/eligibility.py`).
    """

    kind: str
    prevented: str | None = None


@dataclass(frozen=True)
class Choice:
    """Who was chosen, soonest first, and who was left out though sooner."""

    chosen: list[Near]
    left_out: list[tuple[str, str]]
    horizon_s: float
    """The travel time of the last one chosen; infinite while somebody is missing."""


def choose(near: Sequence[Near], standings: Mapping[str, Standing], needed: int, now: float, rules: Rules) -> Choice:
    """Take the `needed` soonest of those who can go.

    Args:
        near: everybody looked at; each has a standing.
        now: epoch seconds, to tell how old each fix is.
    """
    ranked = sorted(near, key=lambda n: (rules.travel_s(standings[n.unit].kind, n.distance_m), n.unit))
    chosen: list[Near] = []
    left_out: list[tuple[str, str]] = []
    for candidate in ranked:
        if len(chosen) == needed:
            break
        reason = why_not(candidate, standings[candidate.unit], now, rules)
        if reason is None:
            chosen.append(candidate)
        else:
            left_out.append((candidate.unit, reason))
    full = len(chosen) == needed
    last = rules.travel_s(standings[chosen[-1].unit].kind, chosen[-1].distance_m) if full and chosen else math.inf
    return Choice(chosen, left_out, last)


def why_not(candidate: Near, standing: Standing, now: float, rules: Rules) -> str | None:
    """What keeps this unit from going; None if nothing does."""
    if standing.prevented is not None:
        return standing.prevented
    return Reason.SILENT if now - candidate.time > rules.fresh_s else None


def is_settled(choice: Choice, looked_to_m: float, rules: Rules) -> bool:
    """True if nobody farther away than what was looked at could be there sooner than those chosen."""
    return choice.horizon_s <= looked_to_m / rules.fastest_mps


def soonest(everybody: Iterable[Near], kinds: Mapping[str, str], left_out: Iterable[str], rules: Rules) -> float:
    """The least travel time of anybody not left out, looked for the slow way: one by one.

    Used to check the choice against (`SHOUWANG_CHECK_NEAREST`).
    """
    out = set(left_out)
    times = (rules.travel_s(kinds.get(n.unit, ""), n.distance_m) for n in everybody if n.unit not in out)
    return min(times, default=math.inf)

"""What a roster is planned from, and what comes of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from shouwang.training.domain.people import Person
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.rest import Held, overlaps_daily
from shouwang.training.domain.shifts import Shift


@dataclass(frozen=True)
class Wish:
    """Shifts of some weekdays (0 is Monday; none named: of all) in some hours of the day (none named: in all)."""

    weekdays: frozenset[int] = frozenset()
    hours: tuple[int, int] | None = None
    """local minutes of the day from-to; `to` may pass midnight"""

    def fits(self, shift: Shift) -> bool:
        """Whether a shift is one of those."""
        if self.weekdays and shift.duty_date.weekday() not in self.weekdays:
            return False
        return self.hours is None or overlaps_daily(shift.start, shift.end, *self.hours)


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be put on the roster, and what is known of their time."""

    person: Person
    held: tuple[Held, ...] = ()
    """whoever holds them. If it names a shift of this roster, they stand on that shift already, as if it was `kept`"""
    served_min: int = 0
    """lately: fairness looks at it"""
    most: int | None = None
    """shifts of this roster, those kept included"""
    prefers: tuple[Wish, ...] = ()
    avoids: tuple[Wish, ...] = ()
    declined: frozenset[str] = frozenset()
    """shifts that they are never put on again"""

    @property
    def member(self) -> str:
        """Who it is."""
        return self.person.member

    def displeasure(self, shift: Shift) -> int:
        """0 for a shift they prefer, 2 for one they avoid, else 1."""
        if any(wish.fits(shift) for wish in self.avoids):
            return 2
        return 0 if any(wish.fits(shift) for wish in self.prefers) else 1


@dataclass(frozen=True)
class Commitment:
    """单位承诺: a member unit gives people for so many shifts of this roster, and for no more.

    Its own posts are no gift and do not count.
    """

    organisation: str
    shifts: int = 1


@dataclass(frozen=True)
class Weights:
    """What fairness and wishes weigh against each other. Filling and commitments come first and are not weighed."""

    wish_percent: int = 25
    """Of what a shift costs in fairness if it goes to somebody who has done one shift more than another. Below 50, a
    whole shift of difference outweighs any wish, and a wish outweighs the odd minutes."""


class Status(StrEnum):
    """How good a plan is known to be."""

    OPTIMAL = "optimal"
    """none is better"""
    FEASIBLE = "feasible"
    """it breaks nothing; a better one may exist"""


@dataclass(frozen=True)
class Unfilled:
    """A shift short of its minimum, and why nobody else can take it: remaining people, each under one reason.

    Of a shift that may not be held at all: its own reasons, each with the places it costs.
    """

    shift: str
    missing: int
    why: Mapping[Reason, int]


@dataclass(frozen=True)
class Figures:
    """What an organiser, or who tunes this, wants to know of a plan."""

    status: Status
    places: int
    """asked: the minimum of every shift, less who stood there before"""
    missing: int
    """of these"""
    pairs: int
    """of a person and a shift (of a slot of like ones) that were open"""
    blocks: int
    """problems that were given to the solver"""
    objective: int
    """unfairness and displeasure; only comparable between plans of the same input"""
    bound: int | None
    """which no plan with as few places missing can be below; None if the roster was too large to prove any"""
    spread_min: int
    """most less least minutes, served and planned, of those who could be put on anything"""
    build_s: float
    solve_s: float
    explain_s: float
    dropped: int = 0
    """placings that the solver proposed and the rules forbade: a bug if it is not 0"""


@dataclass(frozen=True)
class Plan:
    """Who is to stand where, beside those who stand there already: proposals, until each person accepts."""

    chosen: list[tuple[str, str]]
    """shift, member; by start"""
    unfilled: list[Unfilled]
    owed: Mapping[str, int]
    """shifts that an organisation promised and that are not in the plan"""
    figures: Figures = field(compare=False)


def refuse_nonsense(
    shifts: Sequence[Shift],
    candidates: Sequence[Candidate],
    commitments: Sequence[Commitment],
    kept: Mapping[str, Sequence[str]],
) -> None:
    """Raise ValueError for what cannot be a roster: names given twice or unknown, impossible numbers."""
    _once("shift", (shift.shift for shift in shifts))
    _once("member", (candidate.member for candidate in candidates))
    _once("organisation", (commitment.organisation for commitment in commitments))
    for shift in shifts:
        if not 0 <= shift.minimum <= shift.maximum:
            raise ValueError(f"shift {shift.shift}: minimum {shift.minimum}, maximum {shift.maximum}")
        if shift.end <= shift.start:
            raise ValueError(f"shift {shift.shift} ends before it starts")
    for commitment in commitments:
        if commitment.shifts < 0:
            raise ValueError(f"organisation {commitment.organisation}: {commitment.shifts} shifts")
    if unknown := set(kept) - {shift.shift for shift in shifts}:
        raise ValueError(f"kept on unknown shifts: {sorted(unknown)}")


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name} is given twice")
        seen.add(name)

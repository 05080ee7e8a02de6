"""Beds, meals, cost: who may sleep where, until when a bed is held, who may see what, what a trainee costs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from shouwang.training.domain.days import day_of
from shouwang.training.domain.people import OFFICERS

DIETS = ("normal", "halal", "vegetarian", "other")


class Sex(StrEnum):
    """For rooms only."""

    FEMALE = "female"
    MALE = "male"


@dataclass(frozen=True)
class Room:
    """A room of a dormitory."""

    room: str
    beds: int
    women_only: bool = False


@dataclass(frozen=True)
class Held:
    """A bed that is held on some of the days in question."""

    room: str
    bed: int
    sex: Sex | None


@dataclass(frozen=True)
class Sleeper:
    """Who needs a bed."""

    member: str
    sex: Sex | None


@dataclass(frozen=True)
class Given:
    """A bed for a trainee."""

    member: str
    room: str
    bed: int


# -- who -------------------------------------------------------------------------------------------------------------


def may_organise(kind: str | None) -> bool:
    """Whether somebody of this kind may speak for others and see the kitchen list.

    Members speak for themselves; police, and staff who are no members (None), organise.
    """
    return kind is None or kind in OFFICERS


def sex_of(id_number: str | None, said: str | None) -> Sex | None:
    """By the identity number (GB 11643: the 17th digit is even for women), else as was said."""
    if id_number is not None:
        return Sex.MALE if int(id_number[16]) % 2 else Sex.FEMALE
    return Sex(said) if said else None


# -- beds ------------------------------------------------------------------------------------------------------------


def held_until(until: date, nights: Iterable[date]) -> date:
    """The last day that a bed is held: after a night patrol people sleep by day, so the day after belongs to it.

    Args:
        nights: evenings on which the trainee is on night patrol; later ones than `until` are others' business.
    """
    last = max((night for night in nights if night <= until), default=None)
    return until if last is None else max(until, last + timedelta(days=1))


def evening_of(moment: datetime) -> date:
    """The evening that a night patrol belongs to: one that begins before six in the morning, to the day before."""
    return day_of(moment - timedelta(hours=6))


def may_share(room: Room, sex: Sex, others: Iterable[Sex | None]) -> bool:
    """Whether somebody may have a bed in a room with these others: women and men never share one."""
    return all(other is sex for other in others) and (sex is Sex.FEMALE or not room.women_only)


def free_bed(room: Room, held: Iterable[Held]) -> int | None:
    """The first bed of a room that nobody has; None if there is none."""
    taken = {one.bed for one in held if one.room == room.room}
    return next((bed for bed in range(1, room.beds + 1) if bed not in taken), None)


def plan_beds(
    sleepers: Sequence[Sleeper], rooms: Sequence[Room], held: Sequence[Held]
) -> tuple[list[Given], dict[str, str]]:
    """Beds for as many as there are, who came first going first; and why the others have none.

    Women go to rooms for women first. Rooms that have somebody already are filled before empty ones, so that a single
    person does not keep a whole room from the others.
    """
    taken, given, left = list(held), list[Given](), dict[str, str]()
    for sleeper in sleepers:
        found = _place(sleeper, rooms, taken)
        if isinstance(found, Given):
            given.append(found)
            taken.append(Held(found.room, found.bed, sleeper.sex))
        else:
            left[sleeper.member] = found
    return given, left


def _place(sleeper: Sleeper, rooms: Sequence[Room], taken: Sequence[Held]) -> Given | str:
    if sleeper.sex is None:
        return "sex_unknown"
    here = {room.room: [held.sex for held in taken if held.room == room.room] for room in rooms}
    allowed = [room for room in rooms if may_share(room, sleeper.sex, here[room.room])]
    for room in sorted(allowed, key=lambda room: (not room.women_only, not here[room.room])):
        bed = free_bed(room, taken)
        if bed is not None:
            return Given(sleeper.member, room.room, bed)
    if allowed:
        return "no_bed"
    return "no_room_for_women" if sleeper.sex is Sex.FEMALE else "no_room_for_men"


# -- meals and cost --------------------------------------------------------------------------------------------------


def diets(said: Iterable[str | None]) -> dict[str, int]:
    """How many eat how; who said nothing eats what everybody eats."""
    counted = Counter(diet or DIETS[0] for diet in said)
    return {diet: counted[diet] for diet in DIETS}


def per_head(total_fen: int, people: int) -> int | None:
    """A sum for each of some people, rounded to a fen, half a fen up; None for nobody."""
    return None if people == 0 else (2 * total_fen + people) // (2 * people)

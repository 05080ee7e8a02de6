"""The auto-roster at the size of a city, beside rostering by hand: `python bench/roster.py [month] [week]`.

month: 95 member units, each committed to one 4-hour shift, 190 people, 30 nights of 3-4.
week: 2,900 guards of 12 employers, own posts in three windows a day, and shared watches of 20 areas at night.

By hand means: shift after shift in order of time, whoever is next on the list and may stand there (`first fit`), or
whoever has served least of those (`least served`). Both ask the same rules. Everything is made up, from a seed.
"""

import argparse
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from shouwang.training.domain.days import at, minute
from shouwang.training.domain.people import (
    GUARD_CERTIFICATE,
    PATROL_CERTIFICATE,
    Agreement,
    Consent,
    GuardEntity,
    MemberKind,
    Period,
    Person,
)
from shouwang.training.domain.planning import Candidate, Commitment, Plan, Wish, plan
from shouwang.training.domain.planning.case import not_for
from shouwang.training.domain.rest import Held, RestRules, conflicts, held_by
from shouwang.training.domain.shifts import Organiser, Pay, Shift, ShiftKind

MONDAY = date(2026, 6, 1)
RULES = RestRules()
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
HOUR = 60
UNITS, NIGHTS = 95, 30
EMPLOYERS = (450, 400, 350, 300, 260, 240, 220, 200, 160, 140, 100, 80)
AREAS = 20
WINDOWS = (6, 14, 22)
BUSY = ((1.15, 1.15, 0.7),) * 5 + ((1.05, 1.25, 0.95),) * 2
"""How many people a window needs beside the others of its week: fewer at night, more at the weekend."""

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Scene:
    """What is to be rostered."""

    name: str
    shifts: list[Shift]
    people: list[Candidate]
    commitments: list[Commitment]


def start(day: date, hour: int) -> int:
    """Minutes since 1970 of a local hour; 24 and more are after midnight."""
    return minute(at(day, "00:00")) + hour * HOUR


def month(chance: random.Random) -> Scene:
    """A night patrol 22:00-02:00 for each of 30 nights, by people of units that gave their word for one shift each."""
    days = [MONDAY + timedelta(days=n) for n in range(NIGHTS)]
    shifts = [
        Shift(
            f"night-{day:%d}", ShiftKind.NIGHT_PATROL, day, start(day, 22), start(day, 26),
            lead_officer="p1", area="a1", minimum=3, maximum=4,
        )
        for day in days
    ]  # fmt: skip
    people = [_nominated(f"m{unit}-{n}", f"u{unit}", days, chance) for unit in range(UNITS) for n in range(2)]
    return Scene("95 units x a month", shifts, people, [Commitment(f"u{unit}") for unit in range(UNITS)])


def _nominated(member: str, unit: str, days: Sequence[date], chance: random.Random) -> Candidate:
    person = Person(
        member, MemberKind.SHOP_VOLUNTEER, born=date(1980, 1, 1), organisation=unit,
        consents=frozenset({Consent.PATROL, Consent.TRACKING}), insured=(YEAR,), agreements=(Agreement(YEAR, True),),
        certificates={PATROL_CERTIFICATE: (YEAR,)} if member.endswith("-0") or chance.random() < 0.9 else {},
    )  # fmt: skip
    late = [Held(f"shop-{day}", start(day, 14), start(day, 22), day, True) for day in days if chance.random() < 0.1]
    return Candidate(
        person,
        held=tuple(late),
        served_min=240 * chance.randrange(4),
        avoids=(Wish(weekdays=frozenset({chance.randrange(7)})),) if chance.random() < 0.4 else (),
        declined=frozenset(f"night-{day:%d}" for day in days if chance.random() < 0.05),
    )


def week(chance: random.Random, asked: float) -> Scene:
    """Own posts that ask for a part of the hours that the guards may be ordered, and shared watches beside them."""
    days = [MONDAY + timedelta(days=n) for n in range(7)]
    people: list[Candidate] = []
    shifts: list[Shift] = []
    for number, size in enumerate(EMPLOYERS):
        theirs = [_guard(f"g{number}-{n}", f"o{number}", chance) for n in range(size)]
        lawful = sum(6 if candidate.person.agreements[0].overtime_agreed else 5 for candidate in theirs)
        shifts += _posts(f"o{number}", lawful * asked, days)
        people += theirs
    for area in range(AREAS):
        for day in days:
            shifts += (
                Shift(
                    f"a{area}-{day:%d}-{hour}", ShiftKind.SHARED_POST, day, start(day, hour), start(day, hour + 4),
                    lead_officer="p1", area=f"a{area}", pay=Pay.ALLOWANCE, insurance="i1", minimum=4, maximum=5,
                )
                for hour in (20, 24)
            )  # fmt: skip
    return Scene(f"2,900 guards x a week, {asked:.0%} asked", shifts, people, [])


def _guard(member: str, employer: str, chance: random.Random) -> Candidate:
    person = Person(
        member, MemberKind.GUARD, born=date(1980, 1, 1), organisation=employer, entity=GuardEntity.GUARD_COMPANY,
        employer_consents=True, consents=frozenset(Consent if chance.random() < 0.5 else ()), insured=(YEAR,),
        agreements=(Agreement(YEAR, True, overtime_agreed=chance.random() < 0.2),),
        certificates={GUARD_CERTIFICATE: (YEAR,)},
        night_protected_until=YEAR.until if chance.random() < 0.02 else None,
    )  # fmt: skip
    day = MONDAY + timedelta(days=chance.randrange(7))
    elsewhere = Held(f"course-{member}", start(day, 9), start(day, 12), day, False)
    return Candidate(
        person,
        held=(elsewhere,) if chance.random() < 0.05 else (),
        served_min=chance.randrange(0, 40 * HOUR),
        avoids=(Wish(hours=(22 * HOUR, 6 * HOUR)),) if chance.random() < 0.3 else (),
        prefers=(Wish(weekdays=frozenset({chance.randrange(7)})),) if chance.random() < 0.3 else (),
    )


def _posts(employer: str, asked: float, days: Sequence[date]) -> Iterator[Shift]:
    share = asked / sum(map(sum, BUSY))
    for day, busy in zip(days, BUSY, strict=True):
        for hour, part in zip(WINDOWS, busy, strict=True):
            yield Shift(
                f"{employer}-{day:%d}-{hour}", ShiftKind.OWN_POST, day, start(day, hour), start(day, hour + 8),
                organiser=Organiser.EMPLOYER, pay=Pay.WAGE, post_of=employer,
                minimum=round(share * part), maximum=round(share * part),
            )  # fmt: skip


def by_hand(scene: Scene, turn: Callable[[int, int], float]) -> Pairs:
    """One shift after the other, one person after the other: first fit.

    Args:
        turn: where somebody is in the line, of their number on the list and their minutes.
    """
    chosen: Pairs = []
    times = [list(candidate.held) for candidate in scene.people]
    minutes = [candidate.served_min for candidate in scene.people]
    left = {commitment.organisation: commitment.shifts for commitment in scene.commitments}
    for shift in sorted(scene.shifts, key=lambda shift: (shift.start, shift.shift)):
        missing = shift.minimum
        for person in sorted(range(len(times)), key=lambda person: (turn(person, minutes[person]), person)):
            candidate, new = scene.people[person], held_by(shift)
            if not missing:
                break
            if left.get(candidate.person.organisation or "") == 0 or not_for(candidate, shift) is not None:
                continue
            overtime = any(agreement.overtime_agreed for agreement in candidate.person.agreements)
            if not conflicts(new, times[person], RULES, overtime_agreed=overtime):
                chosen.append((shift.shift, candidate.member))
                times[person].append(new)
                minutes[person] += shift.minutes
                missing -= 1
                if candidate.person.organisation in left:
                    left[candidate.person.organisation] -= 1
    return chosen


def tell(scene: Scene, how: str, chosen: Pairs, seconds: float) -> None:
    """One line: what is filled, what is kept, how even, how welcome."""
    shifts = {shift.shift: shift for shift in scene.shifts}
    people = {candidate.member: candidate for candidate in scene.people}
    on = Counter(name for name, _ in chosen)
    asked = sum(shift.minimum for shift in scene.shifts)
    filled = sum(min(on[shift.shift], shift.minimum) for shift in scene.shifts)
    minutes = {member: candidate.served_min for member, candidate in people.items()}
    given: Counter[str | None] = Counter()
    displeasure: Counter[int] = Counter()
    for name, member in chosen:
        minutes[member] += shifts[name].minutes
        given[people[member].person.organisation] += 1
        displeasure[people[member].displeasure(shifts[name])] += 1
    kept = sum(min(promise.shifts, given[promise.organisation]) for promise in scene.commitments)
    print(
        f"  {how:<13}{seconds:7.1f} s   filled {filled:>6,}/{asked:,}"
        f"   promises {kept:>2}/{sum(promise.shifts for promise in scene.commitments)}"
        f"   spread {max(minutes.values()) - min(minutes.values()):>5,} min"
        f"   deviation {statistics.pstdev(minutes.values()):>6.1f} min"
        f"   wished {displeasure[0]:>5,}, avoided {displeasure[2]:>5,}"
    )


def run(scene: Scene, limit_s: float, workers: int, seed: int) -> None:
    """Plan a scene all three ways."""
    print(f"{scene.name}: {len(scene.people):,} people, {len(scene.shifts):,} shifts")
    began = time.perf_counter()
    found = plan(
        scene.shifts, scene.people, scene.commitments, RULES, limit_s=limit_s, workers=workers, seed=seed
    )  # fmt: skip
    tell(scene, "plan", found.chosen, time.perf_counter() - began)
    for how, turn in (("first fit", lambda person, _: person), ("least served", lambda _, minutes: minutes)):
        began = time.perf_counter()
        tell(scene, how, by_hand(scene, turn), time.perf_counter() - began)
    _figures(found)


def _figures(found: Plan) -> None:
    figures = found.figures
    bound = "no bound" if figures.bound is None else f"bound {figures.bound:,}"
    print(
        f"  plan: {figures.pairs:,} pairs, {figures.blocks} blocks; build {figures.build_s:.1f} s, solve"
        f" {figures.solve_s:.1f} s, explain {figures.explain_s:.1f} s; {figures.status}, cost {figures.objective:,},"
        f" {bound}; dropped {figures.dropped}"
    )
    for short in found.unfilled[:3]:
        print(f"  short: {short.shift} {short.missing}, " + ", ".join(f"{why} {n}" for why, n in short.why.items()))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", default=["month", "week"], help="month, week or both")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds for a whole plan")
    parser.add_argument("--asked", type=float, default=0.85, help="part of the lawful hours that own posts ask for")
    parser.add_argument("--workers", type=int, default=1, help="threads of the solver")
    parser.add_argument("--seed", type=int, default=7)
    said = parser.parse_args()
    if "month" in said.scenes:
        run(month(random.Random(said.seed)), said.limit, said.workers, said.seed)
    if "week" in said.scenes:
        run(week(random.Random(said.seed), said.asked), said.limit, said.workers, said.seed)


if __name__ == "__main__":
    main()

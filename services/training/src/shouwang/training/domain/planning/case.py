"""The roster as the solver sees it: like shifts as one slot, and to whom each slot is open."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from shouwang.training.domain.clearance import may_stand
from shouwang.training.domain.planning.values import Candidate, Commitment
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.rest import Held, RestRules, conflicts, held_by, rest_needed
from shouwang.training.domain.shifts import Shift, ShiftKind, may_be_held

Week = tuple[int, int]


def week_of(day: date) -> Week:
    """ISO year and week, Monday to Sunday."""
    year, week, _ = day.isocalendar()
    return year, week


@dataclass(frozen=True)
class Slot:
    """Shifts that are alike to everybody: the same time and conditions, declined by the same people.

    Who stands on which of them is settled at the end. Twenty areas with the same watch are one slot, not twenty.
    """

    shifts: tuple[Shift, ...]
    held: Held
    """the time, under the name of the first shift"""
    need: int
    """people still missing to the minimum of each shift"""
    room: int
    """people that may still be added"""

    @property
    def sample(self) -> Shift:
        """Any of them."""
        return self.shifts[0]


@dataclass(frozen=True)
class Case:
    """Everything that does not change while a plan is made. People and slots go by their number here.

    `open_to[person]` are the slots that nothing forbids them by itself, by start.
    """

    candidates: Sequence[Candidate]
    slots: Sequence[Slot]
    forbidden: Sequence[Shift]
    alone: Sequence[tuple[Reason | None, Reason | None]]
    """what forbids each slot to whoever holds nothing else: without and with overtime agreed"""
    open_to: Sequence[Sequence[int]]
    holds: Sequence[Sequence[Held]]
    on: Mapping[str, frozenset[int]]
    """candidates who stood on each shift before, and stay"""
    standing: Mapping[str, int]
    """how many stood there before, others included"""
    left: Sequence[int | None]
    """shifts that each may still be given"""
    promised: Mapping[str, int]
    """shifts that each organisation has still to give"""
    served: Sequence[int]
    """minutes, those kept on this roster included"""
    rules: RestRules

    @property
    def pairs(self) -> int:
        """How many placings are open."""
        return sum(map(len, self.open_to))

    def agreed(self, person: int, day: date) -> bool:
        """Whether a person has agreed to overtime on a day."""
        return self.candidates[person].person.overtime_agreed(day)

    @cached_property
    def until(self) -> Sequence[int]:
        """The minute before which whoever stands on each slot may not begin again."""
        return [slot.held.end + rest_needed(slot.held, self.rules) for slot in self.slots]

    def gives(self, person: int, slot: int) -> str | None:
        """The organisation whose commitment this placing would be counted to."""
        organisation = self.candidates[person].person.organisation
        counts = organisation in self.promised and self.slots[slot].sample.kind is not ShiftKind.OWN_POST
        return organisation if counts else None

    def promises(self, person: int, slot: int) -> int | None:
        """Shifts that the organisation has still to give, if this placing would be counted to them."""
        gives = self.gives(person, slot)
        return None if gives is None else self.promised[gives]

    def never(self, person: int, slot: int) -> Reason | None:
        """What forbids a person a slot, whatever else is planned."""
        if self.holds[person] and any(person in self.on[like.shift] for like in self.slots[slot].shifts):
            return Reason.DOUBLE_BOOKED
        candidate, shift = self.candidates[person], self.slots[slot].sample
        if (reason := not_for(candidate, shift)) is not None:
            return reason
        agreed = self.agreed(person, shift.duty_date)
        if not self.holds[person]:
            return self.alone[slot][agreed]
        return _first(self.slots[slot].held, self.holds[person], self.rules, agreed)


def _first(new: Held, others: Sequence[Held], rules: RestRules, agreed: bool) -> Reason | None:
    found = conflicts(new, others, rules, overtime_agreed=agreed)
    return found[0] if found else None


def not_for(candidate: Candidate, shift: Shift) -> Reason | None:
    """What forbids somebody a shift, time aside. An own post is for the people of the organisation it is of."""
    if _post_of(shift) not in (None, candidate.person.organisation):
        return Reason.OUTSIDE_OWN_AREA
    if reasons := may_stand(candidate.person, shift):
        return reasons[0]
    return Reason.DECLINED if shift.shift in candidate.declined else None


def _post_of(shift: Shift) -> str | None:
    return shift.post_of if shift.kind is ShiftKind.OWN_POST else None


def make_case(
    shifts: Sequence[Shift],
    candidates: Sequence[Candidate],
    commitments: Sequence[Commitment],
    rules: RestRules,
    kept: Mapping[str, Sequence[str]],
) -> Case:
    """Sort out what is open to whom."""
    on = _on(shifts, candidates, kept)
    theirs: list[list[Shift]] = [[] for _ in candidates]
    for shift in shifts:
        for person in on[shift.shift]:
            theirs[person].append(shift)
    everybody = list(zip(candidates, theirs, strict=True))
    members = {candidate.member for candidate in candidates}
    standing = {name: len(people) + len(set(kept.get(name, ())) - members) for name, people in on.items()}
    slots = _slots([shift for shift in shifts if not may_be_held(shift)], candidates, standing)
    case = Case(
        candidates=candidates,
        slots=slots,
        forbidden=[shift for shift in shifts if may_be_held(shift)],
        alone=[(_first(slot.held, [], rules, False), _first(slot.held, [], rules, True)) for slot in slots],
        open_to=[],
        holds=[_holds(candidate, mine) for candidate, mine in everybody],
        on=on,
        standing=standing,
        left=[None if c.most is None else max(0, c.most - len(mine)) for c, mine in everybody],
        promised=_promised(commitments, candidates, theirs),
        served=[candidate.served_min + sum(shift.minutes for shift in mine) for candidate, mine in everybody],
        rules=rules,
    )
    return replace(case, open_to=list(_open_to(case)))


def _on(
    shifts: Sequence[Shift], candidates: Sequence[Candidate], kept: Mapping[str, Sequence[str]]
) -> dict[str, frozenset[int]]:
    number = {candidate.member: person for person, candidate in enumerate(candidates)}
    on = {s.shift: {number[member] for member in kept.get(s.shift, ()) if member in number} for s in shifts}
    for person, candidate in enumerate(candidates):
        for held in candidate.held:
            if held.shift in on:
                on[held.shift].add(person)
    return {name: frozenset(people) for name, people in on.items()}


def _slots(shifts: Sequence[Shift], candidates: Sequence[Candidate], standing: Mapping[str, int]) -> list[Slot]:
    declined: dict[str, list[int]] = {}
    for person, candidate in enumerate(candidates):
        for name in candidate.declined:
            declined.setdefault(name, []).append(person)
    alike: dict[tuple[Shift, tuple[int, ...]], list[Shift]] = {}
    for shift in sorted(shifts, key=lambda shift: (shift.start, shift.end, shift.shift)):
        # what no rule asks of a shift that may be held; if one ever does, the last check of the plan finds out
        plain = replace(shift, shift="", area="", lead_officer="", insurance="", minimum=0, maximum=0)
        alike.setdefault((plain, tuple(declined.get(shift.shift, ()))), []).append(shift)
    return [
        Slot(
            tuple(like),
            held_by(like[0]),
            need=sum(max(0, shift.minimum - standing[shift.shift]) for shift in like),
            room=sum(max(0, shift.maximum - standing[shift.shift]) for shift in like),
        )
        for like in alike.values()
    ]


def _holds(candidate: Candidate, standing: Sequence[Shift]) -> list[Held]:
    told = {held.shift for held in candidate.held}
    return [*candidate.held, *(held_by(shift) for shift in standing if shift.shift not in told)]


def _promised(
    commitments: Sequence[Commitment], candidates: Sequence[Candidate], theirs: Sequence[Sequence[Shift]]
) -> dict[str, int]:
    given: Counter[str | None] = Counter()
    for candidate, mine in zip(candidates, theirs, strict=True):
        given[candidate.person.organisation] += sum(shift.kind is not ShiftKind.OWN_POST for shift in mine)
    return {promise.organisation: max(0, promise.shifts - given[promise.organisation]) for promise in commitments}


def _open_to(case: Case) -> Iterator[list[int]]:
    of_post: dict[str | None, list[int]] = {}
    for number, slot in enumerate(case.slots):
        if slot.room:
            of_post.setdefault(_post_of(slot.sample), []).append(number)
    for person, candidate in enumerate(case.candidates):
        organisation = candidate.person.organisation
        near = sorted({*of_post.get(None, ()), *of_post.get(organisation, ())}) if case.left[person] != 0 else []
        yield [slot for slot in near if case.promises(person, slot) != 0 and case.never(person, slot) is None]

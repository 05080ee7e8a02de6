"""A plan while it is made: who stands on which slot, and the rules asked one by one."""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from shouwang.training.domain.planning.case import Case, week_of
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.rest import Held, conflicts


class Draft:
    """Placings so far, with those kept aside: `on[person]` are slots. All numbers stay in step with it."""

    def __init__(self, case: Case) -> None:
        """Nobody is placed yet."""
        self.case = case
        self.on: list[set[int]] = [set() for _ in case.candidates]
        self.count = [0] * len(case.slots)
        self.given: Counter[str] = Counter()
        self.minutes = list(case.served)

    def put(self, person: int, slot: int) -> None:
        """Place somebody; the rules are not asked."""
        self._change(person, slot, 1)
        self.on[person].add(slot)

    def take(self, person: int, slot: int) -> None:
        """Take somebody away from a slot."""
        self._change(person, slot, -1)
        self.on[person].remove(slot)

    def replace(self, person: int, slots: Iterable[int]) -> None:
        """Place somebody on these slots and no others."""
        wanted = set(slots)
        for slot in self.on[person] - wanted:
            self.take(person, slot)
        for slot in wanted - self.on[person]:
            self.put(person, slot)

    def missing(self, slot: int) -> int:
        """People short of the minimum."""
        return max(0, self.case.slots[slot].need - self.count[slot])

    def lacking(self) -> int:
        """People short of the minimum, on all slots."""
        return sum(map(self.missing, range(len(self.count))))

    def short(self) -> list[int]:
        """Slots short of people."""
        return [slot for slot in range(len(self.count)) if self.missing(slot)]

    def owed(self) -> dict[str, int]:
        """What organisations have still to give."""
        owed = {name: promised - self.given[name] for name, promised in self.case.promised.items()}
        return {name: shifts for name, shifts in owed.items() if shifts > 0}

    def spread(self) -> int:
        """Minutes between whoever has done most and least, of those who could be placed anywhere."""
        minutes = [minutes for minutes, slots in zip(self.minutes, self.case.open_to, strict=True) if slots]
        return max(minutes, default=0) - min(minutes, default=0)

    def why_not(self, person: int, slot: int) -> Reason | None:
        """What keeps a person from a slot as things stand, the most lasting first."""
        if slot in self.on[person]:
            return Reason.DOUBLE_BOOKED
        return self.case.never(person, slot) or self.not_now(person, slot)

    def not_now(self, person: int, slot: int) -> Reason | None:
        """What keeps a person from a slot that is open to them."""
        left, gives = self.case.left[person], self.case.gives(person, slot)
        if left is not None and len(self.on[person]) >= left:
            return Reason.COMMITMENT_MET
        if gives is not None and self.given[gives] >= self.case.promised[gives]:
            return Reason.COMMITMENT_MET
        new = self.case.slots[slot].held
        placed = [self.case.slots[other].held for other in self.on[person]]
        found = self._conflicts(person, new, placed)
        if not found and person in self._changing:  # a shift without overtime is broken by one with it, not it by them
            found = [reason for old in placed for reason in self._conflicts(person, old, [*placed, new])]
        return found[0] if found else None

    def fill(self, patience: float = 1.0) -> None:
        """Place on every slot that is short, in order of time, whoever has done the least and may stand there.

        Args:
            patience: how much more the minutes of this roster count than those served before. With more of it, people
                who have served little are not used up at the beginning, and somebody is left for its end.
        """
        people: list[list[int]] = [[] for _ in self.count]
        for person, slots in enumerate(self.case.open_to):
            for slot in slots:
                people[slot].append(person)
        for slot in self.short():
            shift = self.case.slots[slot].sample
            ranked = sorted(
                (self._turn(person, patience), self.case.candidates[person].displeasure(shift), person)
                for person in people[slot]
                if slot not in self.on[person]
            )
            for _, _, person in ranked:
                if not self.missing(slot):
                    break
                if self.not_now(person, slot) is None:
                    self.put(person, slot)

    def _turn(self, person: int, patience: float) -> float:
        served = self.case.served[person]
        return served + patience * (self.minutes[person] - served)

    def trim(self) -> None:
        """Take away whom neither a minimum nor a commitment needs, those first who have done the most."""
        by_minutes = sorted(range(len(self.on)), key=lambda person: (-self.minutes[person], person))
        for person in by_minutes:
            for slot in sorted(self.on[person]):
                if self.count[slot] > self.case.slots[slot].need and self.case.gives(person, slot) is None:
                    self.take(person, slot)

    def _change(self, person: int, slot: int, by: int) -> None:
        self.count[slot] += by
        self.minutes[person] += by * self.case.slots[slot].sample.minutes
        if (gives := self.case.gives(person, slot)) is not None:
            self.given[gives] += by

    def _conflicts(self, person: int, new: Held, placed: list[Held]) -> list[Reason]:
        agreed = self.case.agreed(person, new.duty_date)
        return conflicts(new, [*self.case.holds[person], *placed], self.case.rules, overtime_agreed=agreed)

    @cached_property
    def _changing(self) -> frozenset[int]:
        """People whose word on overtime changes within one week of the roster."""
        found: set[int] = set()
        for person, slots in enumerate(self.case.open_to):
            days = {self.case.slots[slot].held.duty_date for slot in slots}
            said = {(week_of(day), self.case.agreed(person, day)) for day in days}
            if len(said) > len({week for week, _ in said}):
                found.add(person)
        return frozenset(found)

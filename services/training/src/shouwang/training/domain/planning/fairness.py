"""What a placing costs: minutes cost more the more of them a person has done, and wishes cost in per cent of that."""

from collections.abc import Iterable
from functools import cached_property

from shouwang.training.domain.planning.case import Case
from shouwang.training.domain.planning.draft import Draft
from shouwang.training.domain.planning.values import Weights

LEVELS = 16
"""Steps above what a person has served; minutes above the last one cost no more than those of it."""


class Fairness:
    """A convex cost in place of a spread: the least sum of it is the evenest roster, and outliers do not hide others.

    A minute costs 100 times its level. Levels are as wide as the shortest shift (or a quarter of the longest one), and
    the first is that of whoever has served least. Nothing is free, so nobody is placed for nothing.
    """

    def __init__(self, case: Case, weights: Weights) -> None:
        """Of one case: levels are the same in all its blocks."""
        self.case, self.weights = case, weights

    def steps(self, person: int) -> list[tuple[int, int]]:
        """The minutes that a person may still be given, by rising cost: (cost of a minute, minutes)."""
        level, into = divmod(self.case.served[person] - self._least, self._width)
        left = sum(self.case.slots[slot].sample.minutes for slot in self.case.open_to[person])
        steps: list[tuple[int, int]] = []
        width = self._width - into
        while left > 0:
            level += 1
            width = left if len(steps) == LEVELS - 1 else min(left, width)
            steps.append((100 * level, width))
            left -= width
            width = self._width
        return steps

    def lines(self, person: int) -> list[tuple[int, int]]:
        """The same cost as the highest of lines over the minutes that a person is given: (slope, height at none)."""
        found: list[tuple[int, int]] = []
        cost = minutes = 0
        for of_a_minute, width in self.steps(person):
            found.append((of_a_minute, cost - of_a_minute * minutes))
            cost += of_a_minute * width
            minutes += width
        return found

    def displeasure(self, person: int, slot: int) -> int:
        """What a placing costs since it is not what the person wished."""
        shift = self.case.slots[slot].sample
        return self.weights.wish_percent * self.case.candidates[person].displeasure(shift) * shift.minutes

    def cost(self, draft: Draft, people: Iterable[int]) -> int:
        """What is placed in a draft, of these people."""
        return sum(self._cost(draft, person) for person in people if draft.on[person])

    def _cost(self, draft: Draft, person: int) -> int:
        cost = sum(self.displeasure(person, slot) for slot in draft.on[person])
        left = draft.minutes[person] - self.case.served[person]
        for of_a_minute, width in self.steps(person):
            cost += of_a_minute * min(left, width)
            left -= min(left, width)
        return cost

    @cached_property
    def _width(self) -> int:
        lengths = [slot.sample.minutes for slot in self.case.slots]
        return max(min(lengths), max(lengths) // 4)

    @cached_property
    def _least(self) -> int:
        return min(self.case.served[person] for person, slots in enumerate(self.case.open_to) if slots)

"""What `rest.conflicts` forbids one person, said as constraints over all the slots open to them.

Nobody placed anywhere never breaks one: a slot that what they already hold forbids is not open to them.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from ortools.sat.python import cp_model

from shouwang.training.domain.planning.case import Case, week_of
from shouwang.training.domain.planning.draft import Draft

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Hours:
    """One person in a model: a variable for each slot open to them."""

    model: cp_model.CpModel
    draft: Draft
    person: int
    mine: Mapping[int, cp_model.IntVar]

    @property
    def case(self) -> Case:
        """What the draft is of."""
        return self.draft.case

    def day(self, slot: int) -> date:
        """The day that a slot is counted to."""
        return self.case.slots[slot].held.duty_date

    def minutes(self, slot: int) -> int:
        """How long it is."""
        return self.case.slots[slot].held.minutes

    def agreed(self, slot: int) -> bool:
        """Whether the person has agreed to overtime on that day."""
        return self.case.agreed(self.person, self.day(slot))

    def here(self, slots: Iterable[int]) -> cp_model.LinearExprT:
        """How many of these they are on."""
        return sum(self.mine[slot] for slot in slots)

    def hint(self, variable: cp_model.IntVar, value: int) -> cp_model.IntVar:
        """Start the search from a value."""
        self.model.add_hint(variable, value)
        return variable

    def now(self, slots: Iterable[int]) -> int:
        """Minutes of these in the draft."""
        return sum(self.minutes(slot) for slot in slots if slot in self.draft.on[self.person])


def limit(hours: Hours) -> None:
    """Add everything that the rules forbid this person."""
    if not hours.mine:
        return
    left = hours.case.left[hours.person]
    if left is not None and left < len(hours.mine):
        hours.model.add(hours.here(hours.mine) <= left)
    _rest(hours)
    _rest_day(hours)
    ordered = [slot for slot in hours.mine if hours.case.slots[slot].held.ordered]
    if ordered:
        _day(hours, ordered)
        _week(hours, ordered)
        _month(hours, ordered)


def _rest(hours: Hours) -> None:
    """Each slot blocks from its start until the rest after it is over; of those blocking one minute, only one.

    It is enough to ask at the starts: two that block one another both block at the later start.
    """
    starts = {slot: hours.case.slots[slot].held.start for slot in hours.mine}
    until = {slot: hours.case.until(slot) for slot in hours.mine}
    before: set[int] = set()
    for start in sorted(set(starts.values()), reverse=True):
        together = {slot for slot in hours.mine if starts[slot] <= start < until[slot]}
        if len(together) > 1 and not together <= before:
            hours.model.add_at_most_one(hours.mine[slot] for slot in sorted(together))
            before = together


def _rest_day(hours: Hours) -> None:
    most = hours.case.rules.duty_days_a_week
    taken = {held.duty_date for held in hours.case.holds[hours.person]}
    for week, slots in _by(hours.mine, lambda slot: week_of(hours.day(slot))).items():
        days = {day: on for day, on in _by(slots, hours.day).items() if day not in taken}
        free = most - sum(week_of(day) == week for day in taken)
        if len(days) <= free:
            continue
        used: list[cp_model.IntVar] = []
        for on in days.values():
            used.append(hours.hint(hours.model.new_bool_var(""), int(hours.now(on) > 0)))
            for slot in on:
                hours.model.add_implication(hours.mine[slot], used[-1])
        hours.model.add(sum(used) <= free)


def _day(hours: Hours, ordered: list[int]) -> None:
    rules = hours.case.rules
    held = _held(hours, lambda day: day)
    for day, slots in _by(ordered, hours.day).items():
        most = rules.day + (rules.overtime_day if hours.agreed(slots[0]) else 0) - held.get(day, 0)
        if sum(hours.minutes(slot) for slot in slots) > most:
            hours.model.add(_minutes(hours, slots) <= most)


def _week(hours: Hours, ordered: list[int]) -> None:
    """Who has not agreed to overtime on the day of a slot may not be on it in a longer week."""
    held = _held(hours, week_of)
    for week, slots in _by(ordered, lambda slot: week_of(hours.day(slot))).items():
        most = hours.case.rules.week - held.get(week, 0)
        without = [slot for slot in slots if not hours.agreed(slot)]
        if not without or sum(hours.minutes(slot) for slot in slots) <= most:
            continue
        if len(without) == len(slots):
            hours.model.add(_minutes(hours, slots) <= most)
            continue
        for slot in without:
            hours.model.add(_minutes(hours, slots) <= most).only_enforce_if(hours.mine[slot])


def _month(hours: Hours, ordered: list[int]) -> None:
    """Overtime of a month, counted both ways: beyond the hours of each day, and of each week within the month."""
    rules = hours.case.rules
    for month, slots in _by(ordered, lambda slot: (hours.day(slot).year, hours.day(slot).month)).items():
        if not any(hours.agreed(slot) for slot in slots):
            continue
        within = {key: m for key, m in _held(hours, lambda day: day).items() if (key.year, key.month) == month}
        in_weeks: dict[tuple[int, int], int] = {}
        for day, minutes in within.items():
            in_weeks[week_of(day)] = in_weeks.get(week_of(day), 0) + minutes
        _overtime(hours, _by(slots, hours.day), within, rules.day)
        _overtime(hours, _by(slots, lambda slot: week_of(hours.day(slot))), in_weeks, rules.week)


def _overtime(hours: Hours, spans: Mapping[Key, list[int]], held: Mapping[Key, int], usual: int) -> None:
    most = hours.case.rules.overtime_month - sum(max(0, m - usual) for key, m in held.items() if key not in spans)
    possible = {
        key: max(0, held.get(key, 0) + sum(hours.minutes(slot) for slot in slots) - usual)
        for key, slots in spans.items()
    }
    if sum(possible.values()) <= most:
        return
    beyond: list[cp_model.IntVar] = []
    for key, slots in spans.items():
        if possible[key]:
            now = max(0, held.get(key, 0) + hours.now(slots) - usual)
            beyond.append(hours.hint(hours.model.new_int_var(0, possible[key], ""), now))
            hours.model.add(_minutes(hours, slots) + held.get(key, 0) - usual <= beyond[-1])
    hours.model.add(sum(beyond) <= most)


def _minutes(hours: Hours, slots: Iterable[int]) -> cp_model.LinearExprT:
    return sum(hours.minutes(slot) * hours.mine[slot] for slot in slots)


def _held(hours: Hours, key: Callable[[date], Key]) -> dict[Key, int]:
    """Ordered minutes that the person is held for already, by a span of days."""
    found: dict[Key, int] = {}
    for held in hours.case.holds[hours.person]:
        if held.ordered:
            found[key(held.duty_date)] = found.get(key(held.duty_date), 0) + held.minutes
    return found


def _by(slots: Iterable[int], key: Callable[[int], Key]) -> dict[Key, list[int]]:
    found: dict[Key, list[int]] = {}
    for slot in slots:
        found.setdefault(key(slot), []).append(slot)
    return found

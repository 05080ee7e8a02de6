"""What `rest.conflicts` forbids one person, said as constraints over all the slots open to them.

Nobody placed anywhere never breaks one: a slot that what they already hold forbids is not open to them.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from ortools.sat.python import cp_model

from shouwang.training.domain.planning.case import Case, Week, week_of
from shouwang.training.domain.planning.draft import Draft
from shouwang.training.domain.rest import RestRules, overtime_month

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
    until = {slot: hours.case.until[slot] for slot in hours.mine}
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
    """Overtime of a month: beyond the hours of each day, or of each week within the month if that is more."""
    rules = hours.case.rules
    for month, slots in _by(ordered, lambda slot: overtime_month(hours.day(slot))).items():
        if not any(hours.agreed(slot) for slot in slots):
            continue
        held: dict[Week, dict[date, int]] = {}
        for day, minutes in _held(hours, lambda day: day).items():
            if overtime_month(day) == month:
                held.setdefault(week_of(day), {})[day] = minutes
        weeks = _by(slots, lambda slot: week_of(hours.day(slot)))
        before = {week: _beyond(days, rules) for week, days in held.items()}
        most = max(rules.overtime_month, sum(before.values()))
        rest = sum(minutes for week, minutes in before.items() if week not in weeks)
        full = sum(_beyond(_full(hours, on, held.get(week, {})), rules) for week, on in weeks.items())
        if full + rest > most:
            hours.model.add(sum(_overtime(hours, on, held.get(week, {})) for week, on in weeks.items()) <= most - rest)


def _overtime(hours: Hours, slots: list[int], held: Mapping[date, int]) -> cp_model.IntVar:
    """At least the overtime of a week: of all its days together, and of it as a whole."""
    rules = hours.case.rules
    full = _full(hours, slots, held)
    days = _by(slots, hours.day)
    now = {**held, **{day: held.get(day, 0) + hours.now(on) for day, on in days.items()}}
    of_days: list[cp_model.LinearExprT] = [max(0, held[day] - rules.day) for day in held if day not in days]
    for day, on in days.items():
        most = max(0, full[day] - rules.day)
        over = hours.hint(hours.model.new_int_var(0, most, ""), max(0, now[day] - rules.day))
        hours.model.add(over >= _minutes(hours, on) + held.get(day, 0) - rules.day)
        of_days.append(over)
    of_week = hours.hint(hours.model.new_int_var(0, _beyond(full, rules), ""), _beyond(now, rules))
    hours.model.add(of_week >= sum(of_days))
    hours.model.add(of_week >= _minutes(hours, slots) + sum(held.values()) - rules.week)
    return of_week


def _full(hours: Hours, slots: list[int], held: Mapping[date, int]) -> dict[date, int]:
    """Minutes of each day with as many of these slots as a day may have."""
    longest = hours.case.rules.day + hours.case.rules.overtime_day
    full = dict(held)
    for day, on in _by(slots, hours.day).items():
        full[day] = min(longest, held.get(day, 0) + sum(hours.minutes(slot) for slot in on))
    return full


def _beyond(days: Mapping[date, int], rules: RestRules) -> int:
    of_days = sum(max(0, minutes - rules.day) for minutes in days.values())
    return max(of_days, sum(days.values()) - rules.week)


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

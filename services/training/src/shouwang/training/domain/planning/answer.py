"""From a draft to a plan: who of a slot stands on which of its shifts, a last check, and the reasons of what lacks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from shouwang.training.domain.planning.case import Case, Slot, not_for
from shouwang.training.domain.planning.draft import Draft
from shouwang.training.domain.planning.values import Unfilled
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.rest import conflicts, held_by
from shouwang.training.domain.shifts import Shift, may_be_held

Placings = dict[str, list[int]]
"""people newly placed, by shift"""


def hand_out(draft: Draft) -> Placings:
    """Give the people of each slot to its shifts: always to the one that lacks most, then to the one with most room."""
    placings: Placings = {}
    on: list[list[int]] = [[] for _ in draft.count]
    for person, slots in enumerate(draft.on):
        for slot in slots:
            on[slot].append(person)
    for slot, people in zip(draft.case.slots, on, strict=True):
        for person in people:
            shift = max(slot.shifts, key=lambda shift: _lacks(draft.case, shift, placings))
            placings.setdefault(shift.shift, []).append(person)
    return placings


def _lacks(case: Case, shift: Shift, placings: Placings) -> tuple[int, int]:
    standing = case.standing[shift.shift] + len(placings.get(shift.shift, ()))
    return max(0, shift.minimum - standing), shift.maximum - standing


def break_rules(case: Case, shifts: Sequence[Shift], placings: Placings) -> list[tuple[str, int]]:
    """Placings that a rule forbids, each asked beside all others of the person that are not forbidden already.

    The model is held to the same rules, so there are none; but the rules have the last word, not the model.
    """
    theirs: dict[int, list[Shift]] = {}
    found: list[tuple[str, int]] = []
    for shift in shifts:
        for person in placings.get(shift.shift, ()):
            if may_be_held(shift) or not_for(case.candidates[person], shift) is not None:
                found.append((shift.shift, person))
            else:
                theirs.setdefault(person, []).append(shift)
    for person, mine in theirs.items():
        found += ((name, person) for name in _conflicting(case, person, mine))
    return found


def _conflicting(case: Case, person: int, mine: Sequence[Shift]) -> Iterable[str]:
    held = [*case.holds[person], *map(held_by, mine)]
    for shift in mine:
        new = held_by(shift)
        if conflicts(new, held, case.rules, overtime_agreed=case.agreed(person, new.duty_date)):
            held.remove(new)
            yield shift.shift


def unfilled(draft: Draft, placings: Mapping[str, Sequence[int]]) -> list[Unfilled]:
    """Every shift short of its minimum, by start, with the reason of each person who is not on it."""
    case, found = draft.case, []
    for number, slot in enumerate(case.slots):
        short = [(shift, lacks) for shift in slot.shifts if (lacks := _lacks(case, shift, placings)[0])]
        why = _reasons(draft, number) if short else Counter()
        for shift, missing in short:
            standing = len(case.on[shift.shift]) + len(placings.get(shift.shift, ()))
            # whoever stands on a slot counts as booked at that time: for this shift, those on it do not remain
            others = why - Counter({Reason.DOUBLE_BOOKED: standing})
            found.append((shift, Unfilled(shift.shift, missing, dict(others.most_common()))))
    for shift in case.forbidden:
        if missing := _lacks(case, shift, placings)[0]:
            found.append((shift, Unfilled(shift.shift, missing, dict.fromkeys(may_be_held(shift), missing))))
    return [short for _, short in sorted(found, key=lambda pair: (pair[0].start, pair[0].shift))]


def _reasons(draft: Draft, slot: int) -> Counter[Reason]:
    reasons = (draft.why_not(person, slot) for person in range(len(draft.on)))
    return Counter(reason for reason in reasons if reason is not None)

"""From a draft to a plan: who of a slot stands on which of its shifts, a last check, and the reasons of what lacks."""

from collections import Counter
from collections.abc import Iterator, Sequence

from shouwang.training.domain.planning.case import Case, not_for
from shouwang.training.domain.planning.draft import Draft
from shouwang.training.domain.planning.values import Unfilled
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.rest import conflicts, held_by
from shouwang.training.domain.shifts import Shift, may_be_held

Placings = dict[str, list[int]]
"""people newly placed, by shift"""


def by_start(shift: Shift) -> tuple[int, str]:
    """The order in which shifts are told of."""
    return shift.start, shift.shift


def hand_out(draft: Draft) -> Placings:
    """Give the people of each slot to its shifts: always to the one that lacks most, then to the one with most room."""
    placings: Placings = {}
    for person, on in enumerate(draft.on):
        for slot in on:
            shift = max(draft.case.slots[slot].shifts, key=lambda shift: _lacks(draft.case, shift, placings))
            placings.setdefault(shift.shift, []).append(person)
    return placings


def _lacks(case: Case, shift: Shift, placings: Placings) -> tuple[int, int]:
    standing = case.standing[shift.shift] + len(placings.get(shift.shift, ()))
    return max(0, shift.minimum - standing), shift.maximum - standing


def drop_broken(case: Case, shifts: Sequence[Shift], placings: Placings) -> int:
    """Take out what a rule forbids, each asked beside all others of the person that are left; how many that were.

    The model is held to the same rules, so there are none; but the rules have the last word, not the model.
    """
    theirs: dict[int, list[Shift]] = {}
    for shift in shifts:
        for person in placings.get(shift.shift, ()):
            theirs.setdefault(person, []).append(shift)
    broken = 0
    for person, mine in theirs.items():
        for name in list(_forbidden(case, person, mine)):
            placings[name].remove(person)
            broken += 1
    return broken


def _forbidden(case: Case, person: int, mine: Sequence[Shift]) -> Iterator[str]:
    held = [*case.holds[person], *map(held_by, mine)]
    for shift in mine:
        new = held_by(shift)
        if (
            may_be_held(shift)
            or not_for(case.candidates[person], shift) is not None
            or conflicts(new, held, case.rules, overtime_agreed=case.agreed(person, new.duty_date))
        ):
            held.remove(new)
            yield shift.shift


def unfilled(draft: Draft, placings: Placings) -> list[Unfilled]:
    """Every shift short of its minimum, by start, with the reason of each person who is not on it."""
    case = draft.case
    found: list[tuple[Shift, Unfilled]] = []
    for number, slot in enumerate(case.slots):
        short = [(shift, lacks) for shift in slot.shifts if (lacks := _lacks(case, shift, placings)[0])]
        why = _reasons(draft, number) if short else Counter()
        for shift, missing in short:
            standing = len(case.on[shift.shift]) + len(placings.get(shift.shift, ()))
            # whoever stands on a slot counts as booked at that time: for this shift, those on it do not remain
            others = why - Counter({Reason.DOUBLE_BOOKED: standing})
            found.append((shift, Unfilled(shift.shift, missing, dict(others.most_common()))))
    found += (
        (shift, Unfilled(shift.shift, missing, dict.fromkeys(may_be_held(shift), missing)))
        for shift in case.forbidden
        if (missing := _lacks(case, shift, placings)[0])
    )
    return [short for _, short in sorted(found, key=lambda pair: by_start(pair[0]))]


def _reasons(draft: Draft, slot: int) -> Counter[Reason]:
    reasons = (draft.why_not(person, slot) for person in range(len(draft.on)))
    return Counter(reason for reason in reasons if reason is not None)

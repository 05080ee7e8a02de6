"""A block of a roster for CP-SAT: some people and every slot open to them, with everybody else left where they are.

Two aims, one after the other, since the solver is far quicker at each than at a sum of both: first as many places
filled, and after them commitments kept, as can be; then, without giving up any of that, fairness and wishes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ortools.sat.python import cp_model

from shouwang.training.domain.planning.draft import Draft
from shouwang.training.domain.planning.fairness import Fairness
from shouwang.training.domain.planning.hours import Hours, limit


class Aim(StrEnum):
    """What a model is solved for."""

    FILL = "fill"
    SHARE = "share"


@dataclass(frozen=True)
class Search:
    """How long and how to look."""

    limit_s: float
    workers: int
    seed: int


@dataclass(frozen=True)
class Found:
    """What came of a search."""

    proven: bool
    gained: bool
    bound: int


class Model:
    """One block. Every variable has its value in the draft as a hint: the solver starts there and never ends worse."""

    def __init__(self, draft: Draft, people: Sequence[int], aim: Aim, fairness: Fairness) -> None:
        """Build it. People are numbers of the case."""
        self.draft, self.people, self.aim = draft, people, aim
        self.model = cp_model.CpModel()
        self.placed: list[dict[int, cp_model.IntVar]] = [
            {slot: self._int(0, 1, int(slot in draft.on[person])) for slot in draft.case.open_to[person]}
            for person in people
        ]
        for person, mine in zip(people, self.placed, strict=True):
            limit(Hours(self.model, draft, person, mine))
        self.now = 0
        lacking = [*self._places(), *self._commitments()]
        if aim is Aim.FILL:
            self.model.minimize(sum(lacking))
        else:
            self.model.add(sum(lacking) <= self.now)
            self.now = fairness.cost(draft, people)
            self.model.minimize(sum(self._costs(fairness)))

    def solve(self, search: Search) -> Found:
        """Look for something better, and write it into the draft."""
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = search.limit_s
        solver.parameters.num_workers = search.workers
        solver.parameters.random_seed = search.seed
        # sharing needs the bounds of linear programs; filling is found by search alone, and much sooner without them
        solver.parameters.linearization_level = int(self.aim is Aim.SHARE)
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Found(proven=False, gained=False, bound=0)
        for person, mine in zip(self.people, self.placed, strict=True):
            self.draft.replace(person, [slot for slot, here in mine.items() if solver.boolean_value(here)])
        gained = round(solver.objective_value) < self.now
        return Found(status == cp_model.OPTIMAL, gained, round(solver.best_objective_bound))

    def _int(self, low: int, high: int, hint: int) -> cp_model.IntVar:
        variable = self.model.new_int_var(low, high, "")
        self.model.add_hint(variable, hint)
        return variable

    def _places(self) -> Iterable[cp_model.LinearExprT]:
        """Hold slots to their maximum; what lacks to their minimum: a place weighs more than all commitments."""
        case, on = self.draft.case, self.draft.on
        weight = 1 + sum(case.promised.values())
        by_slot: dict[int, list[cp_model.IntVar]] = {}
        inside = [0] * len(case.slots)
        for person, mine in zip(self.people, self.placed, strict=True):
            for slot, here in mine.items():
                by_slot.setdefault(slot, []).append(here)
                inside[slot] += slot in on[person]
        for slot, placed in sorted(by_slot.items()):
            outside = self.draft.count[slot] - inside[slot]
            room = case.slots[slot].room - outside
            if room < len(placed):
                self.model.add(sum(placed) <= room)
            yield self._lack(placed, case.slots[slot].need - outside, inside[slot], weight)

    def _commitments(self) -> Iterable[cp_model.LinearExprT]:
        """Hold organisations to what they promised; what lacks to it."""
        case, on = self.draft.case, self.draft.on
        by_name: dict[str, list[cp_model.IntVar]] = {}
        inside: dict[str, int] = {}
        for person, mine in zip(self.people, self.placed, strict=True):
            for slot, here in mine.items():
                if (gives := case.gives(person, slot)) is not None:
                    by_name.setdefault(gives, []).append(here)
                    inside[gives] = inside.get(gives, 0) + (slot in on[person])
        for name, placed in sorted(by_name.items()):
            due = case.promised[name] - self.draft.given[name] + inside[name]
            self.model.add(sum(placed) <= due)
            yield self._lack(placed, due, inside[name], 1)

    def _lack(self, placed: Sequence[cp_model.IntVar], need: int, now: int, weight: int) -> cp_model.LinearExprT:
        if need <= 0:
            return 0
        self.now += weight * max(0, need - now)
        lack = self._int(0, need, max(0, need - now))
        self.model.add(sum(placed) + lack >= need)
        return weight * lack

    def _costs(self, fairness: Fairness) -> Iterable[cp_model.LinearExprT]:
        """The convex cost of each person, as a variable above all its lines; and that of wishes."""
        slots = self.draft.case.slots
        for person, mine in zip(self.people, self.placed, strict=True):
            lines = fairness.lines(person)
            now = self.draft.minutes[person] - self.draft.case.served[person]
            most = sum(slots[slot].sample.minutes for slot in mine)
            minutes = self._int(0, most, now)
            self.model.add(minutes == sum(slots[slot].sample.minutes * here for slot, here in mine.items()))
            cost = self._int(0, max(a * most + b for a, b in lines), max(a * now + b for a, b in lines))
            for a, b in lines:
                self.model.add(cost >= a * minutes + b)
            yield cost
            for slot, here in mine.items():
                yield fairness.displeasure(person, slot) * here

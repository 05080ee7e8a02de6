"""Solving a roster: at once if it is small; what is not proven the best then, block by block.

A roster starts from a simple one (in order of time, whoever has done the least) and is made better a block of people
at a time, everybody else left where they are: first wherever somebody is missing, in blocks large enough to have
somebody free; then, for fairness and wishes, in blocks so small that the solver is done with hundreds of them. No
block makes it worse, so the clock may end it after any.
"""

import itertools
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shouwang.training.domain.planning.case import Case
from shouwang.training.domain.planning.draft import Draft
from shouwang.training.domain.planning.fairness import Fairness
from shouwang.training.domain.planning.model import Aim, Found, Model, Search
from shouwang.training.domain.planning.values import Status

PATIENCE = (1.0, 1.5, 2.0, 3.0, 8.0)
AT_ONCE = 8_000
"""pairs up to which the whole roster is tried as one block"""
FILLING = 60
SHARING = 3
"""people in a block"""
BLOCK_S = 2.0
IDLE_BLOCKS = 12
"""one after the other that fill nothing, after which nothing more is filled"""


@dataclass(frozen=True)
class Solved:
    """What the solver can say of a draft."""

    status: Status
    blocks: int
    bound: int | None


def start(case: Case, ends: float = math.inf) -> Draft:
    """The simple roster that lacks the fewest people, the fairest of those.

    Args:
        ends: of `time.monotonic()`; after that no other is tried.
    """
    best = Draft(case)
    best.fill(PATIENCE[0])
    for patience in PATIENCE[1:]:
        if not best.lacking() or time.monotonic() > ends:
            break
        draft = Draft(case)
        draft.fill(patience)
        best = min(best, draft, key=Draft.lacking)
    return best


def improve(draft: Draft, fairness: Fairness, search: Search) -> Solved:
    """Make a draft as good as the time allows."""
    if not draft.case.pairs:
        return Solved(Status.OPTIMAL, 0, 0)
    solving = _Solving(draft, fairness, search)
    filled = shared = Found(proven=False, gained=False, bound=0)
    if draft.case.pairs <= AT_ONCE:
        filled = solving.at_once(Aim.FILL, until=0.25)
        draft.trim()
        shared = solving.at_once(Aim.SHARE, until=0.5)
    if not filled.proven:
        solving.fill(until=0.75)
        draft.trim()
    if not shared.proven:
        solving.share(until=1.0)
    proven = filled.proven and shared.proven
    return Solved(
        Status.OPTIMAL if proven else Status.FEASIBLE, solving.blocks, shared.bound if filled.proven else None
    )


class _Solving:
    """One block after the other. `until` is a part of the time that the search has."""

    def __init__(self, draft: Draft, fairness: Fairness, search: Search) -> None:
        self.draft, self.fairness, self.search = draft, fairness, search
        self.chance = random.Random(search.seed)  # noqa: S311 it keeps no secret
        self.begun = time.monotonic()
        self.blocks = 0

    def at_once(self, aim: Aim, until: float) -> Found:
        """Everybody in one block."""
        people = [person for person, slots in enumerate(self.draft.case.open_to) if slots]
        return self._solve(people, aim, self._left(until))

    def fill(self, until: float) -> None:
        """Go from one trouble to the next, each with some of the people who might help, until nothing helps."""
        idle = 0
        while troubles := _troubles(self.draft):
            for first, others in self.chance.sample(troubles, len(troubles)):
                left = self._left(until)
                if left <= 0 or idle >= IDLE_BLOCKS:
                    return
                some = self.chance.sample(others, min(FILLING - len(first), len(others)))
                found = self._solve(sorted({*first, *some}), Aim.FILL, min(left, BLOCK_S))
                idle = 0 if found.gained else idle + 1

    def share(self, until: float) -> None:
        """Everybody, a few at a time, of one organisation and mixed by turns, until a round of each gains nothing."""
        idle = 0
        for mixed in itertools.cycle((False, True)):
            gained = False
            for people in self._few(mixed):
                left = self._left(until)
                if left <= 0:
                    return
                gained |= self._solve(people, Aim.SHARE, min(left, BLOCK_S)).gained
            idle = 0 if gained else idle + 1
            if idle == 2:
                return

    def _left(self, until: float) -> float:
        return self.begun + until * self.search.limit_s - time.monotonic()

    def _solve(self, people: Sequence[int], aim: Aim, limit_s: float) -> Found:
        self.blocks += 1
        search = replace(self.search, limit_s=max(0.01, limit_s))
        return Model(self.draft, people, aim, self.fairness).solve(search)

    def _few(self, mixed: bool) -> list[list[int]]:
        """Everybody in small blocks. Those of one organisation can often stand in for one another."""
        groups: dict[str | None, list[int]] = {}
        for person, candidate in enumerate(self.draft.case.candidates):
            if self.draft.case.open_to[person]:
                groups.setdefault(None if mixed else candidate.person.organisation, []).append(person)
        few: list[list[int]] = []
        for people in groups.values():
            self.chance.shuffle(people)
            few += (sorted(people[begin : begin + SHARING]) for begin in range(0, len(people), SHARING))
        self.chance.shuffle(few)
        return few


def _troubles(draft: Draft) -> list[tuple[list[int], list[int]]]:
    """For every slot that is short and every organisation that owes: who should help, and who else might."""
    open_to, owed = draft.case.open_to, draft.owed()
    members: dict[str, list[int]] = {}
    on: list[list[int]] = [[] for _ in draft.count]
    may: list[list[int]] = [[] for _ in draft.count]
    for person, slots in enumerate(open_to):
        organisation = draft.case.candidates[person].person.organisation
        if organisation in owed and slots:
            members.setdefault(organisation, []).append(person)
        for slot in slots:
            may[slot].append(person)
        for slot in draft.on[person]:
            on[slot].append(person)
    found: list[tuple[list[int], list[int]]] = [([], may[slot]) for slot in draft.short() if may[slot]]
    for people in members.values():
        where = {slot for person in people for slot in open_to[person]}
        found.append((people[: FILLING // 2], sorted({person for slot in where for person in on[slot]})))
    return found

"""Solving a roster: at once if it is small, else block by block.

A large roster starts from a simple one (in order of time, whoever has done the least) and is made better a block of
people at a time, everybody else left where they are: first wherever somebody is missing, then, for fairness and
wishes, organisation by organisation. No block makes it worse, so the clock may end it after any.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shouwang.training.domain.planning.case import Case
from shouwang.training.domain.planning.draft import Draft
from shouwang.training.domain.planning.fairness import Fairness
from shouwang.training.domain.planning.model import Aim, Model, Search
from shouwang.training.domain.planning.values import Status

AT_ONCE = 8_000
"""pairs up to which the whole roster is one block, and can be proven"""
PATIENCE = (1.0, 1.5, 2.0, 3.0, 8.0)
PEOPLE = 60
BLOCK_S = 2.0
IDLE_BLOCKS = 12
"""one after the other without any gain, after which it is enough"""


@dataclass(frozen=True)
class Solved:
    """What the solver can say of a draft."""

    status: Status
    blocks: int
    bound: int | None


def start(case: Case) -> Draft:
    """The simple roster that lacks the fewest people, the fairest of those."""
    best = Draft(case)
    for patience in PATIENCE:
        draft = Draft(case)
        draft.fill(patience)
        if patience == PATIENCE[0] or draft.lacking() < best.lacking():
            best = draft
        if not best.lacking():
            break
    return best


def improve(draft: Draft, fairness: Fairness, search: Search) -> Solved:
    """Make a draft as good as the time allows. At most half of it goes to filling."""
    if not draft.case.pairs:
        return Solved(Status.OPTIMAL, 0, 0)
    if draft.case.pairs <= AT_ONCE:
        return _at_once(draft, fairness, search)
    blocks = _Blocks(draft, fairness, search)
    blocks.fill()
    draft.trim()
    blocks.share()
    return Solved(Status.FEASIBLE, blocks.solved, None)


def _at_once(draft: Draft, fairness: Fairness, search: Search) -> Solved:
    people = [person for person, slots in enumerate(draft.case.open_to) if slots]
    ends = time.monotonic() + search.limit_s
    filled = Model(draft, people, Aim.FILL, fairness).solve(replace(search, limit_s=search.limit_s / 2))
    draft.trim()
    model = Model(draft, people, Aim.SHARE, fairness)
    shared = model.solve(replace(search, limit_s=max(0.1, ends - time.monotonic())))
    proven = filled.proven and shared.proven
    return Solved(Status.OPTIMAL if proven else Status.FEASIBLE, 2, shared.bound if filled.proven else None)


class _Blocks:
    """One block after the other, until the time is over or nothing is gained any more."""

    def __init__(self, draft: Draft, fairness: Fairness, search: Search) -> None:
        self.draft, self.fairness, self.search = draft, fairness, search
        self.chance = random.Random(search.seed)  # noqa: S311 it keeps no secret
        self.begun = time.monotonic()
        self.solved = self.idle = 0

    def fill(self) -> None:
        """Go from one trouble to the next, each with some of the people who might help."""
        ends, self.idle = self.begun + self.search.limit_s / 2, 0
        while troubles := _troubles(self.draft):
            for first, others in self.chance.sample(troubles, len(troubles)):
                some = self.chance.sample(others, min(PEOPLE - len(first), len(others)))
                if not self._solve(sorted({*first, *some}), Aim.FILL, ends):
                    return

    def share(self) -> None:
        """Everybody again and again, in blocks of one organisation, small ones together."""
        ends, self.idle = self.begun + self.search.limit_s, 0
        while True:
            for people in self._organisations():
                self.chance.shuffle(people)
                for begin in range(0, len(people), PEOPLE):
                    if not self._solve(sorted(people[begin : begin + PEOPLE]), Aim.SHARE, ends):
                        return

    def _solve(self, people: Sequence[int], aim: Aim, ends: float) -> bool:
        """False if it is enough."""
        left = ends - time.monotonic()
        if left <= 0 or self.idle >= IDLE_BLOCKS:
            return False
        search = replace(self.search, limit_s=min(left, BLOCK_S))
        gained = Model(self.draft, people, aim, self.fairness).solve(search).gained
        self.solved += 1
        self.idle = 0 if gained else self.idle + 1
        return True

    def _organisations(self) -> list[list[int]]:
        by_name: dict[str, list[int]] = {}
        for person, candidate in enumerate(self.draft.case.candidates):
            if self.draft.case.open_to[person]:
                by_name.setdefault(candidate.person.organisation or "", []).append(person)
        large = [people for people in by_name.values() if len(people) > PEOPLE // 2]
        small = [person for people in by_name.values() if len(people) <= PEOPLE // 2 for person in people]
        return [*large, small] if small else large


def _troubles(draft: Draft) -> list[tuple[list[int], list[int]]]:
    """For every organisation that owes and every slot that is short: who should help, and who else might."""
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
        found.append((people[: PEOPLE // 2], sorted({person for slot in where for person in on[slot]})))
    return found

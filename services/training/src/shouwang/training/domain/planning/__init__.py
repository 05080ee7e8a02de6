"""The roster (巡防值班表) that proposes itself: who should stand where, by CP-SAT, and why nobody could for the rest.

Hard: whatever `may_be_held`, `may_stand` and `conflicts` forbid, the maximum of a shift, and commitments as at most.
Soft, in this order: the minimum of every shift, commitments, an even share of minutes, wishes. Nobody is placed above
a minimum unless a commitment needs it.
"""

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from shouwang.training.domain.planning.answer import by_start, drop_broken, hand_out, unfilled
from shouwang.training.domain.planning.blocks import Solved, improve, start
from shouwang.training.domain.planning.case import make_case
from shouwang.training.domain.planning.draft import Draft
from shouwang.training.domain.planning.fairness import Fairness
from shouwang.training.domain.planning.model import Search
from shouwang.training.domain.planning.values import (
    Candidate,
    Commitment,
    Figures,
    Plan,
    Status,
    Unfilled,
    Weights,
    Wish,
    refuse_nonsense,
)
from shouwang.training.domain.rest import RestRules
from shouwang.training.domain.shifts import Shift

__all__ = ["Candidate", "Commitment", "Figures", "Plan", "Status", "Unfilled", "Weights", "Wish", "plan"]

NOBODY: Mapping[str, Sequence[str]] = MappingProxyType({})
EVEN = Weights()
START, SOLVE = 0.25, 0.85
"""Parts of the time by which there is something to make better, and by which it is good enough. What is left is for the
reasons: they ask the rules about everybody again."""


def plan(
    shifts: Sequence[Shift],
    candidates: Sequence[Candidate],
    commitments: Sequence[Commitment],
    rules: RestRules,
    *,
    kept: Mapping[str, Sequence[str]] = NOBODY,
    weights: Weights = EVEN,
    limit_s: float = 30.0,
    workers: int = 1,
    seed: int = 7,
) -> Plan:
    """Propose a roster.

    Args:
        commitments: what organisations give in all, those kept included.
        kept: by shift, the members who stand there already; they stay, and the rules are not asked about them again.
            Who is no candidate just fills a place.
        limit_s: seconds for everything. Small rosters take a few; large ones get better for as long as they may.
        workers: threads of the solver. With one, the same input and seed give the same plan unless the time cut the
            search; with more, any of those that are equally good.

    Raises:
        ValueError: ids given twice or unknown, a minimum above a maximum, a shift that ends before it starts.
    """
    refuse_nonsense(shifts, candidates, commitments, kept)
    clock = [time.monotonic()]
    case = make_case(shifts, candidates, commitments, rules, kept)
    draft, fairness = start(case, clock[0] + START * limit_s), Fairness(case, weights)
    clock.append(time.monotonic())
    search = Search(max(0.0, clock[0] + SOLVE * limit_s - clock[1]), workers, seed)
    solved = improve(draft, fairness, search)
    draft.trim()
    draft.fill()
    clock.append(time.monotonic())
    placings = hand_out(draft)
    broken = drop_broken(case, shifts, placings)
    lacking = unfilled(draft, placings)
    clock.append(time.monotonic())
    return Plan(
        chosen=[
            (shift.shift, candidates[person].member)
            for shift in sorted(shifts, key=by_start)
            for person in placings.get(shift.shift, ())
        ],
        unfilled=lacking,
        owed=draft.owed(),
        figures=_figures(draft, solved, fairness, [end - begin for begin, end in pairwise(clock)], broken),
    )


def _figures(draft: Draft, solved: Solved, fairness: Fairness, seconds: Sequence[float], broken: int) -> Figures:
    case = draft.case
    build_s, solve_s, explain_s = seconds
    refused = sum(max(0, shift.minimum - case.standing[shift.shift]) for shift in case.forbidden)
    return Figures(
        status=solved.status,
        places=refused + sum(slot.need for slot in case.slots),
        missing=refused + draft.lacking(),
        pairs=case.pairs,
        blocks=solved.blocks,
        objective=fairness.cost(draft, range(len(case.candidates))),
        bound=solved.bound,
        spread_min=draft.spread(),
        build_s=build_s,
        solve_s=solve_s,
        explain_s=explain_s,
        dropped=broken,
    )

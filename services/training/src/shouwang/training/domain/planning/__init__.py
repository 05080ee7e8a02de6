"""The roster (巡防值班表) that proposes itself: who should stand where, by CP-SAT, and why nobody could for the rest.

Hard: whatever `may_be_held`, `may_stand` and `conflicts` forbid, the maximum of a shift, and commitments as at most.
Soft, in this order: the minimum of every shift, commitments, an even share of minutes, wishes. Nobody is placed above
a minimum unless a commitment needs it.
"""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from shouwang.training.domain.planning.answer import break_rules, hand_out, unfilled
from shouwang.training.domain.planning.blocks import improve, start
from shouwang.training.domain.planning.case import make_case
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
    begun = time.monotonic()
    case = make_case(shifts, candidates, commitments, rules, kept)
    reasons_s = 1.5 * (time.monotonic() - begun)  # in the end the rules are asked about all the same once more
    draft, fairness = start(case), Fairness(case, weights)
    build_s = time.monotonic() - begun
    solved = improve(draft, fairness, Search(max(0.0, limit_s - build_s - reasons_s), workers, seed))
    draft.trim()
    draft.fill()
    solve_s = time.monotonic() - begun - build_s
    placings = hand_out(draft)
    broken = set(break_rules(case, shifts, placings))
    placings = {name: [p for p in people if (name, p) not in broken] for name, people in placings.items()}
    lacking = unfilled(draft, placings)
    explain_s = time.monotonic() - begun - build_s - solve_s
    by_start = sorted(shifts, key=lambda shift: (shift.start, shift.shift))
    return Plan(
        chosen=[(shift.shift, candidates[p].member) for shift in by_start for p in placings.get(shift.shift, ())],
        unfilled=lacking,
        owed=draft.owed(),
        figures=Figures(
            status=solved.status,
            places=sum(max(0, shift.minimum - case.standing[shift.shift]) for shift in shifts),
            missing=sum(short.missing for short in lacking),
            pairs=case.pairs,
            blocks=solved.blocks,
            objective=fairness.cost(draft, range(len(candidates))),
            bound=solved.bound,
            spread_min=draft.spread(),
            build_s=build_s,
            solve_s=solve_s,
            explain_s=explain_s,
            dropped=len(broken),
        ),
    )

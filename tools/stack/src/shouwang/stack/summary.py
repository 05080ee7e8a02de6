"""The one-line summary that `--json` prints at the end of a demo or replay."""

from typing import Any

from shouwang.stack.drive.board import quantile
from shouwang.stack.drive.drive import Drive
from shouwang.stack.drive.meters import ACCEPTED, FIRST_OFFERS, REJECTED

KEYS = (
    "reports", "rejected", "online", "incidents", "offered", "accepted", "declined", "expired", "completed",
    "shortfall", "offer_ms", "nearest_exact",
)  # fmt: skip
"""Fixed for scripts that read the line; others may follow after these."""


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _nearest_exact(drive: Drive) -> float | None:
    """The share of first offers that went to the unit a full search finds nearest; None when nobody counted."""
    by_answer = drive.meters.by_label(FIRST_OFFERS)
    total = sum(by_answer.values())
    return by_answer.get("exact", 0) / total if total else None


def summarise(drive: Drive) -> dict[str, Any]:
    """What came of a drive. A figure that its service could not be asked for is None, never a guess.

    `reports` and `rejected` are the location service's own counters; tasks and incidents are facts seen, each once;
    `shortfall` counts incidents that were short of hands at some time; `offer_ms` is exact over all samples.
    """
    board, meters = drive.board, drive.meters
    located = meters.known("location")
    facts = board.facts
    return {
        "reports": meters.total(ACCEPTED) if located else None,
        "rejected": meters.by_label(REJECTED) if located else {},
        "online": drive.online,
        "incidents": facts["incident.opened"],
        "offered": facts["task.offered"],
        "accepted": facts["task.accepted"],
        "declined": facts["task.declined"],
        "expired": facts["task.expired"],
        "completed": facts["task.completed"],
        "shortfall": len(board.short),
        "offer_ms": {"p50": _ms(quantile(board.offer_ms, 0.5)), "p99": _ms(quantile(board.offer_ms, 0.99))},
        "nearest_exact": _nearest_exact(drive),
        "duty": {"started": facts["duty.started"], "ended": facts["duty.ended"]},
        "refused_calls": dict(board.refused.get("open_incident", {})),
        "refused_others": {verb: dict(counts) for verb, counts in board.refused.items() if verb != "open_incident"},
        "cancelled": facts["task.cancelled"],
        "closed": facts["incident.closed"],
        "sent": drive.sent,
        "measured": len(board.offer_ms),
        "seconds": round(drive.elapsed_s, 1),
    }

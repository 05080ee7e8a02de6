"""How a task and an incident go on: one table, and what follows from it."""

from collections.abc import Iterable
from enum import StrEnum


class Task(StrEnum):
    """Status of a task."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    ARRIVED = "arrived"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Incident(StrEnum):
    """Status of an incident (警情)."""

    REPORTED = "reported"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    HANDLING = "handling"
    CLOSED = "closed"


LIVE = frozenset({Task.OFFERED, Task.ACCEPTED, Task.ARRIVED})
"""A unit has at most one task of these; the database holds it to that."""

STEPS = {
    (Task.OFFERED, "accept"): Task.ACCEPTED,
    (Task.OFFERED, "decline"): Task.DECLINED,
    (Task.ACCEPTED, "decline"): Task.DECLINED,  # something came between: better said than left
    (Task.ACCEPTED, "arrive"): Task.ARRIVED,
    (Task.ACCEPTED, "complete"): Task.COMPLETED,  # arriving was not pressed; the work was done all the same
    (Task.ARRIVED, "complete"): Task.COMPLETED,
}
"""What an answer makes of a task. What does not stand here cannot be."""

_ALREADY = {
    "accept": Task.ACCEPTED, "decline": Task.DECLINED, "arrive": Task.ARRIVED, "complete": Task.COMPLETED,
}  # fmt: skip


def after(status: Task, answer: str) -> Task | None:
    """The status that an answer leads to; the same status if the answer was given before; None if it cannot be."""
    if status is _ALREADY[answer]:
        return status
    return STEPS.get((status, answer))


def incident_status(tasks: Iterable[Task]) -> Incident:
    """The status of an open incident: as far as the farthest of its tasks."""
    reached = set(tasks)
    for task, incident in (
        (Task.COMPLETED, Incident.HANDLING),
        (Task.ARRIVED, Incident.ARRIVED),
        (Task.ACCEPTED, Incident.ACCEPTED),
        (Task.OFFERED, Incident.DISPATCHED),
    ):
        if task in reached:
            return incident
    return Incident.REPORTED


def missing(needed: int, tasks: Iterable[Task]) -> int:
    """How many hands an incident still lacks: those who have done their part count as hands."""
    hands = sum(task in LIVE or task is Task.COMPLETED for task in tasks)
    return max(0, needed - hands)

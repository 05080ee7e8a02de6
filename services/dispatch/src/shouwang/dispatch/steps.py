"""How a task moves on: its row, the fact of it, and word to the unit where the step was not its own."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.contracts.dispatch import (
    TaskAccepted,
    TaskArrived,
    TaskCancelled,
    TaskCompleted,
    TaskDeclined,
    TaskExpired,
    TaskNotice,
)
from shouwang.dispatch import store
from shouwang.dispatch.domain.progress import Task

StepFact = TaskAccepted | TaskDeclined | TaskExpired | TaskArrived | TaskCompleted | TaskCancelled

_FACTS: dict[Task, type[StepFact]] = {
    Task.ACCEPTED: TaskAccepted, Task.DECLINED: TaskDeclined, Task.EXPIRED: TaskExpired,
    Task.ARRIVED: TaskArrived, Task.COMPLETED: TaskCompleted, Task.CANCELLED: TaskCancelled,
}  # fmt: skip
_STAMPS = {
    Task.ACCEPTED: ("answered_at",), Task.DECLINED: ("answered_at", "ended_at"), Task.ARRIVED: ("arrived_at",),
}  # fmt: skip


async def step(tx: Transaction, task: Row[Any], status: Task, now: datetime, note: str | None = None) -> None:
    """Move a task on, and say so. A step without a note keeps the note of an earlier one."""
    said = {} if note is None else {"note": note}
    stamps = dict.fromkeys(_STAMPS.get(status, ("ended_at",)), now)
    await store.set_task(tx, task.id, status=str(status), **stamps, **said)
    tell_step(tx, task, status, now)


def tell_step(tx: Transaction, task: Row[Any], status: Task, now: datetime) -> None:
    """The fact of a step that is written already; and word to the unit where nobody waits for it any more."""
    tx.tell(_FACTS[status](task=task.id, unit=task.unit, incident=task.incident, at=now))
    if status in (Task.EXPIRED, Task.CANCELLED):
        notice = TaskNotice(task=task.id, status="expired" if status is Task.EXPIRED else "cancelled", at=now)
        tx.deliver(task.unit, TaskNotice.subject(unit=task.unit), notice)

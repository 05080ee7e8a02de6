"""What handlers do apart from the database: a notebook stands in for the transaction and is read afterwards.

It says nothing about SQL being right; the component tests do.
"""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from shouwang.contracts import dispatch as contract
from shouwang.dispatch import handlers, store
from shouwang.dispatch.domain.progress import Task

NOW = datetime(2026, 11, 24, 19, tzinfo=UTC)
TASK, INCIDENT = "00000000-0000-7000-8000-000000000000", "00000000-0000-7000-8000-000000000001"


class Notebook:
    """A transaction that writes down what it is asked to do."""

    def __init__(self) -> None:
        self.statements: list[Any] = []
        self.facts: list[Any] = []
        self.deliveries: list[tuple[str, Any]] = []

    async def execute(self, statement: Any, parameters: Any = None) -> list[Any]:
        self.statements.append(statement)
        return []

    def tell(self, fact: Any) -> None:
        self.facts.append(fact)

    def deliver(self, key: str, subject: str, message: Any) -> None:
        self.deliveries.append((subject, message))


def task(status: str = "offered") -> Any:
    return SimpleNamespace(id=TASK, unit="a", incident=INCIDENT, distance_m=1.0, reason="nearest", status=status)


@pytest.mark.parametrize("live", [None, True, False])
async def test_tasks_can_be_asked_for_by_whether_they_are_live(live: bool | None) -> None:
    book = Notebook()
    await store.task_list(book, unit=None, incident=None, live=live, limit=5)  # type: ignore[arg-type]
    words = str(book.statements[0])
    assert ("status IN" in words) is (live is True)
    assert ("status NOT IN" in words) is (live is False)


@pytest.mark.parametrize(
    ("status", "fact", "stamp", "notice"),
    [
        (Task.ACCEPTED, contract.TaskAccepted, "answered_at", None),
        (Task.ARRIVED, contract.TaskArrived, "arrived_at", None),
        (Task.DECLINED, contract.TaskDeclined, "ended_at", None),
        (Task.COMPLETED, contract.TaskCompleted, "ended_at", None),
        (Task.EXPIRED, contract.TaskExpired, "ended_at", "expired"),
        (Task.CANCELLED, contract.TaskCancelled, "ended_at", "cancelled"),
    ],
)
async def test_a_step_is_stamped_and_told_and_the_unit_hears_what_it_did_not_do_itself(
    status: Task, fact: type[Any], stamp: str, notice: str | None
) -> None:
    book = Notebook()
    await handlers.end_or_go_on(book, task(), status, NOW, note="on my way")  # type: ignore[arg-type]
    values = book.statements[0].compile().params
    assert {"status": str(status), stamp: NOW, "note": "on my way"}.items() <= values.items()
    assert book.facts == [fact(task=TASK, unit="a", incident=INCIDENT, at=NOW)]
    told = [(subject, message.status) for subject, message in book.deliveries]
    assert told == ([("user.a.notice", notice)] if notice else [])


async def test_a_step_without_a_note_keeps_the_note_of_an_earlier_step() -> None:
    book = Notebook()
    await handlers.end_or_go_on(book, task(), Task.ARRIVED, NOW)  # type: ignore[arg-type]
    assert "note" not in book.statements[0].compile().params


@pytest.mark.parametrize(("status", "missing"), [("closed", 0), ("dispatched", 1)])
async def test_opening_again_under_the_same_external_id_says_what_is_missing_now(
    monkeypatch: pytest.MonkeyPatch, status: str, missing: int
) -> None:
    call = store.Call(INCIDENT, 27.7, 120.6, "x", needed=2, status=status, missing=missing)

    def answers(value: Any) -> Any:
        async def answer(*_: Any) -> Any:
            return value

        return answer

    for name, value in {
        "incident_by_external_id": INCIDENT, "tasks_of": [task("cancelled")], "lock_incident": call,
        "last_left_out": [{"unit": "b", "reason": "busy"}],
    }.items():  # fmt: skip
        monkeypatch.setattr(store, name, answers(value))
    opened = await handlers._opened_before(Notebook(), "duty", "ext-1")  # type: ignore[arg-type]
    assert opened.shortfall == missing
    assert opened.left_out == [contract.LeftOut(unit="b", reason="busy")]

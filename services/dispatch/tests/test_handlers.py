"""What handlers and steps do apart from the database: a notebook stands in for the transaction and is read afterwards.

It says nothing about SQL being right; the component tests do.
"""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from shouwang.contracts import dispatch as contract
from shouwang.dispatch import handlers, store
from shouwang.dispatch.domain.choosing import Reason
from shouwang.dispatch.domain.progress import Task
from shouwang.dispatch.steps import step, tell_step

NOW = datetime(2026, 11, 24, 19, tzinfo=UTC)
TASK, INCIDENT = "00000000-0000-7000-8000-000000000000", "00000000-0000-7000-8000-000000000001"


def task(status: str = "offered") -> Any:
    return SimpleNamespace(id=TASK, unit="a", incident=INCIDENT, distance_m=1.0, reason="nearest", status=status)


# -- the door --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "fields", "words"),
    [
        (contract.OpenIncident, {"kind": "help", "lat": 27.7, "lon": 120.6}, "summary"),
        (contract.Respond, {"task": TASK, "answer": "decline"}, "note"),
        (contract.CancelTask, {"task": TASK}, "reason"),
        (contract.CloseIncident, {"incident": INCIDENT}, "note"),
    ],
)
def test_a_text_that_the_database_cannot_keep_is_refused_at_the_door(
    ask: type[Any], fields: dict[str, Any], words: str
) -> None:
    r"""PostgreSQL has no \u0000 in a text; every other character it has."""
    for text in ("a\x00b", "\x00", "a\nb\x00", "\x00守望"):
        with pytest.raises(ValidationError) as caught:
            ask.model_validate({**fields, words: text})
        assert [error["loc"] for error in caught.value.errors()] == [(words,)]
    for text in ("a\nb", "守望 😀", "\x01\x7f\u2028b", "x" * 2000):
        assert getattr(ask.model_validate({**fields, words: text}), words) == text


# -- the store -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("live", [None, True, False])
async def test_tasks_can_be_asked_for_by_whether_they_are_live(book: Any, live: bool | None) -> None:
    await store.task_list(book, unit=None, incident=None, live=live, limit=5)
    words = str(book.statements[0])
    assert ("status IN" in words) is (live is True)
    assert ("status NOT IN" in words) is (live is False)


@pytest.mark.parametrize(
    ("busy", "last", "presence", "reason"),
    [
        (False, None, None, None),
        (False, None, "online", None),
        (False, None, "silent", Reason.SILENT),
        (False, None, "offline", Reason.OFFLINE),
        (True, None, None, Reason.BUSY),
        (True, "declined", "offline", Reason.BUSY),
        (False, "declined", None, Reason.DECLINED),
        (False, "declined", "silent", Reason.DECLINED),
        (False, "expired", None, Reason.NO_ANSWER),
        (False, "cancelled", None, Reason.TASK_ENDED),
        (False, "completed", "online", Reason.TASK_ENDED),
    ],
)
async def test_what_keeps_a_unit_from_going(
    book: Any, busy: bool, last: str | None, presence: str | None, reason: Reason | None
) -> None:
    book.rows = [SimpleNamespace(unit="a", busy=busy, last=last, presence=presence)]
    assert await store.standings(book, INCIDENT, {"a": 100.5}, NOW) == ({} if reason is None else {"a": reason})


async def test_each_unit_is_looked_up_with_the_time_of_its_own_fix(book: Any) -> None:
    await store.standings(book, INCIDENT, {"a": 100.5, "b": 7.0}, NOW)
    assert book.parameters == [{"incident": INCIDENT, "names": ["a", "b"], "times": [100.5, 7.0], "again": NOW}]


async def test_no_offers_are_no_statement(book: Any) -> None:
    assert await store.offer(book, []) == set()
    assert book.statements == []


# -- steps -----------------------------------------------------------------------------------------------------------


STEPS = [
    (Task.ACCEPTED, contract.TaskAccepted, {"answered_at"}, None),
    (Task.ARRIVED, contract.TaskArrived, {"arrived_at"}, None),
    (Task.DECLINED, contract.TaskDeclined, {"answered_at", "ended_at"}, None),
    (Task.COMPLETED, contract.TaskCompleted, {"ended_at"}, None),
    (Task.EXPIRED, contract.TaskExpired, {"ended_at"}, "expired"),
    (Task.CANCELLED, contract.TaskCancelled, {"ended_at"}, "cancelled"),
]


@pytest.mark.parametrize(("status", "fact", "stamps", "notice"), STEPS)
async def test_a_step_is_stamped_and_told_and_the_unit_hears_what_it_did_not_do_itself(
    book: Any, status: Task, fact: type[Any], stamps: set[str], notice: str | None
) -> None:
    await step(book, task(), status, NOW, note="on my way")
    (statement,) = book.statements
    values = statement.compile().params
    assert {"status": str(status), "note": "on my way"}.items() <= values.items()
    assert {name for name, value in values.items() if value == NOW} == stamps
    assert book.facts == [fact(task=TASK, unit="a", incident=INCIDENT, at=NOW)]
    told = [(subject, message.task, message.status) for subject, message in book.deliveries]
    assert told == ([("user.a.notice", TASK, notice)] if notice else [])


@pytest.mark.parametrize(("status", "fact", "stamps", "notice"), STEPS)
async def test_a_step_that_is_written_already_is_only_told(
    book: Any, status: Task, fact: type[Any], stamps: set[str], notice: str | None
) -> None:
    written, told = type(book)(), book
    await step(written, task(), status, NOW)
    tell_step(told, task(), status, NOW)
    assert told.statements == []
    assert (told.facts, told.deliveries) == (written.facts, written.deliveries)


@pytest.mark.parametrize("status", [status for status, *_ in STEPS])
async def test_a_step_without_a_note_keeps_the_note_of_an_earlier_step(book: Any, status: Task) -> None:
    await step(book, task(), status, NOW)
    assert "note" not in book.statements[0].compile().params


# -- handlers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "missing"), [("closed", 0), ("dispatched", 1), ("reported", 2)])
async def test_opening_again_under_the_same_external_id_says_what_is_missing_now(
    monkeypatch: pytest.MonkeyPatch, book: Any, status: str, missing: int
) -> None:
    call = store.Call(INCIDENT, 27.7, 120.6, "x", needed=2, status=status, missing=missing, opened_at=NOW)

    def answers(value: Any) -> Any:
        async def answer(*_: Any) -> Any:
            return value

        return answer

    for name, value in {
        "incident_by_external_id": INCIDENT, "tasks_of": [task("cancelled")], "lock_incident": call,
        "last_left_out": [{"unit": "b", "reason": "busy"}],
    }.items():  # fmt: skip
        monkeypatch.setattr(store, name, answers(value))
    opened = await handlers._opened_before(book, "duty", "ext-1")
    assert opened.incident == INCIDENT
    assert opened.shortfall == missing
    assert opened.tasks == [contract.Offer(task=TASK, unit="a", distance_m=1.0, reason="nearest")]
    assert opened.left_out == [contract.LeftOut(unit="b", reason="busy")]

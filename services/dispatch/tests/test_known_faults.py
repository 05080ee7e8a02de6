"""Each test here shows a fault that is still there. When one passes, move it to where it belongs."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from shouwang.dispatch import handlers, store
from shouwang.dispatch.domain.progress import Task
from shouwang.dispatch.settings import Settings

NOW = datetime(2026, 11, 24, 19, tzinfo=UTC)


class Notebook:
    """A transaction that writes down what it is asked to do."""

    def __init__(self) -> None:
        self.statements: list[Any] = []

    async def execute(self, statement: Any, parameters: Any = None) -> list[Any]:
        self.statements.append(statement)
        return []

    def tell(self, fact: Any) -> None: ...

    def deliver(self, key: str, subject: str, message: Any) -> None: ...


@pytest.mark.parametrize("live", [None, True, False])
async def test_tasks_can_be_asked_for_by_whether_they_are_live(live: bool | None) -> None:
    """`not_()` of a piece of text is an AssertionError: every `tasks {live: false}` is answered with a 500."""
    await store.task_list(Notebook(), unit=None, incident=None, live=live, limit=5)  # type: ignore[arg-type]


async def test_a_step_without_a_note_keeps_the_note_of_an_earlier_step() -> None:
    """`respond {accept, note: "five minutes"}`, then `respond {arrive}`: the note is gone."""
    tx, task = Notebook(), SimpleNamespace(id="t", unit="a", incident="i")
    ids = {"id": "00000000-0000-7000-8000-000000000000", "incident": "00000000-0000-7000-8000-000000000001"}
    await handlers.end_or_go_on(tx, SimpleNamespace(**{**vars(task), **ids}), Task.ARRIVED, NOW, note=None)  # type: ignore[arg-type]
    assert "note" not in tx.statements[0].compile().params


async def test_opening_a_closed_incident_again_says_that_nobody_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tasks were cancelled, so counting hands says that all are missing; `incident` says 0."""
    incident = "00000000-0000-7000-8000-000000000001"
    call = store.Call(incident, 27.7, 120.6, "x", needed=2, status="closed", missing=0)
    row = SimpleNamespace(id=incident, unit="a", distance_m=1.0, reason="nearest", status="cancelled")

    def answers(value: Any) -> Any:
        async def answer(*_: Any) -> Any:
            return value

        return answer

    for name, value in {
        "incident_by_external_id": incident, "tasks_of": [row], "lock_incident": call, "last_left_out": [],
    }.items():  # fmt: skip
        monkeypatch.setattr(store, name, answers(value))
    opened = await handlers._opened_before(Notebook(), "duty", "ext-1")  # type: ignore[arg-type]
    assert opened.shortfall == call.missing


@pytest.mark.parametrize("speed", [0, -8, float("nan")])
def test_a_speed_by_kind_must_be_a_speed(speed: float) -> None:
    """0 divides every decision by zero; a negative one puts its kind before everybody; NaN sorts at random."""
    with pytest.raises(ValidationError):
        Settings(speeds_mps={"car": speed})

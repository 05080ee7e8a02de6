"""What follows when training tells of a member: kept always, acted on only where duty is enforced."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from shouwang.common.testing import FixedClock
from shouwang.contracts.dispatch import TaskCancelled
from shouwang.contracts.training.duty import DutyEnded, DutyStarted
from shouwang.contracts.training.people import MemberCleared, MemberSuspended
from shouwang.dispatch import duty, store
from shouwang.dispatch.domain.eligibility import Member

NOW = datetime(2026, 11, 24, 19, tzinfo=UTC)
BEFORE, UNTIL = NOW - timedelta(hours=1), NOW + timedelta(hours=3)
FIRST, SECOND = (f"00000000-0000-7000-8000-{n:012}" for n in (1, 2))
TASK, INCIDENT = "00000000-0000-7000-8000-0000000000ff", "00000000-0000-7000-8000-0000000000fe"
ON_DUTY = Member().cleared("guard", None, BEFORE).started("guard", FIRST, FIRST, UNTIL, BEFORE)

ABOUT: dict[str, Any] = {"member": "a", "kind": "guard", "at": NOW}
CLEARED = MemberCleared(**ABOUT, until=None)
SUSPENDED = MemberSuspended(**ABOUT, reason="no_consent")
STARTED = DutyStarted(**ABOUT, shift=SECOND, duty=SECOND, until=UNTIL)
ENDED = DutyEnded(member="a", shift=FIRST, duty=FIRST, reason="said", at=NOW)


class Desk:
    """Stands in for the store: one member, perhaps with a task."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.member, self.task_status = Member(), "offered"
        self.offered: Any = None
        self.done: list[Any] = []
        for name in ("lock_member", "set_member", "offered_to", "lock_incident", "task", "set_task", "wake_short"):
            monkeypatch.setattr(store, name, getattr(self, name))

    async def lock_member(self, _: Any, name: str) -> Member:
        assert name == "a"
        return self.member

    async def set_member(self, _: Any, name: str, member: Member) -> None:
        self.done.append("kept")
        self.member = member

    async def offered_to(self, _: Any, unit: str) -> Any:
        return self.offered

    async def lock_incident(self, _: Any, incident: str) -> Any:
        assert incident == INCIDENT
        return SimpleNamespace(id=INCIDENT)

    async def task(self, _: Any, task: str) -> Any:
        return SimpleNamespace(**{**vars(self.offered), "status": self.task_status})

    async def set_task(self, _: Any, task: str, **values: Any) -> None:
        self.done.append((task, values["status"], values["note"]))

    async def wake_short(self, _: Any, now: datetime) -> None:
        assert now == NOW
        self.done.append("woken")


class Hands:
    """Stands in for the finding of hands."""

    def __init__(self, desk: Desk, *, enforced: bool) -> None:
        self.enforced, self._desk = enforced, desk

    async def fill(self, _: Any, call: Any) -> None:
        self._desk.done.append(f"passed on {call.id}")


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


Tell = Callable[..., Awaitable[None]]


@pytest.fixture
def tell(desk: Desk, book: Any) -> Tell:
    """Tell dispatch a fact."""
    handlers: dict[type[Any], Any] = {
        MemberCleared: duty.member_cleared, MemberSuspended: duty.member_suspended,
        DutyStarted: duty.duty_started, DutyEnded: duty.duty_ended,
    }  # fmt: skip

    async def tell(fact: Any, *, enforced: bool = True) -> None:
        hands: Any = Hands(desk, enforced=enforced)
        await handlers[type(fact)](fact, book, hands, FixedClock(NOW))

    return tell


def offer(desk: Desk) -> None:
    desk.offered = SimpleNamespace(id=TASK, unit="a", incident=INCIDENT, status="offered")


async def test_facts_are_kept_whether_or_not_duty_counts(desk: Desk, tell: Tell) -> None:
    for fact in (CLEARED, STARTED):
        await tell(fact, enforced=False)
    assert desk.member == Member().cleared("guard", None, NOW).started("guard", SECOND, SECOND, UNTIL, NOW)
    assert desk.done == ["kept", "kept"]


@pytest.mark.parametrize("fact", [SUSPENDED, ENDED])
async def test_where_duty_is_ignored_nothing_follows(desk: Desk, tell: Tell, fact: Any) -> None:
    desk.member = ON_DUTY
    offer(desk)
    await tell(fact, enforced=False)
    assert desk.done == ["kept"]


@pytest.mark.parametrize(("first", "then"), [(CLEARED, STARTED), (STARTED, CLEARED)])
async def test_who_can_be_sent_from_now_on_wakes_what_waits_for_hands(
    desk: Desk, tell: Tell, first: Any, then: Any
) -> None:
    await tell(first)
    assert desk.done == ["kept"]
    await tell(then)
    assert desk.done == ["kept", "kept", "woken"]
    await tell(then)
    await tell(first)  # both again: nothing new
    assert desk.done == ["kept", "kept", "woken"]


async def test_who_could_be_sent_before_wakes_nobody(desk: Desk, tell: Tell) -> None:
    desk.member = ON_DUTY
    await tell(CLEARED)  # for longer, say
    assert desk.done == ["kept"]


@pytest.mark.parametrize(("fact", "note"), [(SUSPENDED, "no_consent"), (ENDED, "off_duty")])
async def test_an_offer_that_was_not_answered_is_taken_back_and_passed_on(
    desk: Desk, tell: Tell, book: Any, fact: Any, note: str
) -> None:
    desk.member = ON_DUTY
    offer(desk)
    await tell(fact)
    assert desk.done == ["kept", (TASK, "cancelled", note), f"passed on {INCIDENT}"]
    assert book.facts == [TaskCancelled(task=TASK, unit="a", incident=INCIDENT, at=NOW)]
    assert [subject for subject, _ in book.deliveries] == ["user.a.notice"]  # its phone is told


@pytest.mark.parametrize("status", ["accepted", "arrived", "declined", "expired", "cancelled", "completed"])
async def test_what_was_answered_before_it_could_be_taken_back_stays(desk: Desk, tell: Tell, status: str) -> None:
    desk.member, desk.task_status = ON_DUTY, status
    offer(desk)
    await tell(ENDED)
    assert desk.done == ["kept"]


async def test_the_end_of_an_older_duty_takes_nothing_back(desk: Desk, tell: Tell) -> None:
    desk.member = ON_DUTY.started("guard", SECOND, SECOND, UNTIL, NOW)
    offer(desk)
    await tell(ENDED)
    assert desk.done == []

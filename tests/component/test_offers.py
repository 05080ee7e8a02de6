"""An incident goes to the nearest who can go; when one cannot, to the next; when nobody can, that is said."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from shouwang.common.ids import new_id
from shouwang.common.testing import ask, becomes, eventually, hearing, kept
from shouwang.contracts.dispatch import TaskDelivery, TaskNotice

from .town import Town, left_out, offered


async def run_out(db: asyncpg.Pool, task: str) -> None:
    """The time for an offer is over, without waiting for it."""
    await db.execute("UPDATE dispatch.tasks SET expires_at = now() WHERE id = $1", task)


async def test_the_nearest_are_offered_it_in_order_of_distance_and_hear_it_at_once(town: Town) -> None:
    await town.patrol(far=300, near=100, middle=200)
    async with hearing(town.connection, "user.*.task") as heard:
        said = await town.open(needed=2, summary="两人争吵,有人持刀")
        assert offered(said) == ["near", "middle"]
        assert [round(offer["distance_m"]) for offer in said["tasks"]] == [100, 200]
        assert (said["left_out"], said["shortfall"]) == ([], 0)

        def deliveries() -> dict[str, TaskDelivery]:
            ours = (msg for msg in heard if town.name in msg.subject)
            return {msg.subject: TaskDelivery.model_validate_json(msg.data) for msg in ours}

        got = await eventually(lambda: found if len(found := deliveries()) == 2 else None)
    for offer in said["tasks"]:
        delivery = got[TaskDelivery.subject(unit=offer["unit"])]
        assert (delivery.task, delivery.incident) == (offer["task"], said["incident"])
        assert (delivery.lat, delivery.lon, delivery.instruction) == (town.lat, town.lon, "两人争吵,有人持刀")
        assert (await town.facts(f"task.offered.v1.{offer['unit']}.>"))[0].json["task"] == offer["task"]
    assert len(await town.facts(f"incident.opened.v1.{said['incident']}")) == 1


async def test_an_offer_nobody_answers_goes_on_to_the_next_nearest(town: Town, db: asyncpg.Pool) -> None:
    await town.patrol(a=100, b=200)
    said = await town.open()
    async with hearing(town.connection, f"user.{town.unit('a')}.notice") as notices:
        await run_out(db, said["tasks"][0]["task"])
        second = await town.offer_to(said["incident"], "b")
        notice = await eventually(lambda: notices and TaskNotice.model_validate_json(notices[0].data))
    assert (notice.task, notice.status) == (said["tasks"][0]["task"], "expired")
    assert await town.steps(said["tasks"][0]["task"]) == ["offered", "expired"]
    assert await eventually(lambda: town.steps(second["task"])) == ["offered"]
    assert left_out(await town.incident(said["incident"])) == {"a": "no_answer"}


async def test_a_declined_offer_goes_on_to_the_next_nearest(town: Town) -> None:
    await town.patrol(a=100, b=200, c=300)
    said = await town.open()
    assert (await town.respond(said["tasks"][0], "decline")).body["status"] == "declined"
    second = await town.offer_to(said["incident"], "b")
    await town.respond(second, "accept")
    await town.respond(second, "decline")  # something came between
    await town.offer_to(said["incident"], "c")
    now = await town.incident(said["incident"])
    assert left_out(now) == {"a": "declined", "b": "declined"}
    assert [task["status"] for task in now["tasks"]] == ["declined", "declined", "offered"]


async def test_a_task_taken_back_goes_on_to_the_next_nearest_and_the_unit_is_told(town: Town) -> None:
    await town.patrol(a=100, b=200)
    said = await town.open()
    async with hearing(town.connection, f"user.{town.unit('a')}.notice") as notices:
        answer = await town.ask("dispatch.cancel_task", {"task": said["tasks"][0]["task"], "reason": "另有任务"})
        assert answer.body["status"] == "cancelled"
        notice = await eventually(lambda: notices and TaskNotice.model_validate_json(notices[0].data))
    assert notice.status == "cancelled"
    await town.offer_to(said["incident"], "b")
    assert left_out(await town.incident(said["incident"])) == {"a": "task_ended"}


async def test_when_nobody_is_left_the_shortfall_is_declared_and_who_becomes_free_is_offered_it(town: Town) -> None:
    await town.patrol(a=100)
    said = await town.open(needed=2)
    assert (offered(said), said["shortfall"]) == (["a"], 1)
    await town.respond(said["tasks"][0], "decline")

    async def declared() -> list[int]:
        facts = await town.facts(f"shortfall.declared.v1.{said['incident']}")
        return [fact.json["missing"] for fact in facts]

    await becomes(declared, [1, 2])
    await town.report("late", 150)  # comes on duty: nobody asks again
    await town.offer_to(said["incident"], "late")
    assert (await town.incident(said["incident"]))["shortfall"] == 1


async def test_who_is_done_elsewhere_is_offered_what_waits(town: Town) -> None:
    await town.patrol(a=100)
    first, second = await town.open(), await town.open()
    assert (offered(second), left_out(second), second["shortfall"]) == ([], {"a": "busy"}, 1)
    for step in ("accept", "arrive", "complete"):
        assert (await town.respond(first["tasks"][0], step)).status == 200
    await town.offer_to(second["incident"], "a")
    assert (await town.incident(second["incident"]))["shortfall"] == 0
    assert (await town.incident(first["incident"]))["status"] == "handling"


async def test_the_most_urgent_of_those_that_wait_is_served_first(town: Town) -> None:
    waiting = {}
    for priority in ("low", "normal", "urgent", "high"):
        said = await town.open(priority=priority)
        assert said["shortfall"] == 1
        waiting[said["incident"]] = priority
    served = []
    for word in "abcd":
        unit = await town.report(word, 100)
        (task,) = await eventually(lambda unit=unit: _tasks(town, unit))
        served.append(waiting[task["incident"]])
    assert served == ["urgent", "high", "normal", "low"]


async def _tasks(town: Town, unit: str) -> list[dict[str, Any]]:
    return (await town.ask("dispatch.tasks", {"unit": unit})).body["tasks"]


async def test_who_is_busy_silent_or_too_far_is_left_out_with_the_reason(town: Town, db: asyncpg.Pool) -> None:
    await town.patrol(busy=100, free=500, far=10_500)
    await town.report("silent", 300, age_s=200)
    known = "SELECT presence FROM dispatch.units WHERE unit = $1"
    await becomes(lambda: db.fetchval(known, town.unit("silent")), "silent")
    first = await town.open()
    second = await town.open()
    assert offered(first) == ["busy"]
    assert (offered(second), left_out(second)) == (["free"], {"busy": "busy", "silent": "silent"})
    third = await town.open()
    assert (offered(third), third["shortfall"]) == ([], 1)
    assert left_out(third) == {"busy": "busy", "silent": "silent", "free": "busy"}


async def test_only_the_unit_that_was_offered_a_task_may_answer_it(town: Town) -> None:
    await town.patrol(a=100, b=200)
    offer = (await town.open())["tasks"][0]
    assert (await town.respond({**offer, "unit": town.unit("b")}, "accept")).status == 403
    assert (await town.steps(offer["task"])) in ([], ["offered"])
    assert (await town.respond(offer, "accept")).status == 200


async def test_what_is_not_known_is_404(town: Town) -> None:
    unknown = new_id()
    for contract, body in {
        "dispatch.respond": {"task": unknown, "answer": "accept"},
        "dispatch.cancel_task": {"task": unknown},
        "dispatch.incident": {"incident": unknown},
        "dispatch.close_incident": {"incident": unknown},
        "location.unit": {"unit": town.unit("nobody")},
    }.items():
        answer = await town.ask(contract, body)
        assert (contract, answer.status, answer.body["title"]) == (contract, 404, "Not Found")


IMPOSSIBLE = [
    ([], "arrive"), ([], "complete"), (["accept", "arrive"], "decline"), (["accept", "arrive"], "accept"),
    (["decline"], "accept"), (["decline"], "arrive"), (["accept", "complete"], "arrive"),
    (["accept", "complete"], "decline"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "answer"), IMPOSSIBLE)
async def test_an_answer_that_cannot_be_is_409_and_changes_nothing(town: Town, before: list[str], answer: str) -> None:
    await town.patrol(a=100)
    offer = (said := await town.open())["tasks"][0]
    for step in before:
        assert (await town.respond(offer, step)).status == 200
    was = (await town.incident(said["incident"]))["tasks"]
    assert (await town.respond(offer, answer)).status == 409
    assert (await town.incident(said["incident"]))["tasks"] == was


async def test_the_same_answer_twice_is_said_once(town: Town) -> None:
    await town.patrol(a=100)
    offer = (await town.open())["tasks"][0]
    for step in ("accept", "accept", "arrive", "arrive", "complete", "complete"):
        assert (await town.respond(offer, step)).status == 200
    await becomes(lambda: town.steps(offer["task"]), ["offered", "accepted", "arrived", "completed"])


async def test_a_task_that_has_ended_cannot_be_taken_back(town: Town) -> None:
    await town.patrol(a=100)
    offer = (await town.open())["tasks"][0]
    await town.respond(offer, "decline")
    assert (await town.ask("dispatch.cancel_task", {"task": offer["task"]})).status == 409


async def test_the_same_external_id_opens_one_incident_only(town: Town, found_town: Callable[[], Town]) -> None:
    await town.patrol(a=100, b=200)
    first = await town.open(external_id=town.name)
    again = await town.open(external_id=town.name)
    assert again == first
    assert len(await town.facts(f"incident.opened.v1.{first['incident']}")) == 1
    body = {"kind": "dispute", **town.at(0), "summary": "两人争吵", "external_id": town.name}
    other = await ask(town.connection, "request.other-room.dispatch.open_incident.v1", body)
    assert other.body["incident"] != first["incident"]  # the id is the caller's own


async def test_twenty_calls_at_once_with_one_external_id_open_one_incident(town: Town) -> None:
    await town.patrol(a=100, b=200)
    said = await asyncio.gather(*(town.open(external_id=town.name) for _ in range(20)))
    assert len({one["incident"] for one in said}) == 1
    assert [offered(one) for one in said] == [["a"]] * 20


async def test_closing_takes_back_what_is_live_and_tells_the_units(town: Town) -> None:
    await town.patrol(a=100, b=200, c=300)
    said = await town.open(needed=3)
    await town.respond(said["tasks"][0], "decline")
    await town.respond(said["tasks"][1], "accept")
    async with hearing(town.connection, "user.*.notice") as heard:
        for _ in range(2):
            answer = await town.ask("dispatch.close_incident", {"incident": said["incident"], "outcome": "false"})
            assert answer.body["status"] == "closed"
        told = await eventually(lambda: found if len(found := _told(heard, town)) >= 2 else None)
    assert told == [("b", "cancelled"), ("c", "cancelled")]
    now = await town.incident(said["incident"])
    assert [task["status"] for task in now["tasks"]] == ["declined", "cancelled", "cancelled"]
    assert (now["status"], now["outcome"], now["shortfall"]) == ("closed", "false", 0)
    await becomes(lambda: town.steps(said["tasks"][2]["task"]), ["offered", "cancelled"])
    closed = await kept(town.connection, "DISPATCH", f"dispatch.incident.closed.v1.{said['incident']}")
    assert len(closed) == 1
    await town.report("free", 50)
    again = await town.open(needed=4)  # everybody is free again
    assert sorted(offered(again)) == ["a", "b", "c", "free"]


def _told(heard: list, town: Town) -> list[tuple[str, str]]:  # type: ignore[type-arg]
    ours = (msg for msg in heard if town.name in msg.subject)
    return sorted(
        (msg.subject.split(".")[1].rpartition("-")[2], TaskNotice.model_validate_json(msg.data).status) for msg in ours
    )

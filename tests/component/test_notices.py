"""Word beyond the phone app: what members choose, when it is sent, and what becomes of a channel that fails.

Training runs in the test's own process, since its clock is set, with a second sender beside it, as a second replica has
one; what they send goes over HTTP to a server here.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import nats
import pytest
from nats.aio.client import Client
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from shouwang.common.database import Database
from shouwang.common.testing import FixedClock, becomes, eventually, hearing, running
from shouwang.stack.suite import Suite
from shouwang.training.domain.days import at, day_of
from shouwang.training.main import assemble
from shouwang.training.metrics import Metrics
from shouwang.training.notices import PORTION, Notices
from shouwang.training.settings import Settings

from .office import Office

MORNING = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)
"""10:00 in Ruian."""
PHONE = "13800138000"
LIMIT_S = 3.0


@dataclass
class Gateway:
    """Stands for WeCom and the others: takes what apprise posts; as told it refuses, or does not answer at all."""

    port: int = 0
    refuses: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=lambda: {"dead"})
    taken: list[tuple[str, str, str]] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request: `POST /<channel>/<to whom>`."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")
        )
        body = json.loads(await reader.readexactly(length))
        channel, whom = head.split(" ", 2)[1].strip("/").split("/")
        self.tried[channel] += 1
        if channel in self.silent:
            await reader.read()  # until the other side has had enough
        else:
            status = "500 No" if channel in self.refuses else "200 OK"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            if channel not in self.refuses:
                self.taken.append((channel, whom, body["message"]))
        writer.close()

    def to(self, whom: str) -> list[tuple[str, str]]:
        """Channel and words of what came for a member or a number, in order."""
        return [(channel, text) for channel, name, text in self.taken if name == whom]


@dataclass
class House:
    """Everything at work."""

    office: Office
    clock: FixedClock
    gateway: Gateway
    db: asyncpg.Pool
    registries: list[CollectorRegistry]

    def counted(self, channel: str, outcome: str) -> float:
        """What the metrics of both say."""
        labels = {"channel": channel, "outcome": outcome}
        found = [registry.get_sample_value("training_notices_total", labels) for registry in self.registries]
        return sum(value or 0.0 for value in found)

    async def rows(self, member: str) -> list[asyncpg.Record]:
        """The queue of a member."""
        wanted = "SELECT *, sent_at IS NOT NULL AS sent FROM training.notices WHERE member = $1 ORDER BY id"
        return list(await self.db.fetch(wanted, member))

    async def member(self, word: str, *channels: str, **more: Any) -> str:
        """A volunteer whom nothing forbids to patrol, and who chose these channels."""
        member = await self.office.cleared(word, today=day_of(self.clock()), phone=PHONE, **more)
        if channels:
            await self.office.done("set_notices", {"channels": channels}, principal=member)
        return member

    async def offered(self, *members: str, start: str = "22:00", end: str = "02:00", ahead: int = 2) -> str:
        """A shift on a published roster, some days ahead, that these are asked for."""
        day = day_of(self.clock()) + timedelta(days=ahead)
        officer = await self.office.member("officer", "community_officer")
        roster = await self.office.roster(day)
        [shift] = await self.office.shifts(roster, [day], start=start, end=end, lead_officer=officer)
        for member in members:
            await self.office.done("assign", {"shift": shift, "member": member})
        await self.office.publish(roster)
        return shift

    def stand(self, days: int, clock: str) -> None:
        """Set the clock to a local time, so many days from its own day on."""
        self.clock.now = at(day_of(self.clock()) + timedelta(days=days), clock)


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    """Listening."""
    made = Gateway()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory, gateway: Gateway) -> AsyncIterator[House]:
    """Servers of its own, training on them, and a second sender."""
    clock = FixedClock(MORNING)
    async with AsyncExitStack() as stack:
        suite = await stack.enter_async_context(Suite(tmp_path_factory.mktemp("notices"), print, only=()))
        base = f"json://127.0.0.1:{gateway.port}"
        channels = {name: f"{base}/{name}/{{member}}" for name in ("wecom", "dead")} | {"sms": f"{base}/sms/{{phone}}"}
        where = {"nats_url": suite.nats.url, "postgres_url": suite.postgres.url}
        settings = Settings(**where, tick_s=0.05, daily_s=0.2, notice_limit_s=LIMIT_S, notice_channels=channels)  # type: ignore[arg-type]
        service = await stack.enter_async_context(running(assemble(settings, clock)))
        second = await stack.enter_async_context(sender(settings, clock))
        connection = await nats.connect(suite.nats.url)
        stack.push_async_callback(connection.close)
        db = await stack.enter_async_context(asyncpg.create_pool(suite.postgres.url, min_size=1, max_size=2))
        yield House(Office(connection), clock, gateway, db, [service.registry, second])


@asynccontextmanager
async def sender(settings: Settings, clock: FixedClock) -> AsyncIterator[CollectorRegistry]:
    """What a second replica would queue and send; its metrics."""
    registry, database = CollectorRegistry(), Database(settings.postgres_url, "training")
    notices, nobody = Notices(database, clock, settings, Metrics(registry)), Client()
    work = [asyncio.create_task(part(nobody)) for part in (notices.remind, notices.send, notices.forget)]
    try:
        yield registry
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await database.dispose()


@pytest.fixture
def house(whole: House) -> House:
    """A new day at ten, an office of the test's own, and nothing wrong with any channel but the dead one."""
    whole.stand(30, "10:00")
    whole.office = Office(whole.office.connection)
    whole.gateway.refuses.clear()
    return whole


# -- choosing --------------------------------------------------------------------------------------------------------


async def test_members_choose_channels_by_name_and_their_quiet_hours(house: House) -> None:
    office = house.office
    member = await office.member("m", phone=PHONE)
    before = await office.done("notice_settings", principal=member)
    assert before == {
        "member": member, "channels": [], "known": ["dead", "sms", "wecom"],
        "quiet_from": "22:30", "quiet_until": "07:00",
    }  # fmt: skip
    chosen = {"channels": ["wecom", "sms", "sms"], "quiet_from": "21:00"}
    said = await office.done("set_notices", chosen, principal=member)
    assert said == {**before, "channels": ["sms", "wecom"], "quiet_from": "21:00"}
    assert await office.done("notice_settings", principal=member) == said
    await office.done("set_notices", {"channels": []}, principal=member)
    assert await office.done("notice_settings", principal=member) == before


async def test_a_channel_that_is_not_known_is_refused_and_so_is_an_address(house: House) -> None:
    member = await house.office.member("m")
    refused = await house.office.ask("set_notices", {"channels": ["pigeon"]}, principal=member)
    assert (refused.status, refused.fields) == (400, ["channels"])
    assert "dead, sms, wecom" in refused.body["detail"]
    address = await house.office.ask("set_notices", {"channels": ["json://10.0.0.1/"]}, principal=member)
    assert (address.status, address.fields) == (400, ["channels[0]"])


async def test_sms_needs_a_number_and_anything_a_member(house: House) -> None:
    member = await house.office.member("m")
    refused = await house.office.ask("set_notices", {"channels": ["sms"]}, principal=member)
    assert (refused.status, refused.fields) == (409, ["channels"])
    for verb, body in (("set_notices", {"channels": []}), ("notice_settings", {})):
        unknown = await house.office.ask(verb, body, principal=house.office.token("nobody"))
        assert (unknown.status, unknown.fields) == (404, ["principal"])


# -- what is sent, and when ------------------------------------------------------------------------------------------


async def test_an_offer_goes_to_the_phone_and_to_every_channel_that_was_chosen(house: House) -> None:
    both, none = await house.member("both", "wecom", "sms"), await house.member("none")
    async with hearing(house.office.connection, f"user.{none}.notice.training") as phone:
        await house.offered(both, none)
        await eventually(lambda: phone)
    await becomes(lambda: house.gateway.to(both), [("wecom", f"新班次待确认（{day_word(house, 2)} 22:00）")])
    await eventually(lambda: ("sms", f"新班次待确认（{day_word(house, 2)} 22:00）") in house.gateway.to(PHONE))
    assert await house.rows(none) == []
    await eventually(lambda: house.counted("wecom", "sent"))


def day_word(house: House, days: int) -> str:
    """How a day is called that is neither today nor tomorrow."""
    day = day_of(house.clock()) + timedelta(days=days)
    return f"{day.month}月{day.day}日"


async def test_members_are_reminded_twice_each_time_once(house: House) -> None:
    member = await house.member("m", "wecom")
    shift = await house.offered(member)
    await eventually(lambda: house.gateway.to(member))  # once it is accepted, the offer would not be sent any more
    await house.office.accept(member, shift)
    async with hearing(house.office.connection, f"user.{member}.notice.training") as phone:
        house.stand(1, "22:00")
        words = ["提醒：明天 22:00–02:00 韩田夜间巡逻"]
        await becomes(lambda: reminders(house, member), words)
        await becomes(lambda: [json.loads(msg.data)["text"] for msg in phone], words)
        await becomes(lambda: pending(house, member), [])
        house.stand(1, "20:00")
        words.append("提醒：今天 22:00–02:00 韩田夜间巡逻")
        await becomes(lambda: reminders(house, member), words)
        await becomes(lambda: [json.loads(msg.data)["text"] for msg in phone], words)
        await becomes(lambda: pending(house, member), [])
        assert json.loads(phone[0].data) | {"text": "", "at": ""} == {
            "about": "shift_reminder", "shift": shift, "text": "", "at": "",
            "starts_at": f"{house.clock() + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}",
        }  # fmt: skip
    rows = [row for row in await house.rows(member) if row["before_min"]]
    kinds = sorted((row["channel"], row["before_min"]) for row in rows)
    assert kinds == [("phone", 120), ("phone", 1440), ("wecom", 120), ("wecom", 1440)]
    for row in rows:
        if row["channel"] == "phone":
            assert row["starts_at"] - row["due_at"] == timedelta(minutes=row["before_min"])


def reminders(house: House, member: str) -> list[str]:
    """Those that came, in order."""
    return [text for _, text in house.gateway.to(member) if text.startswith("提醒")]


async def test_nobody_is_reminded_of_a_shift_that_was_declined_or_accepted_a_moment_ago(house: House) -> None:
    stays, goes, late = [await house.member(word, "wecom") for word in ("stays", "goes", "late")]
    shift = await house.offered(stays, goes)
    for member in (stays, goes):
        await house.office.accept(member, shift)
    await house.office.done("answer_shift", {"shift": shift, "answer": "decline"}, principal=goes)
    house.stand(1, "22:10")  # ten minutes after the first reminder was due
    await becomes(lambda: len(reminders(house, stays)), 1)
    await house.office.done("assign", {"shift": shift, "member": late})
    await house.office.accept(late, shift)
    house.stand(1, "20:00")
    await becomes(lambda: len(reminders(house, late)), 1)
    await becomes(lambda: len(reminders(house, stays)), 2)
    assert reminders(house, goes) == []


async def test_a_reminder_that_waits_is_not_sent_once_the_shift_is_off(house: House) -> None:
    member = await house.member("m", "wecom")
    shift = await house.offered(member, start="06:00", end="07:00")
    await house.office.accept(member, shift)
    house.stand(1, "06:00")  # quiet until seven

    async def waits() -> bool:
        return any(row["before_min"] and row["due_at"] > house.clock() for row in await house.rows(member))

    await eventually(waits)
    await house.office.done("unassign", {"shift": shift, "member": member})
    house.stand(0, "07:00")
    await eventually(lambda: ("wecom", "班次取消（明天 06:00）") in house.gateway.to(member))
    await becomes(lambda: pending(house, member), [])
    assert reminders(house, member) == []


async def pending(house: House, member: str) -> list[str]:
    """What a member's queue still holds to be sent."""
    return [row["about"] for row in await house.rows(member) if not row["sent"] and not row["gave_up_at"]]


async def test_what_is_due_at_night_waits_for_the_morning(house: House) -> None:
    member = await house.member("m", "wecom")
    house.stand(0, "23:00")
    await house.offered(member)

    async def put_off() -> bool:
        return [row["due_at"] for row in await house.rows(member)] == [house.clock() + timedelta(hours=8)]

    await eventually(put_off)
    assert house.gateway.to(member) == []
    house.stand(1, "07:00")
    await eventually(lambda: house.gateway.to(member))


@pytest.mark.parametrize("how", ["unassign", "remove_shift"])
async def test_that_the_shift_of_the_morning_is_off_is_told_at_night(house: House, how: str) -> None:
    """Also when the shift itself is gone, and with it the time when it was to begin."""
    member = await house.member("m", "wecom")
    shift = await house.offered(member, start="08:00", end="12:00", ahead=1)
    await eventually(lambda: house.gateway.to(member))
    house.stand(0, "23:00")
    body = {"shift": shift, "member": member} if how == "unassign" else {"shift": shift}
    await house.office.done(how, body)
    await eventually(lambda: ("wecom", "班次取消（明天 08:00）") in house.gateway.to(member))


async def test_a_post_to_a_ring_is_announced_without_its_words(house: House) -> None:
    office, today = house.office, day_of(house.clock())
    contact, officer = await house.member("contact", "wecom"), await office.member("lead", "community_officer")
    unit, ring = await office.organisation("shop"), office.token("ring")
    await office.done("put_ring", {"ring": ring, "name": "示例联动", "lead_officer": officer, "since": today})
    await office.done("join_ring", {"ring": ring, "organisation": unit, "contact": contact})
    post = {"ring": ring, "kind": "warning", "text": "示例：有人试拉车门"}
    await office.done("post_to_ring", post, principal=officer)
    await becomes(lambda: house.gateway.to(contact), [("wecom", "联动单位有新预警，请在手机端查看")])


# -- channels that fail ----------------------------------------------------------------------------------------------


async def test_a_refusal_is_tried_again_with_growing_pauses_and_given_up_after_five(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    member = await house.member("m", "sms")
    house.gateway.refuses.add("sms")
    given_up, failed = house.counted("sms", "given_up"), house.counted("sms", "failed")
    tried = house.gateway.tried["sms"]
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        await house.offered(member)
        for n, pause_min in enumerate((1, 5, 30, 30), 1):
            await becomes(lambda: house.counted("sms", "failed") - failed, n)
            assert await tries(house, member) == (n, "refused", False)
            [row] = await house.rows(member)
            assert row["due_at"] - house.clock() == timedelta(minutes=pause_min)
            house.clock.forward(pause_min * 60)
        await becomes(lambda: house.counted("sms", "given_up") - given_up, 1)
    assert await tries(house, member) == (5, "refused", True)
    assert house.gateway.tried["sms"] - tried == 5
    said = [entry for entry in logs if entry["event"] == "a notice could not be sent"]
    assert [(entry["channel"], entry["error"], entry["last"]) for entry in said] == [
        ("sms", "refused", n == 5) for n in range(1, 6)
    ]
    assert PHONE not in f"{logs} {caplog.text}"
    assert member not in str(said)


async def tries(house: House, member: str) -> tuple[int, str | None, bool]:
    """How often the one notice of a member was tried, what went wrong, whether it was given up."""
    [row] = await house.rows(member)
    return row["tries"], row["last_error"], row["gave_up_at"] is not None


async def test_what_was_refused_once_is_sent_the_next_time(house: House) -> None:
    member = await house.member("m", "wecom")
    house.gateway.refuses.add("wecom")
    await house.offered(member)
    await becomes(lambda: tries(house, member), (1, "refused", False))
    house.gateway.refuses.clear()
    house.clock.forward(60)
    await eventually(lambda: house.gateway.to(member))
    await becomes(lambda: pending(house, member), [])


async def test_a_dead_channel_holds_up_nobody_else(house: House) -> None:
    """More wait for the dead one than are sent side by side; the other is through before one of those fails."""
    member = await house.member("m", "dead", "wecom")
    queue = (
        "INSERT INTO training.notices (member, channel, about, text, due_at)"
        " SELECT $1, $2, 'test', '示例', $3 FROM generate_series(1, $4)"
    )
    await house.db.execute(queue, member, "dead", house.clock(), 100)
    await eventually(lambda: house.gateway.tried["dead"] >= PORTION)
    await house.db.execute(queue, member, "wecom", house.clock(), 1)
    await eventually(lambda: house.gateway.to(member))
    assert {row["last_error"] for row in await house.rows(member)} == {None}

    async def timed_out() -> bool:
        return "timed_out" in {row["last_error"] for row in await house.rows(member)}

    await eventually(timed_out)
    await house.db.execute("DELETE FROM training.notices WHERE member = $1", member)


async def test_a_try_that_nobody_came_back_from_is_made_again_but_not_for_ever(house: House) -> None:
    member = await house.member("m", "wecom")
    for word, tried in (("示例：再试", 1), ("示例：不再试", 5)):
        await house.db.execute(
            "INSERT INTO training.notices (member, channel, about, text, due_at, tries)"
            " VALUES ($1, 'wecom', 'test', $2, $3, $4)",
            member,
            word,
            house.clock() + timedelta(minutes=1),
            tried,
        )
    house.clock.forward(60)
    await becomes(lambda: pending(house, member), [])
    assert house.gateway.to(member) == [("wecom", "示例：再试")]


async def test_what_a_member_no_longer_wants_is_not_sent(house: House) -> None:
    member = await house.member("m", "wecom", "sms")
    house.stand(0, "23:00")
    await house.offered(member)
    await becomes(lambda: queued(house, member), [("sms", 1), ("wecom", 1)])
    await house.office.done("set_notices", {"channels": ["wecom"]}, principal=member)
    house.stand(1, "07:00")
    await eventually(lambda: house.gateway.to(member))
    await becomes(lambda: queued(house, member), [("wecom", 1)])


async def queued(house: House, member: str) -> list[tuple[str, int]]:
    """How many notices a member has on each channel, sent or not."""
    return sorted(Counter(row["channel"] for row in await house.rows(member)).items())


async def test_what_is_over_is_forgotten_after_a_week(house: House) -> None:
    member = await house.member("m", "wecom")
    await house.offered(member)
    await eventually(lambda: house.gateway.to(member))
    house.stand(9, "21:00")  # a week after the shift, less an hour
    await becomes(lambda: queued(house, member), [("wecom", 1)])
    house.stand(0, "22:01")
    await becomes(lambda: queued(house, member), [])

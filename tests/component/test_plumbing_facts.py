"""A fact is handled once, whatever happens in between; what cannot be handled is kept with the reason, not lost."""

import json
from collections.abc import Mapping
from urllib.parse import unquote

import asyncpg
import pytest
from nats.aio.client import Client

from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.common.testing import Kept, ask, becomes, eventually, kept

from .probe import CONSUMER, Behaviour

pytestmark = pytest.mark.usefixtures("probe")
ATTEMPTS = 3


@pytest.fixture
def thing() -> str:
    """What a test counts: its own."""
    return f"t{new_id()[-12:]}"


async def poke(broker: Client, thing: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> None:
    """Say the fact that the probe listens to."""
    said = json.dumps({"thing": thing}).encode() if body is None else body
    await broker.jetstream().publish(f"probe.poked.v1.{thing}", said, headers=dict(headers or {}))


async def rows(db: asyncpg.Pool, thing: str) -> list[int]:
    """What the handler has written."""
    found = await db.fetch("SELECT n FROM probe.effects WHERE thing = $1 ORDER BY n", thing)
    return [row["n"] for row in found]


async def told(broker: Client, thing: str) -> list[int]:
    """What it has said of it."""
    return [fact.json["n"] for fact in await kept(broker, "PROBE", f"probe.counted.v1.{thing}")]


async def dead(broker: Client, thing: str) -> list[Kept]:
    """Dead letters of a thing."""
    letters = await kept(broker, "DEAD", f"dead.{CONSUMER}")
    return [letter for letter in letters if letter.headers["Dead-Subject"] == f"probe.poked.v1.{thing}"]


async def nothing_waits(broker: Client) -> None:
    """The broker holds nothing more for the consumer: all is acknowledged or put aside."""

    async def waiting() -> tuple[int, int]:
        info = await broker.jetstream().consumer_info("PROBE", CONSUMER)
        return info.num_pending or 0, info.num_ack_pending or 0

    await becomes(waiting, (0, 0))


async def test_a_handler_that_fails_once_gets_the_fact_again_and_it_counts_once(
    broker: Client, db: asyncpg.Pool, behaviour: Behaviour, thing: str
) -> None:
    behaviour.errors[thing] = [ConnectionError("passing")]
    await poke(broker, thing)
    await becomes(lambda: told(broker, thing), [1])
    await nothing_waits(broker)
    assert behaviour.calls[thing] == 2
    assert await rows(db, thing) == [1]
    assert await dead(broker, thing) == []


async def test_a_fact_and_its_rows_stand_or_fall_together(
    broker: Client, db: asyncpg.Pool, behaviour: Behaviour, thing: str
) -> None:
    behaviour.errors[thing] = [RuntimeError("after everything was written and said")] * ATTEMPTS
    await poke(broker, thing)
    await eventually(lambda: dead(broker, thing))
    assert behaviour.calls[thing] == ATTEMPTS  # each time it had written a row and said a fact
    assert await rows(db, thing) == []
    assert await db.fetchval("SELECT count(*) FROM probe.outbox WHERE key = $1", thing) == 0
    assert await told(broker, thing) == []


async def test_a_handler_that_always_fails_leaves_the_fact_to_the_dead_letters(
    broker: Client, behaviour: Behaviour, thing: str
) -> None:
    behaviour.errors[thing] = [RuntimeError("第七号仓库不存在")] * 99
    await poke(broker, thing, headers={"ce-id": f"id-{thing}", "ce-source": "/elsewhere"})
    (letter,) = await eventually(lambda: dead(broker, thing))
    await nothing_waits(broker)
    assert behaviour.calls[thing] == ATTEMPTS
    assert letter.headers["Dead-Subject"] == f"probe.poked.v1.{thing}"
    assert letter.headers["Dead-Reason"].isascii()
    assert unquote(letter.headers["Dead-Reason"]) == f"RuntimeError: 第七号仓库不存在 ({ATTEMPTS} deliveries)"
    assert (letter.headers["Dead-Stream"], letter.headers["ce-id"]) == ("PROBE", f"id-{thing}")
    assert letter.json == {"thing": thing}
    original = await broker.jetstream().get_msg("PROBE", int(letter.headers["Dead-Sequence"]))
    assert original.data == letter.body


POISON = {
    "not JSON": b"thing=1",
    "not an object": b"[1, 2]",
    "not UTF-8": b'{"thing": "\xff"}',
    "a field of a wrong type": b'{"thing": 7}',
    "a missing field": b'{"other": "x"}',
    "nothing": b"",
    "a lone surrogate": rb'{"thing": "\ud800"}',
    "5,000 levels": b'{"thing": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "900 KB": b'{"thing": [' + b"1," * 450_000 + b"1]}",
}


@pytest.mark.parametrize("body", POISON.values(), ids=POISON.keys())
async def test_a_poison_message_goes_to_the_dead_letters_at_once_and_the_consumer_goes_on(
    broker: Client, db: asyncpg.Pool, behaviour: Behaviour, thing: str, body: bytes
) -> None:
    await poke(broker, thing, body)
    await poke(broker, after := f"{thing}-after")
    (letter,) = await eventually(lambda: dead(broker, thing))
    assert letter.body == body
    assert letter.headers["Dead-Reason"]
    assert "deliveries" not in letter.headers["Dead-Reason"]  # trying again could not mend it
    await becomes(lambda: rows(db, after), [1])
    await nothing_waits(broker)
    assert behaviour.calls[thing] == 0


async def test_what_a_handler_refuses_for_good_is_not_tried_again(
    broker: Client, behaviour: Behaviour, thing: str
) -> None:
    behaviour.errors[thing] = [Problem(404, "没有这个单位")] * 99
    await poke(broker, thing)
    (letter,) = await eventually(lambda: dead(broker, thing))
    assert unquote(letter.headers["Dead-Reason"]) == "没有这个单位"
    assert behaviour.calls[thing] == 1


async def test_the_same_fact_published_twice_has_one_effect(
    broker: Client, db: asyncpg.Pool, behaviour: Behaviour, thing: str
) -> None:
    for attempt in range(3):  # as a relay does after a crash, when the broker's own window for duplicates is over
        await poke(broker, thing, headers={"ce-id": f"fact-{thing}", "Nats-Msg-Id": f"{thing}-{attempt}"})
    await nothing_waits(broker)
    await becomes(lambda: told(broker, thing), [1])
    assert behaviour.calls[thing] == 1
    assert await rows(db, thing) == [1]


async def test_two_facts_without_an_id_are_two_facts(broker: Client, db: asyncpg.Pool, thing: str) -> None:
    await poke(broker, thing)
    await poke(broker, thing)
    await becomes(lambda: rows(db, thing), [1, 2])


async def test_a_fact_id_that_the_database_cannot_keep_does_not_stop_the_consumer(
    broker: Client, db: asyncpg.Pool, thing: str
) -> None:
    await poke(broker, thing, headers={"ce-id": "nul\u0000nul"})
    await poke(broker, after := f"{thing}-after")
    await becomes(lambda: rows(db, after), [1])
    await eventually(lambda: dead(broker, thing))


async def test_a_fact_carries_cloudevents_headers(broker: Client, thing: str) -> None:
    await ask(broker, "request.tester.probe.count.v1", {"thing": thing})
    (fact,) = await eventually(lambda: kept(broker, "PROBE", f"probe.counted.v1.{thing}"))
    headers = fact.headers
    assert headers["ce-type"] == "probe.counted.v1.%E6%95%B0%E5%88%B0%20100%25"
    assert unquote(headers["ce-type"]) == "probe.counted.v1.数到 100%"
    assert (headers["ce-specversion"], headers["ce-source"]) == ("1.0", "/shouwang/probe")
    assert headers["ce-datacontenttype"] == "application/json"
    assert headers["ce-id"] == headers["Nats-Msg-Id"]
    assert headers["ce-time"].endswith("Z")
    assert headers["traceparent"].startswith("00-")
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert fact.json == {"thing": thing, "n": 1}


async def test_a_key_keeps_its_order_through_the_outbox(broker: Client, db: asyncpg.Pool, thing: str) -> None:
    """Two hundred facts of five keys, all counted at once."""
    import asyncio

    keys = [f"{thing}-{k}" for k in range(5)]
    calls = [ask(broker, "request.tester.probe.count.v1", {"thing": keys[n % 5]}) for n in range(200)]
    assert {answer.status for answer in await asyncio.gather(*calls)} == {200}
    for key in keys:
        await becomes(lambda key=key: told(broker, key), list(range(1, 41)))
    waiting = "SELECT count(*) FROM probe.outbox WHERE published_at IS NULL AND key LIKE $1"
    await becomes(lambda: db.fetchval(waiting, f"{thing}%"), 0)

"""A request is answered, always; with an idempotency key it has one effect, however often it is sent."""

import asyncio
import re

import asyncpg
import pytest
from nats.aio.client import Client
from structlog.testing import capture_logs

from shouwang.common.ids import new_id
from shouwang.common.testing import Answer, ask, becomes, kept

from .probe import Behaviour

pytestmark = pytest.mark.usefixtures("probe")


@pytest.fixture
def thing() -> str:
    """What a test counts: its own."""
    return f"t{new_id()[-12:]}"


async def count(broker: Client, thing: str, key: str | None = None, who: str = "tester", note: str = "") -> Answer:
    """Ask the probe to count on."""
    headers = {"Idempotency-Key": f"{thing}-{key}"} if key else None
    return await ask(broker, f"request.{who}.probe.count.v1", {"thing": thing, "note": note}, headers)


async def effects(db: asyncpg.Pool, thing: str) -> int:
    """How far it has counted."""
    return await db.fetchval("SELECT count(*) FROM probe.effects WHERE thing = $1", thing)


async def test_an_unexpected_error_is_a_500_that_names_a_trace_and_shows_nothing_inside(
    broker: Client, db: asyncpg.Pool, behaviour: Behaviour, thing: str
) -> None:
    behaviour.errors[thing] = [ZeroDivisionError("secret of the house")]
    with capture_logs() as logs:
        answer = await count(broker, thing)
    assert (answer.status, answer.body["status"]) == (500, 500)
    assert answer.headers["Nats-Service-Error-Code"] == "500"
    assert answer.headers["Nats-Service-Error"]
    trace = re.search(r"\b[0-9a-f]{32}\b", answer.body["detail"])
    assert trace
    assert set(trace[0]) != {"0"}
    whole = str(answer)
    assert "secret" not in whole
    assert "ZeroDivisionError" not in whole
    assert "Traceback" not in whole
    assert [str(entry["exc_info"]) for entry in logs if "exc_info" in entry] == ["secret of the house"]
    assert await effects(db, thing) == 0
    assert (await count(broker, thing)).body == {"n": 1}


async def test_the_same_key_gives_the_same_reply_and_no_second_effect(
    broker: Client, db: asyncpg.Pool, thing: str
) -> None:
    first = await count(broker, thing, key="k1")
    again = await count(broker, thing, key="k1")
    assert first.body == again.body == {"n": 1}
    assert again.headers["content-type"] == first.headers["content-type"] == "application/json"
    assert await effects(db, thing) == 1
    assert (await count(broker, thing, key="k2")).body == {"n": 2}


async def test_twenty_copies_at_once_have_one_effect(
    broker: Client, db: asyncpg.Pool, behaviour: Behaviour, thing: str
) -> None:
    answers = await asyncio.gather(*(count(broker, thing, key="same") for _ in range(20)))
    assert [(answer.status, answer.body) for answer in answers] == [(200, {"n": 1})] * 20
    assert behaviour.calls[thing] == 1
    assert await effects(db, thing) == 1
    await becomes(lambda: _facts(broker, thing), 1)


async def test_a_key_used_for_something_else_is_409(broker: Client, db: asyncpg.Pool, thing: str) -> None:
    await count(broker, thing, key="k", note="one")
    answer = await count(broker, thing, key="k", note="another")
    assert (answer.status, answer.body["title"]) == (409, "Conflict")
    assert await effects(db, thing) == 1


async def test_a_key_belongs_to_who_uses_it(broker: Client, thing: str) -> None:
    assert (await count(broker, thing, key="k", who="wang")).body == {"n": 1}
    assert (await count(broker, thing, key="k", who="li")).body == {"n": 2}


async def test_a_request_that_failed_may_be_sent_again_with_its_key(
    broker: Client, behaviour: Behaviour, thing: str
) -> None:
    behaviour.errors[thing] = [RuntimeError("passing")]
    assert (await count(broker, thing, key="k")).status == 500
    assert (await count(broker, thing, key="k")).body == {"n": 1}
    assert (await count(broker, thing, key="k")).body == {"n": 1}


async def test_a_view_cannot_write(broker: Client, db: asyncpg.Pool, thing: str) -> None:
    answer = await ask(broker, "request.tester.probe.write_in_a_view.v1", {"thing": thing})
    assert answer.status >= 500
    assert await effects(db, thing) == 0


async def _facts(broker: Client, thing: str) -> int:
    return len(await kept(broker, "PROBE", f"probe.counted.v1.{thing}"))

"""Whatever is asked badly is answered with a problem that names the field: never a traceback, never silence."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator

import pytest
from nats.aio.client import Client
from nats.errors import NoRespondersError

from shouwang.common.testing import Answer, ask
from shouwang.contracts.catalogue import messages
from shouwang.contracts.shapes import REQUESTS

from . import faults
from .conftest import Services
from .faults import Fault
from .town import DUTY

CONTRACTS = [message.name.removesuffix(".request") for message in messages().values() if message.kind == "request"]


@pytest.fixture(scope="module", autouse=True)
def before(services: Services) -> dict[str, int | None]:
    """The processes as they are before all this."""
    return services.pids()


@pytest.fixture(scope="module")
async def served(services: Services, broker: Client) -> list[str]:
    """Request contracts that somebody serves: who serves none is told by the broker (no responders)."""
    found = []
    for name in CONTRACTS:
        with contextlib.suppress(NoRespondersError):
            await ask(broker, REQUESTS[name].subject(DUTY), b"?")
            found.append(name)
    return found


@pytest.fixture(params=CONTRACTS)
def contract(request: pytest.FixtureRequest, served: list[str]) -> str:
    """Each of them in turn."""
    name: str = request.param
    if name not in served:
        pytest.skip("nobody serves it yet")
    return name


async def refused(broker: Client, contract: str, bad: Iterable[Fault]) -> None:
    """Each of these is answered as it should be; those that are not are all told together."""
    wrong = []
    for what, body, field in bad:
        try:
            complaint = _complaint(await ask(broker, REQUESTS[contract].subject(DUTY), body, within_s=10), field)
        except AssertionError as error:
            complaint = str(error)
        if complaint:
            wrong.append(f"{what}: {complaint}")
    assert not wrong, "\n".join(wrong)


def _complaint(answer: Answer, field: str) -> str | None:
    problem = answer.body
    if not 400 <= answer.status < 500:
        return f"status {answer.status}: {str(problem)[:200]}"
    if problem.get("status") != answer.status or not (problem["title"] and problem["detail"] and problem["type"]):
        return f"not a problem as in RFC 9457: {problem}"
    if not answer.headers.get("Nats-Service-Error"):
        return f"without Nats-Service-Error: {answer.headers}"
    named = any(name == field or name.startswith((f"{field}.", f"{field}[")) for name in answer.fields)
    return (
        None
        if named
        else f"does not name {field[:50]}, but {[name[:80] for name in answer.fields]}: {str(problem)[:200]}"
    )


async def test_a_body_that_is_no_json_object_is_refused(broker: Client, contract: str) -> None:
    await refused(broker, contract, faults.not_an_object())


async def test_a_required_field_that_is_missing_is_named(broker: Client, contract: str) -> None:
    await refused(broker, contract, faults.missing(contract))


async def test_a_field_nobody_knows_is_refused_by_name(broker: Client, contract: str) -> None:
    await refused(broker, contract, faults.unknown(contract))


async def test_a_wrong_value_is_refused_and_its_field_named(broker: Client, contract: str) -> None:
    await refused(broker, contract, faults.wrong(contract))


async def test_the_field_of_a_region_is_named_as_the_caller_wrote_it(broker: Client, contract: str) -> None:
    """Its place in the GeoJSON, and not the name of one of our types."""
    if "region" not in faults.schema_of(contract).get("properties", {}):
        pytest.skip("it has no region")
    ring = [*faults.SQUARE[:-1], ["x", "y"]]
    body = {**faults.valid(contract), "region": {"type": "Polygon", "coordinates": [ring]}}
    answer = await ask(broker, REQUESTS[contract].subject(DUTY), body)
    assert answer.fields[0].startswith("region.coordinates[0][4]")


async def test_a_misspelt_name_as_long_as_a_message_is_answered_too(broker: Client, served: list[str]) -> None:
    """The reply names the field, and must still fit into a message."""
    body = b'{"%s": 1}' % (b"x" * 900_000)
    for start in range(0, len(served), 8):  # not all at once: a hundred of them are a hundred megabytes
        some = served[start : start + 8]
        asked = (ask(broker, REQUESTS[contract].subject(DUTY), body, within_s=10) for contract in some)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [getattr(answer, "status", answer) for answer in answers] == [400] * len(some)


async def test_a_principal_that_is_no_token_is_refused(broker: Client, contract: str) -> None:
    for principal in ("x" * 65, "张三", "a*b", "a>b", "*", "a$b", "a'b", "a@b", "a/b", "a%20b"):
        answer = await ask(broker, REQUESTS[contract].subject(principal), faults.valid(contract), within_s=10)
        assert (principal, _complaint(answer, "principal")) == (principal, None)


async def test_an_idempotency_key_that_cannot_be_kept_is_refused(broker: Client, contract: str) -> None:
    for key in ("", "x" * 201, "夜" * 201, "a\u0000b"):
        answer = await ask(broker, REQUESTS[contract].subject(DUTY), b"[]", {"Idempotency-Key": key}, within_s=10)
        assert (key, answer.status) == (key, 400)


async def test_afterwards_all_services_are_the_same_and_their_logs_hold_no_traceback(
    services: Services, before: dict[str, int | None]
) -> None:
    assert services.pids() == before
    for name in before:
        assert await services.page(name, "readyz")
        assert list(tracebacks(services.log(name).read_text())) == []


def tracebacks(log: str) -> Iterator[str]:
    """Log lines with one."""
    return (line[:2000] for line in log.splitlines() if "Traceback" in line)

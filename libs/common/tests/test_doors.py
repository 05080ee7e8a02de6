"""The doors, as far as they need neither broker nor database: what goes back, in words and in bytes."""

import json
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, create_model

from shouwang.common.broker import decode
from shouwang.common.doors import JSON, MOST_BYTES, CommandDoor, RequestDoor, problem_of, reply
from shouwang.common.problems import Problem


class Said(BaseModel):
    words: str


def said(size: int) -> Said:
    """A reply whose body has so many bytes."""
    return Said(words="x" * (size - len(Said(words="").model_dump_json())))


# -- replies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [20, MOST_BYTES - 1, MOST_BYTES])
def test_what_fits_goes_back_as_it_is(size: int) -> None:
    response = reply(said(size))
    assert len(response.body) == size
    assert Said.model_validate_json(response.body) == said(size)
    assert response.headers == JSON


@pytest.mark.parametrize("size", [MOST_BYTES + 1, 20 * MOST_BYTES])
def test_what_does_not_fit_is_a_problem_that_says_so(size: int) -> None:
    with pytest.raises(Problem, match=f"{size:,} bytes") as caught:
        reply(said(size))
    assert caught.value.status == 413
    document = json.loads(caught.value.body())
    assert (document["status"], bool(document["title"])) == (413, True)
    assert len(caught.value.body()) < 1000


def test_bytes_count_and_not_characters() -> None:
    with pytest.raises(Problem):
        reply(Said(words="守" * (MOST_BYTES // 3)))


def test_with_its_headers_a_reply_is_less_than_the_broker_takes() -> None:
    assert MOST_BYTES + 2048 < 1024 * 1024


# -- problems by the caller's body -----------------------------------------------------------------------------------


class Polygon(BaseModel):
    type: Literal["Polygon"]
    coordinates: list[list[list[float]]]


class MultiPolygon(BaseModel):
    type: Literal["MultiPolygon"]
    coordinates: list[list[list[list[float]]]]


class Ask(BaseModel):
    region: Annotated[Polygon | MultiPolygon, Field(discriminator="type")]


def refused(body: Any, parameter: str = "ask") -> ValidationError:
    """The error by which FastStream's call of a handler fails."""
    call = create_model("Handler", **{parameter: (Ask, ...)})
    with pytest.raises(ValidationError) as caught:
        call.model_validate({parameter: body})
    return caught.value


def test_a_refused_body_names_the_field_as_the_caller_sent_it() -> None:
    body = {"region": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], "x"]]}}
    problem = problem_of(refused(body), body)
    assert (problem.status, [error["field"] for error in problem.errors]) == (400, ["region.coordinates[0][2]"])


@pytest.mark.parametrize("parameter", ["ask", "fact"])
def test_the_name_of_the_handlers_parameter_is_ours(parameter: str) -> None:
    assert problem_of(refused({}, parameter), {}).errors[0]["field"] == "region"


def test_a_wrong_reply_is_our_own_fault() -> None:
    problem = problem_of(refused({}, "answer"), {})
    assert (problem.status, problem.errors) == (500, [])


class Message:
    """A request as the door sees it."""

    def __init__(self, body: bytes, principal: str = "duty", headers: dict[str, str] | None = None) -> None:
        self.body, self.headers, self.path = body, headers, {"principal": principal}
        self.raw_message = SimpleNamespace(subject=f"request.{principal}.x")

    async def decode(self) -> Any:
        message: Any = self
        return await decode(message)


async def ask(door: Any, message: Message) -> tuple[int, dict[str, Any]]:
    """Status and body of what goes back from a handler that takes an `Ask`."""

    async def handler(msg: Message) -> Ask:
        call = create_model("Handler", ask=(Ask, ...))
        return call.model_validate({"ask": await msg.decode()}).ask

    response = await door.consume_scope(handler, message)
    return int(response.headers.get("Nats-Service-Error-Code", 200)), json.loads(response.body)


GOOD = {"region": {"type": "Polygon", "coordinates": [[[1, 2]]]}}


@pytest.fixture
def door() -> Any:
    nothing: Any = None
    return RequestDoor(nothing, context=nothing)


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        (json.dumps(GOOD).encode(), 200, []),
        (b'{"region":{"type":"Polygon","coordinates":[[[1,2],[3,"x"]]]}}', 400, ["region.coordinates[0][1][1]"]),
        (b'{"region":{"type":"Polygon"}}', 400, ["region.coordinates"]),
        (b'{"region":{"type":"Circle"}}', 400, ["region"]),
        (b"", 400, ["region"]),
        (b"{", 400, ["body"]),
        (b"[]", 400, ["body"]),
        (b"\xff\x00", 400, ["body"]),
        (b"[" * 100_000, 400, ["body"]),
    ],
)
async def test_whatever_is_asked_is_answered(door: Any, body: bytes, status: int, fields: list[str]) -> None:
    got, document = await ask(door, Message(body))
    assert (got, [error["field"] for error in document.get("errors", ())]) == (status, fields)


@pytest.mark.parametrize("principal", ["", "*", "a.b", "x" * 65, "值班", "a\n"])
async def test_who_asks_must_be_a_token(door: Any, principal: str) -> None:
    got, document = await ask(door, Message(json.dumps(GOOD).encode(), principal))
    assert got == 400
    assert document["detail"].startswith("principal: ")


async def test_an_answer_that_is_too_long_is_a_problem_too(door: Any) -> None:
    async def handler(_: Any) -> Said:
        return said(MOST_BYTES + 1)

    response = await door.consume_scope(handler, Message(b""))
    assert response.headers["Nats-Service-Error-Code"] == "413"


# -- commands --------------------------------------------------------------------------------------------------------


class Books:
    """A database that counts what is asked of it, and commits unless the work raises."""

    def __init__(self) -> None:
        self.statements = self.commits = 0

    async def execute(self, *_: Any) -> SimpleNamespace:
        self.statements += 1
        return SimpleNamespace(rowcount=1)

    async def run(self, work: Any) -> Any:
        result = await work(self)
        self.commits += 1
        return result


class Context:
    """As much of FastStream's context as the door needs."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def get(self, name: str) -> Any:
        return {"database": self._books}[name]

    def scope(self, *_: Any) -> Any:
        return nullcontext()


@pytest.mark.parametrize("key", ["", "a\x00b", "a b", "x" * 201, "钥匙"])
async def test_a_key_that_cannot_be_kept_is_a_bad_request_and_nothing_is_done(key: str) -> None:
    books = Books()
    context: Any = Context(books)
    nothing: Any = None
    door = CommandDoor(nothing, context=context)
    got, document = await ask(door, Message(json.dumps(GOOD).encode(), headers={"Idempotency-Key": key}))
    assert got == 400
    assert document["detail"].startswith("Idempotency-Key: ")
    assert (books.statements, books.commits) == (0, 0)


async def test_an_answer_that_is_too_long_is_not_committed() -> None:
    async def handler(_: Any) -> Said:
        return said(MOST_BYTES + 1)

    books = Books()
    context: Any = Context(books)
    nothing: Any = None
    response: Any = await CommandDoor(nothing, context=context).consume_scope(handler, Message(b"{}"))
    assert response.headers["Nats-Service-Error-Code"] == "413"
    assert books.commits == 0

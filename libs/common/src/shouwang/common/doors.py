"""The doors of a service: how a message becomes one transaction, and what happens when it cannot.

A request is answered, always: with its result, or with a problem. A fact is acknowledged after the commit; a passing
error brings it back later, a lasting one puts it to the dead letters (stream DEAD) with the reason.
"""

import hashlib
import re
from http import HTTPStatus
from typing import Annotated, Any, TypeGuard

from fast_depends.library import CustomField
from faststream import BaseMiddleware
from faststream.exceptions import NackMessage, RejectMessage
from faststream.nats import NatsMessage, NatsResponse, NatsRouter
from opentelemetry import trace
from pydantic import ValidationError

from shouwang.common import inbox
from shouwang.common.database import Database, Reading, Transaction, is_away
from shouwang.common.envelope import message_id, percent_encoded
from shouwang.common.problems import Problem, bad_input
from shouwang.common.settings import ServiceSettings
from shouwang.common.telemetry import log

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Given(CustomField):
    """A handler's parameter that is given by name: a collaborator, or a part of the message.

    FastStream's own `Context` and `Path` do the same, but each by way of a worker thread, which on a busy machine is
    most of a request's time.
    """

    def __init__(self, name: str = "") -> None:
        super().__init__(cast=False)
        self.name = name

    async def use(self, /, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]  # awaited where it can be
        """Called by fast-depends for each message."""
        kwargs[str(self.param_name)] = kwargs["context__"].resolve(self.name or self.param_name)
        return kwargs


Tx = Annotated[Transaction, Given("unit_of_work")]
"""A handler's parameter: the transaction of the message in hand."""

View = Annotated[Reading, Given("unit_of_work")]
"""A query's parameter: a connection that can only read."""

Principal = Annotated[str, Given("message.path.principal")]
"""A handler's parameter: who asks, as the subject says."""


def commands() -> NatsRouter:
    """Requests that change something: each is one transaction, and `Idempotency-Key` gives one effect."""
    return NatsRouter(middlewares=(CommandDoor,))


def questions() -> NatsRouter:
    """Requests that only read memory."""
    return NatsRouter(middlewares=(RequestDoor,))


def lookups() -> NatsRouter:
    """Requests that only read the database."""
    return NatsRouter(middlewares=(LookupDoor,))


def listeners() -> NatsRouter:
    """Facts of other services: each is one transaction, handled once."""
    return NatsRouter(middlewares=(FactDoor,))


class RequestDoor(BaseMiddleware[Any, Any]):
    """Answers every request: whatever goes wrong inside becomes a problem, never silence and never a traceback."""

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        """FastStream's hook around the handler."""
        try:
            if not TOKEN.fullmatch(msg.path.get("principal", "")):
                raise Problem.of_field("principal", "must be 1-64 of A-Z a-z 0-9 _ -")
            return await self.answer(call_next, msg)
        except Exception as error:  # noqa: BLE001 - the door: whoever asked gets a problem, whatever it was
            problem = problem_of(error, await _body(msg))
            return NatsResponse(problem.body(), headers=problem.headers())

    async def answer(self, call_next: Any, msg: NatsMessage) -> Any:
        """The reply, encoded."""
        return reply(await call_next(msg))


class LookupDoor(RequestDoor):
    """Gives the handler a read-only connection."""

    async def answer(self, call_next: Any, msg: NatsMessage) -> Any:
        """The reply, encoded."""
        database: Database = self.context.get("database")
        async with database.reading() as view:
            with self.context.scope("unit_of_work", view):
                return reply(await call_next(msg))


class CommandDoor(RequestDoor):
    """Gives the handler a transaction and commits it before the reply; the same key gets the same reply."""

    async def answer(self, call_next: Any, msg: NatsMessage) -> Any:
        """The reply, encoded."""
        database: Database = self.context.get("database")
        return await database.run(lambda tx: self._once(tx, call_next, msg))

    async def _once(self, tx: Transaction, call_next: Any, msg: NatsMessage) -> NatsResponse:
        key = (msg.headers or {}).get("Idempotency-Key")
        if key is None:
            return await self._handle(tx, call_next, msg)
        principal, subject = msg.path["principal"], msg.raw_message.subject
        kept = await inbox.claim(tx, principal, key, subject, hashlib.sha256(msg.body).hexdigest())
        if kept is not None:
            return NatsResponse(kept, headers=JSON)
        response = await self._handle(tx, call_next, msg)
        await inbox.keep(tx, principal, key, response.body)
        return response

    async def _handle(self, tx: Transaction, call_next: Any, msg: NatsMessage) -> NatsResponse:
        with self.context.scope("unit_of_work", tx):
            return reply(await call_next(msg))


class FactDoor(BaseMiddleware[Any, Any]):
    """Handles a fact once: inbox, rows and outbox in one transaction, acknowledged after its commit."""

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        """FastStream's hook around the handler."""
        settings: ServiceSettings = self.context.get("settings")
        metadata = msg.raw_message.metadata
        try:
            await self._once(call_next, msg)
        except Exception as error:  # the door: nothing is lost, whatever it was
            if isinstance(error, Problem) or _is_about_the_body(error):  # trying again cannot mend it
                await self._bury(msg, reason=problem_of(error).detail)
            reason = f"{type(error).__name__}: {first_line(error)}"
            last = metadata.num_delivered >= settings.attempts and not is_away(error)  # an outage is nobody's fault
            if last:
                await self._bury(msg, reason=f"{reason} ({metadata.num_delivered} deliveries)")
            delay = min(settings.retry_s * 2 ** (metadata.num_delivered - 1), settings.retry_max_s)
            log.warning("will be delivered again", subject=msg.raw_message.subject, error=reason, delay_s=delay)
            raise NackMessage(delay=delay) from error

    async def _once(self, call_next: Any, msg: NatsMessage) -> None:
        database: Database = self.context.get("database")
        metadata = msg.raw_message.metadata
        known_as = message_id(msg.headers) or f"{metadata.stream}:{metadata.sequence.stream}"

        async def handle(tx: Transaction) -> None:
            if await inbox.first_time(tx, metadata.consumer, known_as):
                with self.context.scope("unit_of_work", tx):
                    await call_next(msg)

        await database.run(handle)

    async def _bury(self, msg: NatsMessage, reason: str) -> None:
        """Keep the message in stream DEAD with the reason, then tell the broker to forget it here."""
        metadata = msg.raw_message.metadata
        headers = {
            **(msg.headers or {}),
            "Dead-Reason": percent_encoded(reason[:1000]),
            "Dead-Subject": msg.raw_message.subject,
            "Dead-Stream": metadata.stream,
            "Dead-Sequence": str(metadata.sequence.stream),
            "Nats-Msg-Id": f"{metadata.consumer}:{metadata.stream}:{metadata.sequence.stream}",
        }
        log.error("put to the dead letters", subject=msg.raw_message.subject, reason=reason)
        connection = await self.context.get("broker").connect()
        await connection.jetstream().publish(f"dead.{metadata.consumer}", msg.body, headers=headers)
        raise RejectMessage


JSON = {"content-type": "application/json"}
MOST_BYTES = 1_000_000
"""The broker's max_payload (1 MiB) less room for headers."""


def reply(result: Any) -> NatsResponse:
    """A reply contract as the message that goes back.

    Raises: Problem 413 when it is more than a message may be; a handler of commands has not committed then.
    """
    body = result.model_dump_json().encode()
    if len(body) > MOST_BYTES:
        size = f"{len(body):,} bytes, {MOST_BYTES:,} fit in a message"
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the answer would be {size}; ask for less at a time")
    return NatsResponse(body, headers=JSON)


async def _body(msg: NatsMessage) -> Any:
    """The decoded body, for naming fields by it; None if it could not be decoded."""
    try:
        return await msg.decode()
    except Problem:
        return None


def problem_of(error: Exception, body: Any = None) -> Problem:
    """What whoever asked is told. Our own faults stay in the log, under the trace id that the reply names."""
    if isinstance(error, Problem):
        return error
    if _is_about_the_body(error):
        return bad_input(error.errors(), body, skip=1)
    if is_away(error):
        log.error("the database failed a request", error=f"{type(error).__name__}: {first_line(error)}")
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the database cannot be reached at present; try again")
    log.error("a request failed", exc_info=error)
    trace_id = trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"this is our fault; the log has it under trace {trace_id}")


def _is_about_the_body(error: Exception) -> TypeGuard[ValidationError]:
    """Whether the message itself is at fault: handlers call it `ask` or `fact`. A wrong reply is our own fault."""
    return isinstance(error, ValidationError) and all(e["loc"][:1] in (("ask",), ("fact",)) for e in error.errors())


def first_line(error: BaseException) -> str:
    """An error's message without the SQL that SQLAlchemy appends (it may hold data)."""
    return (str(error).splitlines() or [""])[0][:300]

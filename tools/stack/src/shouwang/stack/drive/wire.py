"""Requests as an outsider makes them: a lost reply is asked for again under the same Idempotency-Key."""

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

TRY_AGAIN = frozenset({429, 503})
"""The service is there but cannot just now (a database that restarts)."""


@dataclass(frozen=True)
class Answer:
    """Status 200 and the result; the status and the RFC 9457 problem; or status 0 when no reply came."""

    status: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        return self.status == 200

    @property
    def detail(self) -> str:
        return str(self.body.get("detail") or self.body.get("title") or "")


NO_REPLY = Answer(0, {"detail": "no reply"})


def decoded(data: bytes) -> dict[str, Any]:
    """The JSON object, or an empty one for anything else: a stranger's message must not stop the drive."""
    try:
        body = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}


def _answer(reply: Msg) -> Answer:
    code = (reply.headers or {}).get("Nats-Service-Error-Code")
    if code is None:
        return Answer(200, decoded(reply.data))
    return Answer(int(code) if code.isdigit() else 500, decoded(reply.data))


@dataclass(frozen=True)
class Asker:
    """Asks the suite on `request.<principal>.<service>.<verb>.v1`."""

    nc: Client
    timeout_s: float = 2.0
    tries: int = 6
    first_pause_s: float = 0.2

    async def ask(self, principal: str, verb: str, body: dict[str, Any]) -> Answer:
        """`verb` with its service, such as `dispatch.respond`. Never raises for what the suite does."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        payload = msgspec.json.encode(body)
        answer = NO_REPLY
        for attempt in range(self.tries):
            if attempt:
                await asyncio.sleep(min(self.first_pause_s * 2 ** (attempt - 1), 2.0))
            try:
                answer = _answer(
                    await self.nc.request(f"request.{principal}.{verb}.v1", payload, self.timeout_s, headers=headers)
                )
            except nats.errors.Error:  # timeout, nobody listens, broker away
                answer = NO_REPLY
            if answer.status and answer.status not in TRY_AGAIN:
                break
        return answer

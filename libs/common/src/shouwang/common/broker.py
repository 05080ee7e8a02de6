"""The NATS connection of a service, with our delivery rules in place of the framework's defaults.

FastStream rejects a message whose handler raised (it is never delivered again) and declares streams by itself.
Ours: `doors.py` decides between later and never; streams are made once, from data, by `shouwang provision`.
"""

import logging
from typing import Any

from faststream import AckPolicy
from faststream.nats import ConsumerConfig, JStream, NatsBroker, NatsMessage, PullSub
from faststream.nats.opentelemetry import NatsTelemetryMiddleware
from faststream.nats.security import NatsToken
from nats.js.api import DeliverPolicy
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry
from pydantic_core import from_json

from shouwang.common.hearing import keep_hearing
from shouwang.common.metrics import measuring
from shouwang.common.problems import Problem
from shouwang.common.settings import ServiceSettings
from shouwang.common.telemetry import log

BACKSTOP_DELIVERIES = 10_000
"""The door puts a message aside after `settings.attempts`, but waits out a database that is away: a week if need be."""


def make_broker(
    name: str, settings: ServiceSettings, registry: CollectorRegistry, traces: TracerProvider
) -> NatsBroker:
    """A broker that reconnects for ever and measures, traces and decodes every message alike."""
    keep_hearing()
    return NatsBroker(
        servers(settings.nats_url),
        name=f"shouwang-{name}",
        security=NatsToken(settings.nats_token) if settings.nats_token else None,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        error_cb=_broker_error,
        disconnected_cb=_disconnected,
        reconnected_cb=_reconnected,
        graceful_timeout=settings.stop_s,
        decoder=decode,
        middlewares=(
            NatsTelemetryMiddleware(tracer_provider=traces),
            measuring(registry, name),
        ),
        logger=logging.getLogger("shouwang.broker"),
        log_level=logging.DEBUG,
    )


def servers(url: str) -> list[str]:
    """The addresses in a comma-separated setting."""
    return [part.strip() for part in url.split(",") if part.strip()]


async def decode(message: NatsMessage) -> Any:
    """The body as a JSON object; an empty body is an empty object, so that `nats req` needs none.

    Raises: Problem 400 when it is anything else.
    """
    try:
        body = from_json(message.body or b"{}")
    except ValueError as error:
        raise Problem.of_field("body", f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Problem.of_field("body", "must be a JSON object")
    return body


def heard(stream: str, consumer: str, *, batch: int = 16) -> dict[str, Any]:
    """Arguments of a subscriber that hears facts of a stream through a durable consumer.

    A batch is handled concurrently, so a handler compares times and does not trust the order of arrival. It is
    small, so that a backlog of facts leaves room for requests.
    """
    return {
        "stream": JStream(stream, declare=False),
        "durable": consumer,
        "pull_sub": PullSub(batch_size=batch, timeout=5.0),
        "ack_policy": AckPolicy.NACK_ON_ERROR,
        "config": ConsumerConfig(
            ack_wait=30.0,
            max_deliver=BACKSTOP_DELIVERIES,
            max_ack_pending=4 * batch,
            deliver_policy=DeliverPolicy.ALL,
        ),
    }


async def _broker_error(error: Exception) -> None:
    log.warning("broker error", error=f"{type(error).__name__}: {error}")


async def _disconnected() -> None:
    log.warning("broker disconnected; trying again until it is back")


async def _reconnected() -> None:
    log.info("broker reconnected")

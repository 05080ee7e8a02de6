"""Messages, measured by contract.

FastStream labels its metrics with whole subjects. Ours carry who asks and which unit, and replies go to an inbox of
their own each, so every message would be a new time series; the contract's name is what an operator counts by.
"""

from typing import Any

from faststream.nats.prometheus.provider import NatsMetricsSettingsProvider
from faststream.nats.response import NatsPublishCommand
from faststream.prometheus import ConsumeAttrs
from faststream.prometheus.middleware import PrometheusMiddleware
from nats.aio.msg import Msg
from prometheus_client import CollectorRegistry


def contract_of(subject: str) -> str:
    """`request.<principal>.a.b.v1` -> `a.b.v1`, `a.b.c.v1.<keys>` -> `a.b.c.v1`, an inbox -> `reply`."""
    first, *rest = subject.split(".")
    if first.startswith("_INBOX"):
        return "reply"
    named = rest[1:] if first == "request" else [first, *rest]
    for place, token in enumerate(named):
        if token[:1] == "v" and token[1:].isdigit():
            return ".".join(named[: place + 1])
    return named[0] if named else first


class _ByContract(NatsMetricsSettingsProvider):
    def get_consume_attrs_from_message(self, msg: Any) -> ConsumeAttrs:
        attrs = super().get_consume_attrs_from_message(msg)
        return {**attrs, "destination_name": contract_of(attrs["destination_name"])}

    def get_publish_destination_name_from_cmd(self, cmd: Any) -> str:
        return contract_of(cmd.destination or cmd.reply_to or "reply")


def measuring(registry: CollectorRegistry, service: str) -> PrometheusMiddleware[Msg, NatsPublishCommand]:
    """The middleware that counts and times what comes in and what is answered."""
    return PrometheusMiddleware(
        settings_provider_factory=lambda _: _ByContract(),
        registry=registry,
        app_name=service,
        metrics_prefix="shouwang",
    )

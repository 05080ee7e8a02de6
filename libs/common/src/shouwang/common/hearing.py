"""Mends the NATS client where it would go deaf, or cry out for nothing.

nats-py (2.16) decodes subjects, replies and headers as UTF-8 inside its reading loop, and an error there ends the loop:
the connection stays open and hears nothing any more. The broker passes such messages on, so one malformed report would
make a service deaf. They are dropped here instead, and said in the log. To be removed when the client does so itself;
`tests/component/test_hostile_wire.py` shows whether it does.

A pull that found nothing ends now and then with Python's own TimeoutError instead of the client's, which the framework
waits for: it would log a traceback each time that a stream was quiet. It gets the one that it knows.
"""

from typing import Any

from nats.aio.client import Client
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext

from shouwang.common.telemetry import log

dropped = 0
"""How many there were in this process."""

_process_msg = Client._process_msg


async def _process_or_drop(self: Client, sid: int, subject: bytes, reply: bytes, data: bytes, headers: Any) -> None:
    try:
        await _process_msg(self, sid, subject, reply, data, headers)
    except (ValueError, LookupError) as error:  # UnicodeDecodeError is a ValueError
        global dropped  # noqa: PLW0603 - the patch is global too
        dropped += 1
        log.warning(
            "a malformed message was dropped", subject=repr(subject[:100]), error=f"{type(error).__name__}: {error}"
        )


_fetch = JetStreamContext.PullSubscription.fetch


async def _fetch_or_nothing(self: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return await _fetch(self, *args, **kwargs)
    except TimeoutError as error:
        raise NatsTimeoutError from error


def keep_hearing() -> None:
    """Called once, before any connection is made."""
    JetStreamContext.PullSubscription.fetch = _fetch_or_nothing  # type: ignore[method-assign]
    Client._process_msg = _process_or_drop  # type: ignore[method-assign]

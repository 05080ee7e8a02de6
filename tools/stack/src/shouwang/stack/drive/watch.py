"""The observer: facts of dispatch from its stream, facts of presence as they pass by."""

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from shouwang.stack.drive.board import Board
from shouwang.stack.drive.wire import decoded

STREAM = "DISPATCH"


class Watch:
    """Writes what it sees on the board."""

    def __init__(self, nc: Client, board: Board) -> None:
        self._nc, self._board = nc, board
        self._first_seq = 1

    async def start(self) -> None:
        """From now on. Without JetStream, the stream, or leave to read it, a plain subscription has to do."""
        await self._nc.subscribe("location.unit.*.v1.*", cb=self._see)
        try:
            js = self._nc.jetstream()
            # Not "new": nats-py resets a consumer that has had no message yet to the very beginning of the stream.
            self._first_seq = (await js.stream_info(STREAM)).state.last_seq + 1
            await js.subscribe(
                "dispatch.>",
                cb=self._see_kept,
                stream=STREAM,
                ordered_consumer=True,
                config=ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self._first_seq),
            )
        except nats.errors.Error:
            await self._nc.subscribe("dispatch.>", cb=self._see)

    async def _see_kept(self, message: Msg) -> None:
        if message.metadata.sequence.stream >= self._first_seq:
            await self._see(message)

    async def _see(self, message: Msg) -> None:
        if message.subject.count(".") >= 4:
            self._board.fact(message.subject, (message.headers or {}).get("ce-id"), decoded(message.data))

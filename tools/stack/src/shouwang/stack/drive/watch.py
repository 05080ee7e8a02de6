"""The observer: facts as they pass by, and from their stream what passed while the broker was away."""

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from shouwang.stack.drive.board import Board
from shouwang.stack.drive.wire import decoded

STREAM = "DISPATCH"
FETCH = 500


class Watch:
    """Writes what it sees on the board, which counts every fact once.

    Not an ordered consumer: that of nats-py takes ten seconds and more to find its place after a broker's restart.
    """

    def __init__(self, nc: Client, board: Board) -> None:
        self._nc, self._board = nc, board
        self._next_seq: int | None = None
        self._reconnects = 0

    async def start(self) -> None:
        """From now on. Without JetStream, the stream, or leave to read it, what passes by has to do."""
        await self._nc.subscribe("location.unit.*.v1.*", cb=self._see)
        await self._nc.subscribe("dispatch.>", cb=self._see)
        await self._nc.subscribe("training.duty.>", cb=self._see)
        try:
            self._next_seq = await self._last_seq() + 1
        except nats.errors.Error:
            return

    async def look(self) -> None:
        """Catches up if the connection was lost in between."""
        reconnects = self._nc.stats["reconnects"]
        if reconnects != self._reconnects and await self.catch_up():
            self._reconnects = reconnects

    async def catch_up(self) -> bool:
        """Reads the stream up to its end; whether that was possible."""
        if self._next_seq is None:
            return True
        try:
            if await self._last_seq() >= self._next_seq:
                await self._read_from(self._next_seq)
        except nats.errors.Error:
            return False
        return True

    async def _last_seq(self) -> int:
        return (await self._nc.jetstream(timeout=2.0).stream_info(STREAM)).state.last_seq

    async def _read_from(self, seq: int) -> None:
        kept = await self._nc.jetstream(timeout=2.0).pull_subscribe(
            "dispatch.>",
            stream=STREAM,
            config=ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=seq,
                ack_policy=AckPolicy.NONE,
                mem_storage=True,
            ),
        )
        try:
            pending = 1
            while pending:
                for message in await kept.fetch(FETCH, timeout=2.0):
                    await self._see(message)
                    self._next_seq, pending = message.metadata.sequence.stream + 1, message.metadata.num_pending
        finally:
            await kept.unsubscribe()

    async def _see(self, message: Msg) -> None:
        if message.subject.count(".") >= 4:
            self._board.fact(message.subject, (message.headers or {}).get("ce-id"), decoded(message.data))

"""What location can be asked to do. Reports have a door of their own (`reports.py`)."""

import time
from typing import Annotated

from faststream.nats import NatsBroker, NatsRouter

from shouwang.common.doors import Given, questions
from shouwang.contracts.location import FeedRefreshed, RefreshFeed
from shouwang.location import SERVICE
from shouwang.location.feed import Feed

router: NatsRouter = questions()


@router.subscriber(RefreshFeed.subject("{principal}"), SERVICE)
async def refresh_feed(
    ask: RefreshFeed, feed: Annotated[Feed, Given()], broker: Annotated[NatsBroker, Given()]
) -> FeedRefreshed:
    """Tell every cell whole, on the feed itself."""
    return FeedRefreshed(frames=await feed.send(await broker.connect(), feed.full_frames(time.time())))

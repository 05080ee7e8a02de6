"""What location can be asked to do. Reports have a door of their own (`reports.py`)."""

import time
from typing import Annotated

from faststream.nats import NatsBroker, NatsRouter

from shouwang.common.doors import Given, questions
from shouwang.contracts.location import FeedRefreshed, RefreshFeed
from shouwang.location.feed import Feed

router: NatsRouter = questions()
SERVICE = "location"


@router.subscriber(RefreshFeed.subject("{principal}"), SERVICE)
async def refresh_feed(
    ask: RefreshFeed, feed: Annotated[Feed, Given()], broker: Annotated[NatsBroker, Given()]
) -> FeedRefreshed:
    """Tell every cell whole, on the feed itself."""
    frames = feed.full_frames(time.time())
    await feed.send(await broker.connect(), frames)
    return FeedRefreshed(frames=len(frames))

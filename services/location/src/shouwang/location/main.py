"""Location's composition root: the one place that knows everything of this service."""

from nats.aio.client import Client

from shouwang.common.service import Service
from shouwang.common.telemetry import log
from shouwang.location import SERVICE, duty, handlers, queries, store
from shouwang.location.domain.whereabouts import Whereabouts
from shouwang.location.feed import Feed
from shouwang.location.metrics import Metrics
from shouwang.location.reports import Reports
from shouwang.location.rounds import Rounds
from shouwang.location.settings import Settings


def assemble(settings: Settings) -> Service:
    """The service, ready to run."""
    service = Service(SERVICE, settings, "Where everybody is: reports in, H3 cells out.")
    metrics = Metrics(service.registry)
    where = Whereabouts(settings.limits(), settings.patience(), settings.default_kind)
    feed = Feed(where, metrics)
    watch = duty.Watch(where, feed, enforced=settings.duty == "enforced")
    reports = Reports(where, feed, metrics, settings.batch_ms / 1000, watch.roll.postings if watch.enforced else None)
    rounds = Rounds(where, feed, watch, service.database, settings, metrics)

    async def remember(broker: Client) -> None:
        """Bring back what was known, then what came while we were away."""
        await reports.listen(broker)
        async with service.database.reading() as view:
            known = await store.everybody_shown(view)
        where.restore(known)
        feed.remember(where.placed())
        if watch.enforced:
            await rounds.call_the_roll()
        log.info("remembered", units=len(known), reports=await reports.catch_up(broker))
        feed.changed(where.placed())

    service.provide(whereabouts=where, feed=feed, watch=watch, patience=settings.patience())
    service.include(handlers.router, duty.facts, queries.router)
    service.before_messages(remember)
    service.in_background("reports", reports.run)
    service.in_background("feed", rounds.send_feed)
    service.in_background("sweep", rounds.sweep)
    service.in_background("save", rounds.save)
    if watch.enforced:
        service.in_background("duty", rounds.see_off)
    service.before_stop(rounds.save_now)
    return service


def main() -> None:
    """The console script `shouwang-location`."""
    assemble(Settings()).run()


if __name__ == "__main__":
    main()

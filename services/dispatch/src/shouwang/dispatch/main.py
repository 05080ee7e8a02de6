"""Dispatch's composition root: the one place that knows everything of this service."""

from shouwang.common.clock import Clock, utc_now
from shouwang.common.geo import GeoIndex
from shouwang.common.service import Service
from shouwang.dispatch import SERVICE, duty, handlers, queries
from shouwang.dispatch.feed import Follower
from shouwang.dispatch.metrics import Metrics
from shouwang.dispatch.offers import Offers
from shouwang.dispatch.rounds import Rounds
from shouwang.dispatch.settings import Settings


def assemble(settings: Settings, clock: Clock = utc_now) -> Service:
    """The service, ready to run."""
    service = Service(SERVICE, settings, "Who goes: incidents, offers, tasks.")
    metrics = Metrics(service.registry)
    feed = Follower(GeoIndex(), settings.forget_s)
    modes = {"check_nearest": settings.check_nearest, "enforced": settings.duty == "enforced"}
    offers = Offers(feed, settings.rules(), metrics, clock, **modes)
    rounds = Rounds(offers, feed, service.database, clock, settings, metrics)

    service.provide(offers=offers, clock=clock)
    service.include(handlers.router, handlers.facts, duty.facts, queries.router)
    service.in_background("feed", feed.follow)
    service.in_background("expiry", rounds.expire_offers)
    service.in_background("short", rounds.retry_short)
    return service


def main() -> None:
    """The console script `shouwang-dispatch`."""
    assemble(Settings()).run()


if __name__ == "__main__":
    main()

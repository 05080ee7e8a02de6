"""Training's composition root: the one place that knows everything of this service."""

from nats.aio.client import Client

from shouwang.common.clock import Clock, utc_now
from shouwang.common.service import Service
from shouwang.training import SERVICE, handlers, queries
from shouwang.training.metrics import Metrics
from shouwang.training.notices import Notices
from shouwang.training.planner import Planner
from shouwang.training.rounds import Rounds
from shouwang.training.settings import Settings
from shouwang.training.store.keys import signing_key


def assemble(settings: Settings, clock: Clock = utc_now) -> Service:
    """The service, ready to run."""
    service = Service(SERVICE, settings, "Who is trained, who is on the roster, who is on duty.")
    metrics = Metrics(service.registry)
    rounds = Rounds(service.database, clock, settings, metrics)
    planner = Planner(service.database, clock, settings, metrics)
    notices = Notices(service.database, clock, settings, metrics)

    async def remember(_: Client) -> None:
        async with service.database.reading() as view:
            service.provide(signing_key=await signing_key(view))

    service.provide(clock=clock, metrics=metrics)
    service.before_messages(remember)
    service.include(*handlers.routers, *queries.routers)
    service.in_background("duties", rounds.end_duties)
    service.in_background("expiries", rounds.tell_expiries)
    service.in_background("deadlines", rounds.tell_deadlines)
    service.in_background("planner", planner.run)
    service.in_background("reminders", notices.remind)
    service.in_background("notices", notices.send)
    service.in_background("old notices", notices.forget)
    return service


def main() -> None:
    """The console script `shouwang-training`."""
    assemble(Settings()).run()


if __name__ == "__main__":
    main()

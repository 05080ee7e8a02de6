"""Training's composition root: the one place that knows everything of this service."""

from shouwang.common.clock import Clock, utc_now
from shouwang.common.service import Service
from shouwang.training import SERVICE, handlers, queries
from shouwang.training.metrics import Metrics
from shouwang.training.planner import Planner
from shouwang.training.rounds import Rounds
from shouwang.training.settings import Settings


def assemble(settings: Settings, clock: Clock = utc_now) -> Service:
    """The service, ready to run."""
    service = Service(SERVICE, settings, "Who is trained, who is on the roster, who is on duty.")
    metrics = Metrics(service.registry)
    rounds = Rounds(service.database, clock, settings, metrics)
    planner = Planner(service.database, clock, settings, metrics)

    service.provide(clock=clock, metrics=metrics)
    service.include(*handlers.routers, *queries.routers)
    service.in_background("duties", rounds.end_duties)
    service.in_background("expiries", rounds.tell_expiries)
    service.in_background("planner", planner.run)
    return service


def main() -> None:
    """The console script `shouwang-training`."""
    assemble(Settings()).run()


if __name__ == "__main__":
    main()

"""What training measures. Units stand in the names; `docs/reference` lists them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The metrics of one training process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.on_duty = Gauge("training_members_on_duty", "Members on duty", registry=registry)
        self.needed = Gauge("training_places_needed", "Places of the shifts that are held now", registry=registry)
        self.planning = Histogram(
            "training_planning_seconds",
            "Time to fill a roster",
            buckets=(0.1, 0.5, 1, 2, 5, 10, 20, 30, 60),
            registry=registry,
        )
        self.unfilled = Counter("training_places_unfilled", "Places that planning could not fill", registry=registry)
        self.imported = Counter(
            "training_records_imported", "Records imported from files", ["holds"], registry=registry
        )
        self.notices = Counter(
            "training_notices",
            "Reminders, and notices beside the phone app, by what became of them",
            ["channel", "outcome"],
            registry=registry,
        )

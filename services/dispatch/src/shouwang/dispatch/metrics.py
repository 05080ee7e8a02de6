"""What dispatch measures. Units stand in the names; `docs/reference` lists them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The metrics of one dispatch process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.units = Gauge("dispatch_units_known", "Units in the index", registry=registry)
        self.deciding = Histogram(
            "dispatch_decision_seconds",
            "From the wish for hands until the offers are written (before the commit)",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
            registry=registry,
        )
        self.offers = Counter("dispatch_offers", "Tasks offered", registry=registry)
        self.shortfalls = Counter("dispatch_shortfalls", "Times that hands were missing", registry=registry)
        self.first_offers = Counter(
            "dispatch_first_offers",
            "First offers by whether they went to the truly nearest who can go (with SHOUWANG_CHECK_NEAREST)",
            ["nearest"],
            registry=registry,
        )

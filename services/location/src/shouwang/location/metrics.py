"""What location measures. Units stand in the names; `docs/reference` lists them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The metrics of one location process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.accepted = Counter("location_reports_accepted", "Reports that changed a position", registry=registry)
        self.rejected = Counter(
            "location_reports_rejected", "Reports that changed nothing, by reason", ["reason"], registry=registry
        )
        self.visible = Histogram(
            "location_report_to_visible_seconds",
            "From a report's arrival in this process until queries see it (the oldest of each batch)",
            buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
            registry=registry,
        )
        self.tracked = Gauge("location_units_tracked", "Units shown at present", registry=registry)
        self.on_duty = Gauge("location_units_on_duty", "Units on duty, as training says", registry=registry)
        self.frames = Counter("location_frames", "Feed frames published", registry=registry)

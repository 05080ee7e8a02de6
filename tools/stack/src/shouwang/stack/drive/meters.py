"""The counters on the services' /metrics pages: how far they have gone since the drive began."""

import asyncio
import http.client
from collections import defaultdict
from collections.abc import Mapping
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

ACCEPTED = "location_reports_accepted_total"
REJECTED = "location_reports_rejected_total"
FIRST_OFFERS = "dispatch_first_offers_total"
ON_DUTY = "location_units_on_duty"
OUTBOX_S = "outbox_oldest_seconds"
LABELS = {REJECTED: "reason", FIRST_OFFERS: "nearest"}
WANTED = {"location": (ACCEPTED, REJECTED, ON_DUTY), "dispatch": (FIRST_OFFERS,), "training": (OUTBOX_S,)}

Series = tuple[str, str]
"""metric name, value of its one label (blank for none)"""


def parse_page(page: str, wanted: tuple[str, ...]) -> dict[Series, float]:
    """The wanted series of a page; over further labels (a replica, a shard) they are summed."""
    # Only our few lines are parsed: the whole page costs milliseconds that an offer under measurement would wait.
    lines = "\n".join(line for line in page.splitlines() if line.startswith(wanted)) + "\n"
    found: defaultdict[Series, float] = defaultdict(float)
    for family in text_string_to_metric_families(lines):
        for sample in family.samples:
            if sample.name in wanted:
                found[sample.name, sample.labels.get(LABELS.get(sample.name, ""), "")] += sample.value
    return dict(found)


def fetch(url: str, timeout_s: float = 2.0) -> str:
    """The page behind an http(s) URL. Raises OSError or http.client.HTTPException."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}")
        response = connection.getresponse()
        if response.status != 200:
            raise http.client.HTTPException(f"{url}: status {response.status}")
        return response.read().decode()
    finally:
        connection.close()


class Meters:
    """Adds up increments, so that a service that restarts (and counts from 0 again) takes nothing away."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = {service: url for service, url in urls.items() if service in WANTED}
        self._last: dict[str, dict[Series, float]] = {}
        self._grown: defaultdict[Series, float] = defaultdict(float)

    async def poll(self) -> None:
        """Reads all pages; one that cannot be read now is read next time."""
        await asyncio.gather(*(self._poll(service, url) for service, url in self._urls.items()))

    async def _poll(self, service: str, url: str) -> None:
        try:
            page = await asyncio.to_thread(fetch, url)
        except (OSError, http.client.HTTPException):
            return
        self.read(service, parse_page(page, WANTED[service]))

    def read(self, service: str, now: dict[Series, float]) -> None:
        """Takes one reading of a service."""
        before = self._last.get(service, now)
        for series, value in now.items():
            old = before.get(series, 0.0)
            self._grown[series] += value - old if value >= old else value
        self._last[service] = now

    def known(self, service: str) -> bool:
        """Whether the service's page could ever be read."""
        return service in self._last

    def total(self, name: str, label: str = "") -> int:
        """How far a counter has gone."""
        return round(self._grown.get((name, label), 0.0))

    def now(self, service: str, name: str) -> float | None:
        """A gauge as it was read last; None if it was not."""
        return self._last.get(service, {}).get((name, ""))

    def by_label(self, name: str) -> dict[str, int]:
        """The same for each value of its label, the largest first; what has not moved is left out."""
        rows = {label: round(value) for (series, label), value in self._grown.items() if series == name and value}
        return dict(sorted(rows.items(), key=lambda row: -row[1]))

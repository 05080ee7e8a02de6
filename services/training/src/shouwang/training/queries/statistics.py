"""The figures of a period, beside those that it is compared with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.doors import View, lookups
from shouwang.common.problems import Problem
from shouwang.contracts.training.statistics import Figures, Statistics
from shouwang.training import SERVICE
from shouwang.training.domain.logistics import per_head
from shouwang.training.domain.people import GUARDS
from shouwang.training.domain.statistics import (
    Compared,
    Counted,
    Period,
    compare,
    compare_parts,
    mean,
    share,
    single,
)
from shouwang.training.handlers.parts import Now
from shouwang.training.store import statistics

router: NatsRouter = lookups()
AT_ONCE = 2
FIRST_YEAR, LAST_YEAR = 1990, 2200
MOST_DAYS = 3653


@router.subscriber(Statistics.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def figures(ask: Statistics, view: View, clock: Now) -> Figures:
    """All figures of a period."""
    period = _period(ask)
    periods = (period, period.before(), period.year_before())
    spans = [(one.since, one.until) for one in periods]
    months = [(n, month.since, month.until) for n, one in enumerate(periods) for month in one.months()]
    found = _Found(
        overall=await statistics.overall(view, spans, clock()),
        trainees=await statistics.trainees(view, spans),
        places=await statistics.places(view, spans),
        served=await statistics.served(view, spans),
        promises=await statistics.promises(view, months),
        public=ask.public,
    )
    about = {"period": period, "before": periods[1], "year_before": periods[2], "public": ask.public}
    return Figures.model_validate({**about, **found.of_courses(), **found.of_duty()}, from_attributes=True)


def _period(ask: Statistics) -> Period:
    """The days that are asked for.

    Raises: Problem 400 naming the day.
    """
    for field, day in (("since", ask.since), ("until", ask.until)):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise Problem.of_field(field, f"must be in the years {FIRST_YEAR} to {LAST_YEAR}")
    if not 0 <= (ask.until - ask.since).days < MOST_DAYS:
        raise Problem.of_field("until", f"must be on or after since, and at most {MOST_DAYS} days in all")
    return Period(ask.since, ask.until)


@dataclass(frozen=True)
class _Found:
    """What the statements found, each row of one of three periods."""

    overall: Sequence[Row[Any]]
    trainees: Sequence[Row[Any]]
    places: Sequence[Row[Any]]
    served: Sequence[Row[Any]]
    promises: Sequence[Row[Any]]
    public: bool

    def of_courses(self) -> dict[str, Any]:
        """Courses and who came, certificates, money, what trainees said."""
        now, public = self.overall[0], self.public
        trainees, ratings = _total(self.trainees, "trainees"), _total(self.trainees, "ratings")
        average = mean(_total(self.trainees, "rated").now, ratings.now)
        return {
            "courses": self._figure("courses"),
            "batches": self._figure("batches"),
            "trainees": compare(trainees, public=public),
            "trainees_by_kind": _listed(compare_parts(_by_kind(self.trainees, "trainees"), public=public)),
            "attendance": share(now.present, now.expected, trainees.now, public=public),
            "exams_passed": compare(_total(self.trainees, "passed"), public=public),
            "certificates_issued": self._figure("issued"),
            "certificates_expiring_30_days": single(now.expiring_30, now.expiring_30, public=public),
            "certificates_expiring_90_days": single(now.expiring_90, now.expiring_90, public=public),
            "cost_fen": compare(_total(self.overall, "cost_fen"), trainees, public=public),
            "cost_per_trainee_fen": single(per_head(int(now.cost_fen), trainees.now), trainees.now, public=public),
            "feedback": compare(ratings, public=public),
            "feedback_average": single(average, ratings.now, public=public),
        }

    def of_duty(self) -> dict[str, Any]:
        """Shifts and their places, hours, promises of member units, guards shared."""
        public, guards = self.public, [row for row in self.served if row.kind in GUARDS]
        needed, filled, served = (_total(self.places, name) for name in ("needed", "filled", "served"))
        people, by_kind = _by_kind(self.served, "people"), _by_kind(self.served, "minutes")
        minutes = _total(self.served, "minutes")
        return {
            "shifts_held": compare(_total(self.places, "held"), public=public),
            "places_needed": compare(needed, public=public),
            "places_filled": compare(filled, public=public),
            "places_served": compare(served, public=public),
            "filled": share(filled.now, needed.now, public=public),
            "served": share(served.now, needed.now, public=public),
            "minutes_served": compare(minutes, _total(self.served, "people"), public=public),
            "minutes_by_kind": _listed(compare_parts(by_kind, people, public=public)),
            "promises": compare(_total(self.promises, "promised"), public=public),
            "promises_kept": compare(_total(self.promises, "kept"), public=public),
            "guards_shared": compare(_total(guards, "shared"), public=public),
        }

    def _figure(self, name: str) -> Compared:
        return compare(_total(self.overall, name), public=self.public)


def _total(rows: Iterable[Row[Any]], name: str) -> Counted:
    """The sum of a column, by period."""
    sums = [0, 0, 0]
    for row in rows:
        sums[row.n] += int(row._mapping[name])
    return Counted(*sums)


def _by_kind(rows: Sequence[Row[Any]], name: str) -> dict[str, Counted]:
    """The same for each kind of member that is found in any of the periods."""
    return {
        kind: _total((row for row in rows if row.kind == kind), name) for kind in sorted({row.kind for row in rows})
    }


def _listed(parts: Mapping[str, Compared]) -> list[dict[str, Any]]:
    return [{"kind": kind, **vars(compared)} for kind, compared in parts.items()]

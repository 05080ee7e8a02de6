"""What training can be asked to do, and what it hears; each handler is one transaction."""

from shouwang.training.handlers import (
    attendance,
    certificates,
    courses,
    duty,
    funding,
    imports,
    linkage,
    logistics,
    notices,
    people,
    plans,
    requirements,
    rosters,
    swaps,
)

routers = (
    people.router, requirements.router, imports.router, courses.router, attendance.router, attendance.facts,
    certificates.router, rosters.router, plans.router, plans.facts, swaps.router, duty.router, linkage.router,
    notices.router,
    logistics.router, funding.router,
)  # fmt: skip

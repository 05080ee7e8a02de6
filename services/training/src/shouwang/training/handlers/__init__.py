"""What training can be asked to do, and what it hears; each handler is one transaction."""

from shouwang.training.handlers import (
    attendance,
    certificates,
    courses,
    duty,
    imports,
    people,
    requirements,
    rosters,
    swaps,
)

routers = (
    people.router, requirements.router, imports.router, courses.router, attendance.router, attendance.facts,
    certificates.router, rosters.router, swaps.router, duty.router,
)  # fmt: skip

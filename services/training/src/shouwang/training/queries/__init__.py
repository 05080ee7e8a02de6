"""Questions to training, answered from the database; they never write."""

from shouwang.training.queries import courses, duty, funding, linkage, logistics, people, rosters, statistics

routers = (
    people.router, courses.router, rosters.router, duty.router, linkage.router, logistics.router, funding.router,
    statistics.router,
)  # fmt: skip

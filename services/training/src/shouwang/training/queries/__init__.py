"""Questions to training, answered from the database; they never write."""

from shouwang.training.queries import courses, duty, people, rosters

routers = (people.router, courses.router, rosters.router, duty.router)

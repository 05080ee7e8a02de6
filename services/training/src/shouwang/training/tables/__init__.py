"""The tables of training, as `migrations/` makes them."""

from shouwang.training.tables import courses, duty, funding, linkage, logistics, notices, people, rosters
from shouwang.training.tables.base import metadata

__all__ = ["courses", "duty", "funding", "linkage", "logistics", "metadata", "notices", "people", "rosters"]

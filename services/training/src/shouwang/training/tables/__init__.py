"""The tables of training, as `migrations/` makes them."""

from shouwang.training.tables import courses, duty, people, rosters
from shouwang.training.tables.base import metadata

__all__ = ["courses", "duty", "metadata", "people", "rosters"]

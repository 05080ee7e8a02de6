"""Training (轮值轮训): people and organisations, courses and certificates, rosters and duty, member rings, money."""

from shouwang.contracts.training import courses, duty, funding, linkage, logistics, people, rosters, statistics

__all__ = ["courses", "duty", "funding", "linkage", "logistics", "people", "rosters", "statistics"]

"""Hours served: what counts of a duty."""

from datetime import datetime


def minutes_served(started: datetime, ended: datetime, begins: datetime, ends: datetime) -> int:
    """Full minutes on duty within the window of the shift: who comes early or stays on is not paid in hours for it."""
    return max(0, int((min(ended, ends) - max(started, begins)).total_seconds()) // 60)

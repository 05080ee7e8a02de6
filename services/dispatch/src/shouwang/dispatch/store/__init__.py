"""The SQL of dispatch: incidents, tasks, the decisions behind them, and what is known of units.

Whoever changes tasks of an incident locks its row first, so that one incident is decided by one transaction at a time;
whoever holds a member's row took that before.
"""

from shouwang.dispatch.store.incidents import (
    Call,
    incident,
    incident_by_external_id,
    incident_list,
    last_left_out,
    lock_incident,
    lock_short,
    open_incident,
    record_decision,
    set_incident,
    short_in_turn,
    wake_short,
)
from shouwang.dispatch.store.tasks import (
    cancel_live,
    expire,
    incidents_with_expired,
    offer,
    offered_to,
    set_task,
    statuses,
    task,
    task_list,
    tasks_of,
)
from shouwang.dispatch.store.units import lock_member, note_presence, set_member, standings, standings_of_members

__all__ = [
    "Call", "cancel_live", "expire", "incident", "incident_by_external_id", "incident_list", "incidents_with_expired",
    "last_left_out", "lock_incident", "lock_member", "lock_short", "note_presence", "offer", "offered_to",
    "open_incident", "record_decision", "set_incident", "set_member", "set_task", "short_in_turn", "standings",
    "standings_of_members", "statuses", "task", "task_list", "tasks_of", "wake_short",
]  # fmt: skip

"""Dispatch: who goes. Incidents come in, the nearest who can go are offered a task, and answer for it."""

SERVICE = "dispatch"

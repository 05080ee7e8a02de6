"""Phones, a duty room and an observer that play against a running suite as outsiders: over NATS and HTTP only."""

from shouwang.stack.drive.board import Board
from shouwang.stack.drive.drive import Drive, Snapshot
from shouwang.stack.drive.scenario import Behaviour, Call, Dot, Endpoints, Scenario, Turn, calling_s

__all__ = ["Behaviour", "Board", "Call", "Dot", "Drive", "Endpoints", "Scenario", "Snapshot", "Turn", "calling_s"]

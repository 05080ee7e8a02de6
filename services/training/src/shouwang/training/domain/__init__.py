"""Decisions of training as functions of values: no I/O, no framework, no contracts."""

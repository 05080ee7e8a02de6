"""Shouwang's domain words on the wire.

One module per owning service holds its requests, facts and live messages; `streams` says where facts are kept.
Nothing here does anything: only pydantic and the standard library are imported, so that any program of any
agency can install this package alone.
"""

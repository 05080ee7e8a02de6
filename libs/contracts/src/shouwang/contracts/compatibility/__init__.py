"""Whether a changed JSON Schema may stay in its major version: `breaks` gives the reasons why not.

A change makes a schema *narrower* (something that was valid is refused), *wider* (something is valid that was not),
or neither can be told (*unclear*). Requests and reports are written by others and read by us, so they may become
wider. Replies, facts and live messages are read by others and, where stored, by our own newer readers, so they may
become neither; a new field that may be missing is passed over by old readers and is fine everywhere.

Whatever is not understood here and differs is reported as unclear: better a needless v2 than a silent break.
Unions are compared branch by branch, which may report a change that is harmless but never misses a harmful one.
"""

from collections.abc import Iterable
from typing import Final, Literal

from shouwang.contracts.compatibility.branches import Schema
from shouwang.contracts.compatibility.comparison import Change, Comparison

Kind = Literal["request", "reply", "fact", "live", "incoming"]
"""Who writes and who reads: `incoming` is what phones send us unasked; unlike in a request, unknown fields pass."""

READ_BY_US: Final = frozenset({"request", "incoming"})


def breaks(old_schema: Schema, new_schema: Schema, kind: Kind) -> list[str]:
    """Why `new_schema` may not replace `old_schema` in the same major version; empty when it may.

    Each reason starts with the JSON path of the place, for example `$.tasks[*].unit: field removed or renamed`.
    A field removed from an incoming message is a break although its readers would pass it over: whoever still
    sends `datum` would be put half a kilometre off.
    """
    changes: Iterable[Change] = Comparison(old_schema, new_schema).changes()
    if kind in READ_BY_US:
        changes = (change for change in changes if change.effect != "wider")
    return list(dict.fromkeys(f"{change.path}: {change.text}" for change in changes))

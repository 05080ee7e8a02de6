"""Where messages are kept: JetStream streams as data. `shouwang provision` makes them so; services never do.

Values are those of JetStream's own API (its JSON names, times in nanoseconds), so that settings which a client
library has no field for yet, such as `persist_mode`, can be given all the same.
"""

from typing import Any, Final

SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
GIB: Final = 1024**3


def _facts(name: str, *subjects: str) -> dict[str, Any]:
    """A stream of facts: kept for a month, each written to disk before it is acknowledged (`sync_interval: always`)."""
    return {
        "name": name,
        "subjects": list(subjects),
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "max_age": 31 * DAY,
        "max_bytes": 8 * GIB,
        "duplicate_window": 120 * SECOND,  # a relay that repeats after a crash does so within seconds
        "num_replicas": 1,
        "allow_direct": True,
    }


STREAMS: Final[dict[str, dict[str, Any]]] = {
    "LOCATION": _facts("LOCATION", "location.unit.>", "location.fence.>"),
    "DISPATCH": _facts("DISPATCH", "dispatch.>"),
    "TRAINING": _facts("TRAINING", "training.>"),
    # Positions: a lost one is replaced by the next, so the disk is not waited for.
    "REPORTS": {
        **_facts("REPORTS", "report.*"),
        "max_age": DAY,
        "persist_mode": "async",
        "duplicate_window": SECOND,
    },
    # The object store bucket `imports`: files with people's names and numbers, gone after a day at the latest.
    "OBJ_imports": {
        **_facts("OBJ_imports", "$O.imports.C.>", "$O.imports.M.>"),
        "discard": "new",
        "max_age": DAY,
        "max_bytes": GIB,
        "allow_rollup_hdrs": True,
    },
    # What could not be handled, with the reason in its headers, until somebody has looked at it.
    "DEAD": {**_facts("DEAD", "dead.>"), "max_age": 90 * DAY},
}

"""What the drive has seen so far: facts counted once, samples, open cases, the last events. No I/O."""

import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shouwang.stack.drive.scenario import Call

TASK_ENDS = frozenset({"declined", "expired", "completed", "cancelled"})


class Event(NamedTuple):
    """One line of the live view."""

    clock: str
    what: str
    text: str
    short: str = ""
    """the same where there is little room"""


@dataclass
class Case:
    """A call that this drive opened as an incident."""

    call: Call
    sent_at: float
    measured: bool = False
    closing: bool = False


class Delivery(NamedTuple):
    """The first arrival of an incident's task on a phone."""

    at: float
    unit: str
    distance_m: float


@dataclass
class Place:
    """An incident on the map: waiting, going (somebody accepted) or there."""

    lat: float
    lon: float
    state: str = "waiting"


def quantile(samples: Sequence[float], share: float) -> float | None:
    """The exact sample at this share by nearest rank; None without samples."""
    if not samples:
        return None
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]


@dataclass
class Board:
    """Counts and the state of open things. `clock` gives the scenario's time for events."""

    clock: Callable[[], str]
    facts: Counter[str] = field(default_factory=Counter)
    """by name without version, such as `task.offered`"""
    offer_ms: list[float] = field(default_factory=list)
    refused: dict[str, Counter[str]] = field(default_factory=dict)
    """verb -> status -> how often"""
    short: set[str] = field(default_factory=set)
    unit_states: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=50))
    cases: dict[str, Case] = field(default_factory=dict)
    _deliveries: dict[str, Delivery] = field(default_factory=dict)
    _completed: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)

    # -- from our own hands

    def opened(self, incident: str, call: Call, sent_at: float) -> None:
        """The suite has answered our call."""
        self.cases.setdefault(incident, Case(call, sent_at))
        self._measure(incident)

    def delivered(self, incident: str, unit: str, distance_m: float, at: float) -> None:
        """A task of the incident has reached a phone; often before the duty room has its own reply."""
        self._deliveries.setdefault(incident, Delivery(at, unit, distance_m))
        self._measure(incident)

    def _measure(self, incident: str) -> None:
        case, first = self.cases.get(incident), self._deliveries.get(incident)
        if case is None or first is None or case.measured:
            return
        case.measured = True
        took_ms = (first.at - case.sent_at) * 1000
        self.offer_ms.append(took_ms)
        who, far = f"{case.call.label} → {first.unit}", f"{first.distance_m:.0f} m"
        self.say("offer", f"{who}, {far}, offered in {took_ms:.0f} ms", f"{who}, {far}, in {took_ms:.0f} ms")

    def refuse(self, verb: str, status: int, detail: str) -> None:
        """A request was answered with a problem, or (status 0) not at all."""
        name = str(status) if status else "no_reply"
        self.refused.setdefault(verb, Counter())[name] += 1
        if status != 409:  # a lost race is daily business
            self.say("refused", f"{verb} 被拒 refused {name}: {detail}")

    def to_close(self) -> list[str]:
        """Our incidents for which everybody needed has completed; each is named once."""
        ready = [
            incident
            for incident, case in self.cases.items()
            if not case.closing and self._completed[incident] >= case.call.needed
        ]
        for incident in ready:
            self.cases[incident].closing = True
        return ready

    def say(self, what: str, text: str, short: str = "") -> None:
        """Adds a line to the events."""
        self.events.append(Event(self.clock(), what, text, short))

    # -- from the facts

    def fact(self, subject: str, fact_id: str | None, body: dict[str, Any]) -> None:
        """Counts a fact `<service>.<thing>.<past fact>.v1.<keys...>` once, whatever is delivered twice.

        Without an id the subject stands for it: what becomes of one task becomes of it once.
        """
        if (name := fact_id or subject) in self._seen:
            return
        self._seen.add(name)
        _, thing, past, _, *keys = subject.split(".")
        self.facts[f"{thing}.{past}"] += 1
        if thing == "task" and len(keys) == 2:
            self._task(past, keys[0], str(body.get("incident") or ""))
        elif thing == "incident":
            self._incident(past, keys[0], body)
        elif thing == "shortfall":
            self.short.add(keys[0])
            self.say("short", f"{self._label(keys[0])} 缺人 short by {body.get('missing', '?')}")
        elif thing == "unit" and past in {"silent", "offline"}:
            words = {"silent": "失联 silent", "offline": "离线 offline"}
            self.say(past, f"{keys[0]} {words[past]}")

    def _incident(self, past: str, incident: str, body: dict[str, Any]) -> None:
        lat, lon = body.get("lat"), body.get("lon")
        if past == "opened" and isinstance(lat, (int, float)) and isinstance(lon, (int, float)):
            self.places[incident] = Place(lat, lon)
        elif past == "closed":
            self.places.pop(incident, None)
            label = self._label(incident)
            self.cases.pop(incident, None)
            self.say("closed", f"{label} 办结 closed: {body.get('outcome', '?')}")

    def _task(self, past: str, unit: str, incident: str) -> None:
        if past in TASK_ENDS:
            self.unit_states.pop(unit, None)
        else:
            self.unit_states[unit] = past
        if past == "completed":
            self._completed[incident] += 1
        if place := self.places.get(incident):
            place.state = {"accepted": "going", "arrived": "there"}.get(past, place.state)
        words = {"declined": "婉拒 declined", "expired": "未答 no answer", "cancelled": "撤回 cancelled"}
        if past in words:
            self.say(past, f"{self._label(incident)} ← {unit} {words[past]}")

    def _label(self, incident: str) -> str:
        case = self.cases.get(incident)
        return case.call.label if case else incident[:8] or "task"

"""The Tangxia night (塘下之夜), 示例数据: synthetic people and calls on the figures of the programme (DOMAIN §12).

A police post's area of 8.91 km² with three communities, watched from 19:00 to 04:00, played in as many real seconds as
wanted. Seeded: the same seed and length give the same night. No place, person or call is real.
"""

import itertools
import math
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from shouwang.common.geo import distance_m
from shouwang.stack.drive.scenario import Behaviour, Box, Call, Dot, Turn, calling_s
from shouwang.stack.drive.walkers import Point, Walker, offset, within

POST: Point = (27.875, 120.700)
"""The demo's centre: "12 km NE of Ruian city" (DOMAIN §10.1, inferred, ± 2 km)."""
AREA_M2 = 8_910_000.0
POST_RADIUS_M = 1_684.0
"""The circle of 8.91 km² (DOMAIN §10.1)."""

COMMUNITIES: dict[str, Point] = {
    "陈宅": offset(POST, -620, 560),
    "赵宅": offset(POST, 680, 420),
    "韩田": offset(POST, 60, -760),
}
"""Names of the programme (DOMAIN §12); where their centres lie is made up, no survey is at hand (§14.6)."""
COMMUNITY_RADIUS_M = 820.0

CREW = (
    ("guard", 70),  # one course of shared guards: 420 guards in 6 courses in 2018
    ("school_guard", 62),  # one batch of school guards: 250+ in 4 batches
    ("militia", 10),  # of a night-patrol course of 8,000 / 350 ≈ 23 trainees; the share of militia is made up
    ("shop_volunteer", 3),  # linkage scheme: 95 shifts of 4 h a month ≈ 3.2 people a night
    ("community_officer", 3),  # of the post
    ("hometown_officer", 2),  # of Jiangxi origin
)
"""Who is out on a night, 150 in all; who they are says the roster (`organiser.py`)."""


@dataclass(frozen=True)
class OnShift:
    """A member on tonight's roster: the unit of its phone, its kind, its shift, and its window in played hours."""

    unit: str
    kind: str
    shift: str | None = None
    window: tuple[int, int] = (19, 4)


def unrostered() -> list[OnShift]:
    """A crew without a roster, on duty from the beginning: to play where there is no training."""
    return [OnShift(f"{kind.replace('_', '-')}-{n:03}", kind) for kind, many in CREW for n in range(1, many + 1)]


NIGHT_STARTS_H = 19
NIGHT_HOURS = 9
CALLS_BY_HOUR = {19: 12, 20: 15, 21: 15, 22: 8, 23: 4, 0: 14, 1: 13, 2: 9, 3: 6}
"""Weights: the patrol windows of the programme are 19-22 h, and 0-4 h in summer (DOMAIN §5.4, §12)."""

WALK_MPS = (1.2, 1.4)
FASTEST_LAPSE = 20.0
"""A night in a minute runs 540 times too fast; people are sped up 20 times at most, or the map would only flicker."""
REPORT_EVERY_S = 1.0
ARRIVED_M = 30.0


@dataclass(frozen=True)
class Sort:
    """One sort of call: code and word after DOMAIN §6, weight early and late, hands needed, what is said."""

    kind: str
    word: str
    early: float
    late: float
    needed: tuple[int, ...]
    priority: str
    outcomes: tuple[str, ...]
    said: tuple[str, ...]


# Weights lean on the synthetic bases of DOMAIN §12 (property 90, public order 132), with brawls in the small hours.
SORTS = (
    Sort("property", "盗窃", 9, 6, (1, 1, 2), "normal", ("case_opened", "case_opened", "no_trace"),
         ("电动车电瓶被盗", "有人在撬店门", "出租房内财物被盗")),
    Sort("public_order", "打架", 8, 18, (2, 2, 3), "high", ("settled", "settled", "case_opened"),
         ("附近有人打架", "有人酒后闹事", "多人围堵争吵推搡")),
    Sort("dispute", "纠纷", 6, 3, (1,), "normal", ("settled", "settled", "transferred"),
         ("租客与房东争执", "邻里噪音纠纷", "结账发生争执")),
    Sort("traffic", "交通", 5, 3, (1,), "normal", ("settled", "transferred"), ("两辆电动车相撞", "货车堵住路口")),
    Sort("help", "求助", 5, 4, (1, 1, 2), "high", ("settled",), ("老人走失", "小孩找不到家", "有人醉倒路边")),
    Sort("tip", "举报", 2, 2, (1,), "low", ("no_trace", "case_opened"), ("有人聚众赌博", "可疑人员徘徊")),
    Sort("fire", "火警", 1, 1, (3, 2), "urgent", ("settled", "transferred"), ("垃圾桶起火", "配电箱冒烟")),
    Sort("other", "其他", 2, 1, (1,), "low", ("settled", "false"), ("路灯不亮有隐患", "夜间施工扰民")),
)  # fmt: skip
SPOTS = ("工业区", "村口", "夜市", "出租房", "学校门口", "宾馆", "网吧", "河边", "菜场", "公交站")

BROKEN = ("repeated", "old", "latitude_91", "not_a_number", "future", "jump", "not_json")
"""What is wrong with a broken phone; one phone each, so that every reason of refusal is seen."""
BROKEN_EVERY = 4


def spoiled(fault: str, report: dict[str, object]) -> bytes:
    """The report as the broken phone sends it."""
    now = report["time"]
    assert isinstance(now, float)
    changes: dict[str, dict[str, object]] = {
        "repeated": {},
        "old": {"time": now - 600},
        "latitude_91": {"lat": 91.0},
        "not_a_number": {"lat": "NaN"},
        "future": {"time": now + 3600},
        "jump": {"lat": POST[0] + 0.5, "time": now + 0.001},  # 55 km in a millisecond
    }
    if fault == "not_json":
        return b"lat=27.8;lon=120.7"
    body = msgspec.json.encode({**report, **changes[fault]})
    return body.replace(b'"NaN"', b"NaN")  # as a careless phone prints it; JSON has no such word


@dataclass
class Patroller:
    """One member with its phone."""

    member: OnShift
    walker: Walker
    due_s: float
    accuracy_m: float
    fault: str | None = None
    sent: int = 0
    turn: int = 0
    """0 before its shift, 1 in it, 2 after it"""
    on_duty: bool = False

    @property
    def unit(self) -> str:
        """The unit of the phone."""
        return self.member.unit

    @property
    def kind(self) -> str:
        """The kind of the member."""
        return self.member.kind


class TangxiaNight:
    """The scenario for a drive of `seconds`."""

    title = "塘下之夜 Tangxia night · 示例数据 synthetic"

    def __init__(self, seconds: float, seed: int, crew: Sequence[OnShift] = ()) -> None:
        rng = random.Random(seed)  # noqa: S311 - a played night
        self.behaviour = Behaviour()
        south, west = offset(POST, -POST_RADIUS_M, -POST_RADIUS_M)
        self.box: Box = (south, west, 2 * POST[0] - south, 2 * POST[1] - west)
        turns = [math.tau * n / 360 for n in range(360)]
        self.outline: Sequence[Point] = [
            offset(POST, POST_RADIUS_M * math.cos(turn), POST_RADIUS_M * math.sin(turn)) for turn in turns
        ]
        self.landmarks: Sequence[tuple[str, float, float]] = [
            (name, lat, lon) for name, (lat, lon) in COMMUNITIES.items()
        ]
        self._calling_s = calling_s(seconds)
        self._lead_s = min(2.0, self._calling_s / 2)  # everybody reports once before the first call
        lapse = NIGHT_HOURS * 3600 / (self._calling_s - self._lead_s)
        self._lapse = max(1.0, min(FASTEST_LAPSE, lapse))
        self.patrol = {who.unit: who for who in self._people(crew or unrostered(), rng)}
        self._due = deque(self.patrol.values())
        self.night = night_calls(max(12, min(96, round(0.8 * seconds))), rng)
        self._next_call = 0

    def _people(self, crew: Sequence[OnShift], rng: random.Random) -> Iterator[Patroller]:
        beats = itertools.cycle(COMMUNITIES.values())
        broken = dict(zip(rng.sample(range(len(crew)), len(BROKEN)), BROKEN, strict=True))
        for n, member in enumerate(crew):
            own = random.Random(rng.getrandbits(64))  # noqa: S311 - so that nobody's way depends on when others turn
            waypoint = partial(_waypoint, next(beats), own)
            pace = rng.uniform(*WALK_MPS) * self._lapse
            due_s = REPORT_EVERY_S * n / len(crew)  # spread over the second, as phones are
            who = Patroller(member, Walker(waypoint(), pace, waypoint), due_s, rng.uniform(4, 25), broken.get(n))
            if member.shift is None:
                who.turn, who.on_duty = 2, True
            yield who

    # -- what the drive asks for

    def reports(self, elapsed_s: float, wall0_s: float) -> Iterator[tuple[str, bytes]]:
        # Everybody keeps the same interval, so the order of the first round is the order of all rounds.
        while (member := self._due[0]).due_s <= elapsed_s:
            report = self._report(member, wall0_s)
            member.due_s += REPORT_EVERY_S
            self._due.rotate(-1)
            if not member.on_duty:
                continue  # who is off duty is not located
            member.sent += 1
            yield member.unit, msgspec.json.encode(report)
            if member.fault and member.sent % BROKEN_EVERY == 0:
                yield member.unit, spoiled(member.fault, report)

    def _report(self, member: Patroller, wall0_s: float) -> dict[str, object]:
        lat, lon = member.walker.where(member.due_s)
        return {
            "lat": round(lat, 6),
            "lon": round(lon, 6),
            "time": round(wall0_s + member.due_s, 3),
            "accuracy_m": round(member.accuracy_m, 1),
            "speed_mps": round(member.walker.pace_mps if member.walker.moves(member.due_s) else 0.0, 1),
            "heading_deg": round(member.walker.heading_deg(), 1),
            "battery_pct": round(100 - 55 * self._share(member.due_s)),
            "kind": member.kind,
        }

    def calls(self, elapsed_s: float) -> Iterator[Call]:
        share = self._share(elapsed_s)
        while (
            self._next_call < len(self.night) and self.night[self._next_call][0] <= share and elapsed_s >= self._lead_s
        ):
            yield self.night[self._next_call][1]
            self._next_call += 1

    def turns(self, elapsed_s: float) -> Iterator[Turn]:
        hour = NIGHT_STARTS_H + self._share(elapsed_s) * NIGHT_HOURS
        for who in self.patrol.values():
            begins, ends = who.member.window
            over = ends + 24 * (ends < NIGHT_STARTS_H)
            if who.turn == 0 and hour >= begins:
                who.turn = 1
                yield Turn(who.unit, True, who.member.shift)
            elif who.turn == 1 and over <= hour and over < NIGHT_STARTS_H + NIGHT_HOURS:
                # Who has the last watch stays until everybody's task is done (`ShiftChange.everybody_home`).
                who.turn = 2
                yield Turn(who.unit, False)

    def turned(self, unit: str, *, on: bool) -> None:
        self.patrol[unit].on_duty = on

    def owns(self, unit: str) -> bool:
        return unit in self.patrol

    def go(self, unit: str, lat: float, lon: float, distance_m: float, elapsed_s: float) -> float:
        return self.patrol[unit].walker.go((lat, lon), elapsed_s, ARRIVED_M)

    def release(self, unit: str, elapsed_s: float) -> None:
        self.patrol[unit].walker.release(elapsed_s)

    def clock(self, elapsed_s: float) -> str:
        minutes = int(NIGHT_STARTS_H * 60 + self._share(elapsed_s) * NIGHT_HOURS * 60)
        return f"{minutes // 60 % 24:02}:{minutes % 60:02}"

    def dots(self, elapsed_s: float) -> list[Dot]:
        return [Dot(who.unit, who.kind, *who.walker.where(elapsed_s)) for who in self.patrol.values() if who.on_duty]

    def _share(self, elapsed_s: float) -> float:
        """How much of the night is over, 0 to 1."""
        return min(1.0, max(0.0, elapsed_s - self._lead_s) / (self._calling_s - self._lead_s))


def _inside_post(centre: Point, rng: random.Random) -> Point:
    """A point about a community's centre and within the post's area."""
    while True:
        point = within(centre, COMMUNITY_RADIUS_M, rng)
        if distance_m(*point, *POST) <= POST_RADIUS_M:
            return point


def _waypoint(home: Point, rng: random.Random) -> Point:
    """Mostly on the own beat; one in eight walks leads into another community (照顾邻家院)."""
    centre = home if rng.random() < 7 / 8 else rng.choice(list(COMMUNITIES.values()))
    return _inside_post(centre, rng)


def night_calls(count: int, rng: random.Random) -> list[tuple[float, Call]]:
    """The calls of a night, each with its time as a share of 19:00-04:00 (Asia/Shanghai), in order of time."""
    hours = rng.choices(list(CALLS_BY_HOUR), list(CALLS_BY_HOUR.values()), k=count)
    times = sorted(((hour - NIGHT_STARTS_H) % 24 + rng.random(), hour) for hour in hours)
    return [(at / NIGHT_HOURS, _call(n, hour, rng)) for n, (at, hour) in enumerate(times, 1)]


def _call(n: int, hour: int, rng: random.Random) -> Call:
    late = hour < NIGHT_STARTS_H
    sort = rng.choices(SORTS, [sort.late if late else sort.early for sort in SORTS])[0]
    community = rng.choice(list(COMMUNITIES))
    lat, lon = _inside_post(COMMUNITIES[community], rng)
    return Call(
        ref=f"tangxia-{rng.getrandbits(32):08x}-{n:03}",
        kind=sort.kind,
        lat=round(lat, 6),
        lon=round(lon, 6),
        summary=f"{community}{rng.choice(SPOTS)}{rng.choice(sort.said)} (示例)",
        label=f"{community} {sort.word}",
        needed=rng.choice(sort.needed),
        priority=sort.priority,
        outcome=rng.choice(sort.outcomes),
    )

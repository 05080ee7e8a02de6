"""The programme's own figures as a data set (DOMAIN §12), 示例数据: invented people and organisations, no real ones.

Counts are the programme's; names, numbers and places are made up. Identity numbers have the sequence 000, which is
never issued, and a right check digit, so that they pass where real ones do.
"""

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any

from stdnum.cn import ric

from shouwang.stack.drive.walkers import Point, within

MEMBER_UNITS = {"shop": 68, "hotel": 6, "mall": 3, "firm": 18}
"""95 units of the linkage scheme, each one person a month."""
GUARD_ENTITIES = {"guard_company": 5, "self_hiring_unit": 7}
"""12 guard-employing entities; how many of each kind is made up."""
GUARDS = 2_900
SCHOOL_GUARDS = 250
TRAINEES = {"militia": 3_200, "teacher": 2_000, "doctor": 900, "civil_servant": 1_900}
"""8,000 trainees in two years; the shares are made up."""
VOLUNTEERS_A_UNIT = 2
OFFICERS = {"community_officer": 3, "hometown_officer": 2}
SITES, CITY_BASES = 19, 2
FUND_2018_FEN = 196_000_00
GUARD_COURSES_2018, GUARDS_A_COURSE = 6, 70
SCHOOL_BATCHES = (63, 63, 62, 62)
"""250 guards of schools in four batches of five days, over a little more than a month."""
AWARD, PLAQUE, SCHOOL_COURSE = date(2018, 6, 29), date(2018, 7, 23), date(2018, 7, 23)
RING, FUND, TENDER = "tangxia-linkage", "special-2018", "training-2018"

POST, SCHOOLS, MILITIA = "post-tangxia", "schools-anyang", "militia-tangxia"
LABELS = {
    "shop": "店铺", "hotel": "宾馆", "mall": "商场", "firm": "企业",
    "guard_company": "保安公司", "self_hiring_unit": "自行招用单位",
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A row of the file that is imported."""

    member: str
    kind: str
    organisation: str
    certificate: str = ""


def id_numbers() -> Iterator[str]:
    """Synthetic identity numbers of adults, each with a birth date of its own."""
    for day in count():
        digits = f"330381{date(1966, 1, 1) + timedelta(days=day):%Y%m%d}000"
        yield digits + str(ric.calc_check_digit(f"{digits}0"))  # it wants the place of the digit filled


def units() -> list[str]:
    """Tokens of the 95 member units."""
    return [f"{kind}-{n:02}" for kind, many in MEMBER_UNITS.items() for n in range(1, many + 1)]


def entities() -> list[str]:
    """Tokens of the 12 guard-employing entities."""
    return [f"guard-entity-{n:02}" for n in range(1, sum(GUARD_ENTITIES.values()) + 1)]


def people() -> Iterator[Person]:
    """Everybody, those who watch tonight first in each kind."""
    employers = entities()
    for n in range(1, GUARDS + 1):
        employer = employers[0] if n <= 100 else employers[n % len(employers)]  # one course comes from one company
        yield Person(f"guard-{n:04}", "guard", employer, f"示例保{n:06}")
    for n in range(1, SCHOOL_GUARDS + 1):
        yield Person(f"school-guard-{n:03}", "school_guard", SCHOOLS, f"示例校{n:06}")
    for unit in units():
        for n in range(1, VOLUNTEERS_A_UNIT + 1):
            yield Person(f"{unit}-volunteer-{n}", "shop_volunteer", unit, f"示例店{unit}-{n}")
    for kind, many in TRAINEES.items():
        for n in range(1, many + 1):
            # Of 8,000 the militia of one town's course is in a unit of its own.
            home = MILITIA if kind == "militia" and n <= 23 else ""
            yield Person(f"{kind.replace('_', '-')}-{n:04}", kind, home, f"示例训{kind}{n:05}")
    for kind, many in OFFICERS.items():
        for n in range(1, many + 1):
            yield Person(f"{kind.split('_', maxsplit=1)[0]}-officer-{n}", kind, POST)


def people_csv(issued: date) -> bytes:
    """The file of people as an organiser has it, in GB18030 as Excel in China writes it."""
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(["编号", "姓名", "类别", "身份证号", "单位", "证书编号", "发证日期"])
    for n, (person, number) in enumerate(zip(people(), id_numbers(), strict=False), 1):
        row = [person.member, f"示例{n:05}", person.kind, number, person.organisation]
        sheet.writerow([*row, person.certificate, issued if person.certificate else ""])
    return out.getvalue().encode("gb18030")


def organisations_csv(centre: Point, radius_m: float, seed: int) -> bytes:
    """The file of organisations, with places in the post's area, in UTF-8 with BOM."""
    rng = random.Random(seed)  # noqa: S311 - made-up places
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(["编号", "名称", "类型", "纬度", "经度"])
    kinds = [kind for kind, many in GUARD_ENTITIES.items() for _ in range(many)]
    rows = [(token, token.rsplit("-", 1)[0]) for token in units()]
    rows += list(zip(entities(), kinds, strict=True))
    rows += [(POST, "police_post"), (SCHOOLS, "school"), (MILITIA, "government")]
    for n, (token, kind) in enumerate(rows, 1):
        lat, lon = within(centre, radius_m, rng)
        sheet.writerow(
            [token, f"示例{LABELS.get(kind, '单位')}{n:03}", LABELS.get(kind, kind), f"{lat:.6f}", f"{lon:.6f}"]
        )
    return out.getvalue().encode("utf-8-sig")


Asked = tuple[str, dict[str, Any]]
"""A verb of training, and what is asked."""


def sites() -> list[Asked]:
    """The training sites, two bases of the city among them, and their plaques."""
    asked: list[Asked] = []
    for n in range(1, SITES + 1):
        level = "city" if n <= CITY_BASES else "town"
        asked.append(("put_site", {"site": f"site-{n:02}", "name": f"示例训练点{n:02}", "level": level, "beds": 40}))
    return asked


def plaques() -> list[Asked]:
    """Of the sites."""
    return [("accredit_site", {"site": f"site-{n:02}", "since": str(PLAQUE)}) for n in range(1, SITES + 1)]


def courses() -> list[Asked]:
    """The two courses of 2018 that the figures speak of."""
    day = [
        {"name": "警务技能 (示例)", "kind": "skills", "class_hours": 15},
        {"name": "急救 (示例)", "kind": "theory", "class_hours": 10},
    ]
    night = [{"name": "夜间巡逻、设卡 (示例)", "kind": "night_patrol", "class_hours": 20}]
    about = {"subjects": day + night, "adults_only": True}
    return [
        ("put_course", {"course": "guards-2018", "name": "共享保安班 (示例)", "kinds": ["guard"], **about}),
        (
            "put_course",
            {"course": "school-guards-2018", "name": "学校保安班 (示例)", "kinds": ["school_guard"], **about},
        ),
    ]


def runs() -> list[tuple[Asked, list[list[str]]]]:
    """Runs to be opened, each with who sits in its batches."""
    found: list[tuple[Asked, list[list[str]]]] = []
    for n in range(GUARD_COURSES_2018):
        begins = PLAQUE + timedelta(days=14 * n)
        batch = {"starts_on": str(begins), "ends_on": str(begins + timedelta(days=4)), "seats": GUARDS_A_COURSE}
        who = [f"guard-{g:04}" for g in range(n * GUARDS_A_COURSE + 1, (n + 1) * GUARDS_A_COURSE + 1)]
        found.append((("open_run", {"course": "guards-2018", "site": "site-01", "batches": [batch]}), [who]))
    batches, members, first = [], [], 1
    for n, seats in enumerate(SCHOOL_BATCHES):
        begins = SCHOOL_COURSE + timedelta(days=9 * n)
        batches.append({"starts_on": str(begins), "ends_on": str(begins + timedelta(days=4)), "seats": seats})
        members.append([f"school-guard-{g:03}" for g in range(first, first + seats)])
        first += seats
    about = {"course": "school-guards-2018", "site": "site-02", "tailored_for": SCHOOLS, "batches": batches}
    return [*found, (("open_run", about), members)]


def money() -> list[Asked]:
    """The special fund of 2018 and what was bought of it, in the order of their days."""
    fund = {
        "fund": FUND,
        "name": "群防群治培训专项 (示例)",
        "year": 2018,
        "amount_fen": FUND_2018_FEN,
        "source": "市财政 (示例)",
    }
    tender = {
        "tender": TENDER,
        "fund": FUND,
        "title": "训练服务 (示例)",
        "published_on": str(AWARD - timedelta(days=25)),
    }
    award = {"tender": TENDER, "supplier": "guard-entity-01", "amount_fen": FUND_2018_FEN, "awarded_on": str(AWARD)}
    signed = {"tender": TENDER, "signed_on": str(AWARD + timedelta(days=14))}
    return [("put_fund", fund), ("record_tender", tender), ("record_award", award), ("record_contract", signed)]


def linkage(since: date) -> list[Asked]:
    """What the 95 units have promised, and their ring, each with a volunteer who speaks for it."""
    promised: list[Asked] = [("put_commitment", {"organisation": unit, "since": str(since)}) for unit in units()]
    joined: list[Asked] = [
        ("join_ring", {"ring": RING, "organisation": unit, "contact": f"{unit}-volunteer-1"}) for unit in units()
    ]
    return promised + joined

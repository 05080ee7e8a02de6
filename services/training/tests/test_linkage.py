"""What may not be said in a ring: numbers of people, however they are written."""

import pytest

from shouwang.training.domain.linkage import TITLES, number_in
from shouwang.training.domain.people import OFFICERS

ID, MOBILE = "an identity number", "a mobile number"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("今晚有人试拉车门，请收好贵重物品", None),
        ("可疑人员身份证 330381199001010010", ID),
        ("身份证号330381 19900101 0010。", ID),
        ("330381-19900101-001x", ID),
        ("３３０３８１１９９００１０１００１０", ID),
        ("3303811990\u200b01010010", ID),
        ("33038119900101001X，请协查", ID),
        ("330381900101001 是旧号", ID),
        ("330381199013010010 的月份不存在", None),
        ("单号 91330381202613457890", None),
        ("统一社会信用代码 91330381MA0000007N", None),
        ("电话13800138000", MOBILE),
        ("电话 138-0013-8000", MOBILE),
        ("电话 138 0013 8000 或来所", MOBILE),
        ("+8613800138000", MOBILE),
        ("0086 138.0013.8000", MOBILE),
        ("２０２６年 １３８００１３８０００", MOBILE),
        ("报警请打 110 或 0577-65350110", None),
        ("12800138000 不是手机号", None),
        ("快递 1380013800012", None),
        ("11 月 24 日 19:30—20:30 停电", None),
        ("2026-11-24 13800138000", MOBILE),
    ],
)
def test_numbers_of_people_are_found(text: str, found: str | None) -> None:
    assert number_in(text) == found


def test_every_kind_of_officer_has_a_title() -> None:
    assert set(TITLES) == OFFICERS

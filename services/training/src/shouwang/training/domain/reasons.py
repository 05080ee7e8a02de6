"""Why somebody may not stand on a shift, or a shift may not be held: a code each, and the article it comes from.

Sources: 保安服务管理条例 (State Council order 564, as amended 2022), 志愿服务条例 (2017),
浙江省志愿服务条例 (2018), 劳动法, 人民警察法, 居民身份证法, 未成年人保护法, 个人信息保护法.
A rule that no text was found for is a setting, and has no article here.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """A code such as stands in replies and facts. `LAW` tells where it comes from."""

    # of the person
    LEFT = "left"
    MINOR = "minor"
    NO_GUARDIAN_CONSENT = "no_guardian_consent"
    NO_INSURANCE = "no_insurance"
    NO_AGREEMENT = "no_agreement"
    RISKS_NOT_TOLD = "risks_not_told"
    NO_CONSENT = "no_consent"
    NO_TRACKING_CONSENT = "no_tracking_consent"
    NOT_CERTIFIED = "not_certified"
    BARRED = "barred"
    NO_MINOR_CONTACT_CHECK = "no_minor_contact_check"
    NIGHT_PROTECTED = "night_protected"
    # of the person on this shift
    NO_SHARED_CONSENT = "no_shared_consent"
    NO_EMPLOYER_CONSENT = "no_employer_consent"
    OUTSIDE_OWN_AREA = "outside_own_area"
    NOT_AN_OFFICER = "not_an_officer"
    DOUBLE_BOOKED = "double_booked"
    REST = "rest"
    REST_DAY = "rest_day"
    OVER_DAY = "over_day"
    OVER_WEEK = "over_week"
    OVER_MONTH = "over_month"
    DECLINED = "declined"
    COMMITMENT_MET = "commitment_met"
    FULL = "full"
    # of the shift
    NO_LEAD_OFFICER = "no_lead_officer"
    NOT_POLICE_LED = "not_police_led"
    CLIENT_CONTRACT = "client_contract"
    PAID = "paid"
    SHIFT_NOT_INSURED = "shift_not_insured"
    NO_AREA = "no_area"
    WAGE_DISPUTE = "wage_dispute"


@dataclass(frozen=True)
class Law:
    """Where a rule stands (empty: a setting, no text), and its sense in a few words of both languages."""

    article: str
    zh: str
    en: str


LAW = {
    Reason.LEFT: Law("", "已不在队", "is no longer a member"),
    Reason.MINOR: Law(
        "浙江省志愿服务条例 第9条；保安服务管理条例 第16条", "未成年人不得参加有危险的活动，不得担任保安员",
        "no minors in dangerous activities or in guard work",
    ),
    Reason.NO_GUARDIAN_CONSENT: Law(
        "浙江省志愿服务条例 第9条", "未成年人须经监护人同意", "a minor needs the consent of a guardian"
    ),
    Reason.NO_INSURANCE: Law(
        "志愿服务条例 第17条；浙江省志愿服务条例 第23条；保安服务管理条例 第20条",
        "未办人身意外保险", "no accident insurance on that day",
    ),
    Reason.NO_AGREEMENT: Law(
        "浙江省志愿服务条例 第21条", "危险或逾一个月的服务须有书面协议",
        "a written agreement is needed for dangerous service, or service of more than a month",
    ),
    Reason.RISKS_NOT_TOLD: Law("志愿服务条例 第12条", "未告知真实风险", "the real risks were not told"),
    Reason.NO_CONSENT: Law(
        "志愿服务条例 第25条；浙江省志愿服务条例 第11、18条", "本人未同意，不得强制或指派",
        "has not agreed in person: nobody may be ordered or forced",
    ),
    Reason.NO_TRACKING_CONSENT: Law(
        "个人信息保护法 第28、29条", "未单独同意在岗定位", "no separate consent to being located while on duty"
    ),
    Reason.NOT_CERTIFIED: Law(
        "志愿服务条例 第16条；保安服务管理条例 第16条", "无有效证书", "no valid certificate for this duty"
    ),
    Reason.BARRED: Law("保安服务管理条例 第17条", "依法不得担任保安员", "barred by law from guard work"),
    Reason.NO_MINOR_CONTACT_CHECK: Law(
        "未成年人保护法 第62条", "一年内未作涉未成年人违法犯罪记录查询",
        "no yearly check of records against minors, as schools need it",
    ),
    Reason.NIGHT_PROTECTED: Law(
        "劳动法 第61、63条", "孕期七个月以上或哺乳期不得安排夜班", "no night duty in late pregnancy or while nursing"
    ),
    Reason.NO_SHARED_CONSENT: Law(
        "志愿服务条例 第25条", "保安员本人未同意共享执勤", "the guard has not agreed to shared duty"
    ),
    Reason.NO_EMPLOYER_CONSENT: Law("", "用人单位未同意共享", "the employer has not agreed to share the guard"),
    Reason.OUTSIDE_OWN_AREA: Law(
        "保安服务管理条例 第15、42条", "自行招用单位不得在本单位区域外提供保安服务",
        "a self-hiring unit may not serve outside its own premises",
    ),
    Reason.NOT_AN_OFFICER: Law(
        "人民警察法 第9条；居民身份证法 第15条", "带队须为民警", "only a police officer can lead"
    ),
    Reason.DOUBLE_BOOKED: Law("", "同一时间已有班次", "has another shift at that time"),
    Reason.REST: Law("", "班次间休息不足", "too little rest between two shifts"),
    Reason.REST_DAY: Law("劳动法 第38条", "每周至少休息一日", "one day of rest a week"),
    Reason.OVER_DAY: Law("劳动法 第36、41条", "超过每日工时", "more hours a day than allowed"),
    Reason.OVER_WEEK: Law("劳动法 第36条", "超过每周44小时", "more than 44 hours a week"),
    Reason.OVER_MONTH: Law("劳动法 第41条", "加班超过每月36小时", "more than 36 hours of overtime a month"),
    Reason.DECLINED: Law("浙江省志愿服务条例 第18条", "本人已谢绝", "has declined; that has no consequences"),
    Reason.COMMITMENT_MET: Law("", "本月名额已满", "the unit has given what it promised this month"),
    Reason.FULL: Law("", "班次已满", "the shift is full"),
    Reason.NO_LEAD_OFFICER: Law(
        "人民警察法 第9条；居民身份证法 第15条", "无带队民警：只有民警可以盘问查验",
        "no lead officer: only police may stop, question and check papers",
    ),
    Reason.NOT_POLICE_LED: Law(
        "保安服务管理条例 第15、42条", "共享执勤须由公安或综治组织", "shared duty must be organised by police or 综治"
    ),
    Reason.CLIENT_CONTRACT: Law(
        "保安服务管理条例 第15、42条", "共享执勤不得订立客户服务合同",
        "shared duty is not a service contract for a client",
    ),
    Reason.PAID: Law(
        "保安服务管理条例 第15、42条", "共享执勤只可无偿或发补贴",
        "shared duty is unpaid or with an allowance, never for wages",
    ),
    Reason.SHIFT_NOT_INSURED: Law("志愿服务条例 第17条", "班次未登记保险", "no insurance is recorded for the shift"),
    Reason.NO_AREA: Law("", "未登记执勤区域", "no area is recorded for the shift"),
    Reason.WAGE_DISPUTE: Law(
        "保安服务管理条例 第30条", "保安员不得参与欠薪、追债等纠纷",
        "guards take no part in wage disputes or debt collection",
    ),
}  # fmt: skip

"""Settings of training, beside those of every service."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shouwang.common.settings import ServiceSettings
from shouwang.contracts.words import Clock, Token
from shouwang.training.domain.rest import RestRules


class Settings(ServiceSettings):
    """Environment variables `SHOUWANG_<FIELD>`."""

    model_config = SettingsConfigDict(hide_input_in_errors=True)  # `notice_channels` hold keys

    issuer: str = Field(default="守望 (示例)", description="who issues certificates, as printed on them")
    issuer_contact: str = Field(default="—", description="how the issuer is reached, as printed")
    code_s: float = Field(default=60.0, gt=0, description="a check-in code is good for this long")
    early_s: float = Field(default=1800.0, ge=0, description="duty may begin so long before the shift")
    late_s: float = Field(default=900.0, ge=0, description="duty ends by itself so long after the shift")
    rest_h: float = Field(default=8.0, ge=0, description="rest between two shifts")
    rest_after_night_h: float = Field(default=11.0, ge=0, description="rest after a shift between 0 and 5 o'clock")
    tick_s: float = Field(default=1.0, gt=0, description="duties that are over are looked for this often")
    daily_s: float = Field(default=3600.0, gt=0, description="what depends on the day is looked at this often")
    fair_days: int = Field(default=90, ge=1, description="hours served in so many days count for fairness")
    deadline_days: int = Field(default=7, ge=0, description="deadlines of procurement are told so many days before")
    health_days: int = Field(default=7, ge=0, description="allergies are forgotten so many days after a batch")
    notice_channels: dict[Token, SecretStr] = Field(
        default={},
        description='JSON, ways to members beside the phone app: {"wecom": "<apprise URL>"}, {phone}, {member}',
    )
    notice_limit_s: float = Field(default=10.0, gt=0, le=30, description="a channel must have answered by then")
    remind_before_h: list[Annotated[float, Field(gt=0, le=168)]] = Field(
        default=[24.0, 2.0], description="JSON, members are reminded so long before a shift"
    )
    quiet_from: Clock = Field(default="22:30", description="local time; of members who have not chosen their own")
    quiet_until: Clock = Field(default="07:00", description="local time, as quiet_from")

    def rest_rules(self) -> RestRules:
        """What rest depends on."""
        return RestRules(between=round(self.rest_h * 60), after_night=round(self.rest_after_night_h * 60))

    @property
    def early(self) -> timedelta:
        """How early duty may begin."""
        return timedelta(seconds=self.early_s)

    @property
    def late(self) -> timedelta:
        """How late duty ends by itself."""
        return timedelta(seconds=self.late_s)

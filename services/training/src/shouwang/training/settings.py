"""Settings of training, beside those of every service."""

from datetime import timedelta

from pydantic import Field

from shouwang.common.settings import ServiceSettings
from shouwang.training.domain.rest import RestRules


class Settings(ServiceSettings):
    """Environment variables `SHOUWANG_<FIELD>`."""

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

"""Settings of dispatch, beside those of every service."""

from typing import Annotated, Literal

from pydantic import Field

from shouwang.common.settings import ServiceSettings
from shouwang.dispatch.domain.choosing import Rules

Speed = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(ServiceSettings):
    """Environment variables `SHOUWANG_<FIELD>`."""

    duty: Literal["enforced", "ignored"] = Field(
        default="ignored", description="whether only members who are cleared and on duty are sent, or everybody"
    )
    offer_s: float = Field(default=30.0, gt=0, description="an offer that is not answered for this long goes on")
    fresh_s: float = Field(default=120.0, gt=0, description="whose last fix is older than this is not offered anything")
    reach_m: float = Field(default=10_000.0, gt=0, description="nobody farther away is offered an incident")
    speed_mps: Speed = Field(default=1.3, description="travel speed of a kind that has none of its own")
    speeds_mps: dict[str, Speed] = Field(default={}, description='travel speed by kind, as JSON: {"car": 8}')
    tick_s: float = Field(default=0.25, gt=0, description="expired offers are looked for this often")
    retry_short_s: float = Field(default=2.0, gt=0, description="incidents that lack hands are tried again this often")
    again_s: float = Field(default=120.0, gt=0, description="who did not answer is asked again after this long")
    forget_s: float = Field(default=3600.0, gt=0, description="who was not heard of for this long is dropped")
    check_nearest: bool = Field(default=False, description="check each first offer against a look at everybody")

    def rules(self) -> Rules:
        """What choosing depends on."""
        return Rules(
            self.fresh_s, self.reach_m, self.speed_mps, self.speeds_mps, self.offer_s, self.again_s, self.retry_short_s
        )

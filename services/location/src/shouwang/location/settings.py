"""Settings of location, beside those of every service."""

from typing import Literal

from pydantic import Field

from shouwang.common.settings import ServiceSettings
from shouwang.location.domain.fixes import Limits
from shouwang.location.domain.presence import Patience


class Settings(ServiceSettings):
    """Environment variables `SHOUWANG_<FIELD>`."""

    duty: Literal["enforced", "ignored"] = Field(
        default="ignored", description="whether only members who are on duty are located, or everybody who reports"
    )
    batch_ms: float = Field(default=20.0, gt=0, description="reports are collected for this long")
    frame_ms: float = Field(default=200.0, ge=200, description="at most one frame a feed cell in this time")
    full_frame_s: float = Field(default=60.0, gt=0, description="every cell is told whole this often")
    sweep_s: float = Field(default=1.0, gt=0, description="presence and counts are looked at this often")
    save_s: float = Field(default=5.0, gt=0, description="last known positions are saved this often")
    silent_s: float = Field(default=120.0, gt=0, description="no fix for this long: silent")
    settle_s: float = Field(
        default=15.0,
        ge=0,
        description="nobody is called silent so soon after a start, or after the broker was away",
    )
    offline_s: float = Field(default=600.0, gt=0, description="no fix for this long: offline")
    future_s: float = Field(default=60.0, ge=0, description="how far ahead a phone's clock may be")
    max_speed_mps: float = Field(default=70.0, gt=0, description="faster than this is a jump, not a movement")
    default_kind: str = Field(default="patroller", description="kind of a unit that does not say")

    def limits(self) -> Limits:
        """What is believed of a fix."""
        return Limits(future_s=self.future_s, max_age_s=self.offline_s, max_speed_mps=self.max_speed_mps)

    def patience(self) -> Patience:
        """When a unit is silent, when offline."""
        return Patience(silent_s=self.silent_s, offline_s=self.offline_s)

"""What every service can be told from outside. A service adds its own fields in a small subclass.

Each field, of either, is an environment variable `SHOUWANG_<FIELD>`.
"""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Settings of all services."""

    model_config = SettingsConfigDict(env_prefix="SHOUWANG_", extra="ignore", frozen=True)

    nats_url: str = Field(default="nats://127.0.0.1:4222", description="comma-separated for a cluster")
    nats_token: str | None = Field(default=None, description="connection token, where the broker asks for one")
    postgres_url: str = "postgresql://postgres@127.0.0.1:5432/shouwang"
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, description="health, metrics and docs")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    otlp_endpoint: str | None = Field(default=None, description="OTLP/HTTP traces URL; none: traces are not exported")
    attempts: int = Field(default=8, ge=1, description="deliveries of a message before it is put to the dead letters")
    retry_s: float = Field(default=1.0, gt=0, description="delay before the second delivery; doubles up to retry_max_s")
    retry_max_s: float = Field(default=60.0, gt=0)
    stop_s: float = Field(default=10.0, gt=0, description="how long a stop may wait for work in hand")
    keep_days: int = Field(default=7, ge=1, description="published facts and seen ids are kept this long")

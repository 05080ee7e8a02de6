"""The four shapes of a message: request and reply, fact, live message. Each declares its name once, as data."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

FACTS: dict[str, type["Fact"]] = {}
REQUESTS: dict[str, type["Request"]] = {}
LIVE: dict[str, type["Live"]] = {}


class Reply(BaseModel):
    """What a request is answered with. Unknown fields are passed over: a newer service may say more."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Request(BaseModel):
    """A command or a query, asked on `request.<principal>.<contract>`.

    Unknown fields are refused: a misspelt field would silently change what is asked for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    contract: ClassVar[str]
    answered_by: ClassVar[type[Reply]]

    def __init_subclass__(cls, *, name: str, reply: type[Reply], **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.contract, cls.answered_by = name, reply
        REQUESTS[name] = cls

    @classmethod
    def subject(cls, principal: str) -> str:
        """Where `principal` asks this; the broker's permissions make the principal true."""
        return f"request.{principal}.{cls.contract}"


class Part(BaseModel):
    """A part of a request that has fields of its own. Unknown ones are refused, as those of the request are."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Fact(BaseModel):
    """Something that has happened, kept in its service's stream on `<contract>.<keys...>`.

    Unknown fields are passed over. The first key orders: facts with the same first key are published in the
    order in which they came true. Facts carry no personal data.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)
    contract: ClassVar[str]
    keyed_by: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, *, name: str, keys: tuple[str, ...], **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.contract, cls.keyed_by = name, keys
        FACTS[name] = cls

    def subject(self) -> str:
        """The subject of this fact, for example `dispatch.task.offered.v1.guard-017.0197...`."""
        return ".".join((self.contract, *(str(getattr(self, key)) for key in self.keyed_by)))

    def key(self) -> str:
        """What the fact is about: facts of one key keep their order."""
        return str(getattr(self, self.keyed_by[0]))

    @classmethod
    def pattern(cls) -> str:
        """The subject with `{key}` in place of each key, as FastStream subscribes it."""
        return ".".join((cls.contract, *(f"{{{key}}}" for key in cls.keyed_by)))


class Live(BaseModel):
    """A message of the moment on core NATS: who does not listen has missed it, the next one replaces it."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)
    contract: ClassVar[str]

    def __init_subclass__(cls, *, address: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.contract = address
        LIVE[address] = cls

    @classmethod
    def subject(cls, **tokens: str) -> str:
        """The subject for these tokens: `CellFrame.subject(r5="85...", r7="87...")`."""
        return cls.contract.format(**tokens)

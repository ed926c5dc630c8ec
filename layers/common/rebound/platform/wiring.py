"""How a process is put together: which adapter stands behind which port, and which use cases are made of the ports.

Each capability says it in a module like this one, with the same three classes. ``…Ports`` lists what its use cases need
from outside, ``Aws…Ports`` puts AWS behind that, and ``…UseCases`` makes the use cases of whatever ports it is given,
so that tests put something else behind them and nothing more; ``ports()`` and ``use_cases()`` give those of this
process. What a capability below it has is inherited. Everything is made when it is first asked for and then kept, and
imported only then: a function loads what it uses. No client and no setting is touched while such a module is imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final

from msgspec import NODEFAULT

if TYPE_CHECKING:
    from msgspec import Struct

    from rebound.platform.ports import Clock, DomainEvents, FailureLog, Ids, Patience, PlatformPorts, RequestIds
    from rebound.platform.settings import Settings


ROOM: Final = 2**16
"""Values that fit on the stack of a roomy frame, of 8 bytes each."""


class AwsPorts:
    """What this process has made so far, by name: one of each, whichever capability's ports are asked for it.

    A test puts into ``made`` what is to stand in for something, or another dictionary in its place for a process of its
    own.
    """

    made: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.__dict__ = AwsPorts.made


class AwsPlatformPorts(AwsPorts):
    """The same over AWS, with the settings and clients that all adapters are made of."""

    @cached_property
    def settings(self) -> Settings:
        """The settings of this process."""
        from rebound.platform.settings import Settings

        return Settings.of_this_process()

    @cached_property
    def _clients(self) -> dict[tuple[str, str], Any]:
        return {}

    def aws(self, service: str) -> Any:
        """A client of an AWS service with botocore's standard retries."""
        return self._client("retrying", service, retries={"mode": "standard", "total_max_attempts": 4})

    def aws_once(self, service: str, *, connect_timeout: int = 5, read_timeout: int = 30) -> Any:
        """A client that tries nothing twice, for calls that send something to a person."""
        once = {"mode": "standard", "total_max_attempts": 1}
        timeouts = {"connect_timeout": connect_timeout, "read_timeout": read_timeout}
        return self._client(f"once within {connect_timeout} and {read_timeout}", service, retries=once, **timeouts)

    def _client(self, kind: str, service: str, **config: Any) -> Any:
        client = self._clients.get((kind, service))
        if client is None:
            from botocore.config import Config

            from rebound.platform.adapters.aws import session

            client = self._clients[kind, service] = session().create_client(service, config=Config(**config))
        return client

    @cached_property
    def twilio_secret(self) -> Mapping[str, str]:
        """Twilio's account id and token, read once in the life of a process."""
        answer = self.aws("secretsmanager").get_secret_value(SecretId=self.settings["TWILIO_SECRET_ARN"])
        secret: Mapping[str, str] = json.loads(answer["SecretString"])
        return secret

    @property
    def public_url(self) -> str:
        """The address under which the world reaches the API, without a slash at the end."""
        return self.settings.public_url(self.settings["API_ID"])

    @property
    def expansion_ranges(self) -> int:
        return int(self.settings["EXPANSION_RANGES"])

    @cached_property
    def clock(self) -> Clock:
        from rebound.platform.adapters.system import SystemClock

        return SystemClock()

    @cached_property
    def ids(self) -> Ids:
        from rebound.platform.adapters.random_ids import RandomIds

        return RandomIds()

    @cached_property
    def patience(self) -> Patience:
        from rebound.platform.adapters.system import JitteredPatience

        return JitteredPatience()

    @cached_property
    def request_ids(self) -> RequestIds:
        from rebound.platform.adapters.directory_books import DynamoRequestIds

        return DynamoRequestIds(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def domain_events(self) -> DomainEvents:
        from rebound.platform.adapters.domain_events import CountedDomainEvents, EventBridgeDomainEvents
        from rebound.platform.telemetry import count

        return CountedDomainEvents(EventBridgeDomainEvents(self.aws("events"), self.settings["EVENT_BUS"]), count)

    @cached_property
    def failure_log(self) -> FailureLog:
        from rebound.platform.adapters.directory_books import DynamoFailureLog

        return DynamoFailureLog(self.settings["DIRECTORY_TABLE"])


class PlatformUseCases:
    """The use cases that a capability makes of its ports."""

    ports: PlatformPorts

    def __init__(self, ports: Any) -> None:
        """``ports`` are those that the class asks for."""
        self.ports = ports

    def named(self, name: str) -> Any:
        """The use case of a name, or else the port."""
        own = any(name in vars(kind) for kind in type(self).__mro__ if issubclass(kind, PlatformUseCases))
        return getattr(self if own else self.ports, name)

    def made[U: Struct](self, kind: type[U], **given: Any) -> U:
        """A use case whose fields are what is ``given``, and else the use cases and ports that are called like them."""
        return kind(**given, **{field: self.named(field) for field in required(kind) - given.keys()})


def required(kind: type[Struct]) -> frozenset[str]:
    """The fields without a default."""
    fields, defaults = kind.__struct_fields__, kind.__struct_defaults__
    last = fields[len(fields) - len(defaults) :]
    return frozenset(fields) - {
        field for field, default in zip(last, defaults, strict=True) if default is not NODEFAULT
    }


def roomy[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Run a function where deep calls, such as those of imports, are cheap (decision 0037).

    CPython keeps frames in chunks of 16 KiB and gives one back to the system as soon as it is empty: a loop that calls
    across a chunk's end maps and unmaps memory at each call. A frame that asks for much gets a large chunk, and shares
    it with what it calls.
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    run.__code__ = run.__code__.replace(co_stacksize=ROOM)
    return wraps(function)(run)


class UseCase(cached_property[Any]):
    """A use case that is imported and made when it is first asked for (``use_case``)."""

    def __init__(self, module: str, called: Mapping[str, str]) -> None:
        super().__init__(roomy(self._make))
        self.module, self.called = module, called

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        self.kind_name: str = owner.__annotations__[name]

    @property
    def kind(self) -> type[Struct]:
        """Its class."""
        found: type[Struct] = getattr(import_module(self.module), self.kind_name)
        return found

    def _make(self, use_cases: PlatformUseCases) -> Struct:
        return use_cases.made(self.kind, **{field: use_cases.named(name) for field, name in self.called.items()})


def use_case(module: str, **called: str) -> Any:
    """A use case of the class that the attribute is annotated with, which stands in ``module``.

    Its fields without a default say what it is made of: each is the use case, or else the port, of the same name.
    ``called`` gives the names of what is called otherwise, or stands in for a default. That names and types go together
    is tried for each by tests/contract/project/test_wiring.py.
    """
    return UseCase(module, called)


def in_this_process[U: PlatformUseCases](kind: type[U], ports: Callable[[], Any]) -> Callable[[], U]:
    """What gives the use cases of this process over AWS, which are made once."""

    def use_cases() -> U:
        made = AwsPorts.made
        if kind.__name__ not in made:
            made[kind.__name__] = kind(ports())
        found: U = made[kind.__name__]
        return found

    return use_cases


ports = AwsPlatformPorts

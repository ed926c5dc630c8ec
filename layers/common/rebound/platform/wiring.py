"""How a process is put together: which adapter stands behind which port, and which use cases are made of the ports.

Each capability has a module like this one, with the same three classes. ``…Ports`` lists what its use cases need from
outside. ``Aws…Ports`` puts AWS behind these ports. ``…UseCases`` makes the use cases from any ports that it is given,
so that tests replace the ports and nothing else. ``ports()`` and ``use_cases()`` return those of this process. Each
class inherits what the capabilities below have. Everything is imported and made when it is first asked for, and then
kept: a function loads only what it uses. Importing such a module touches no client and no setting.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, cached_property, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final

from msgspec import NODEFAULT

if TYPE_CHECKING:
    from msgspec import Struct

    from rebound.platform.ports import Clock, DomainEvents, FailureLog, Ids, Patience, PlatformPorts, RequestIds
    from rebound.platform.settings import Settings


ROOM: Final = 2**16
"""The stack size of a roomy frame, in values of 8 bytes."""
PRESIGNING: Final[Mapping[str, Any]] = {
    "signature_version": "s3v4",
    "s3": {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
}
"""How S3 is addressed and signed for. Left alone, botocore presigns for the global host by Signature Version 2,
which newer buckets refuse, other regions redirect, and an upload's Content-Type breaks.
"""


class AwsPorts:
    """What this process has made so far, by name: one of each, shared by the ports of all capabilities.

    A test puts a stand-in into ``made`` under the name that it replaces, or replaces ``made`` by another dictionary to
    get a process of its own.
    """

    made: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.__dict__ = AwsPorts.made


class AwsPlatformPorts(AwsPorts):
    """The ports of platform over AWS, with the settings and clients that all adapters are made of."""

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
        own = PRESIGNING if service == "s3" else {}
        return self._client("retrying", service, retries={"mode": "standard", "total_max_attempts": 4}, **own)

    def aws_once(self, service: str, *, connect_timeout: int = 5, read_timeout: int = 30) -> Any:
        """A client that never retries, for calls that send something to a person; timeouts are in seconds."""
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
    def twilio_token(self) -> str:
        """What Twilio signs its requests with; empty where the stack has no account there, and so nothing is signed."""
        return self.twilio_secret["auth_token"] if self.settings.get("TWILIO_SECRET_ARN") else ""

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
    """Base of each capability's use cases, which are made of its ports."""

    ports: PlatformPorts

    def __init__(self, ports: Any) -> None:
        """``ports`` must be of the type that the class annotates."""
        self.ports = ports

    def named(self, name: str) -> Any:
        """The use case with this name or, if there is none, the port."""
        kind: Any = type(self)
        return getattr(self if name in _names_of(kind) else self.ports, name)

    def made[U: Struct](self, kind: type[U], **given: Any) -> U:
        """A use case with the fields ``given``; others without a default get the use case or port of their name."""
        return kind(**given, **{field: self.named(field) for field in required(kind) - given.keys()})


@cache
def _names_of(use_cases: type[PlatformUseCases]) -> frozenset[str]:
    """What the classes of use cases define, those that they are made of included."""
    return frozenset(name for kind in use_cases.__mro__ if issubclass(kind, PlatformUseCases) for name in vars(kind))


@cache
def required(kind: type[Struct]) -> frozenset[str]:
    """The fields without a default."""
    fields, defaults = kind.__struct_fields__, kind.__struct_defaults__
    last = fields[len(fields) - len(defaults) :]
    return frozenset(fields) - {
        field for field, default in zip(last, defaults, strict=True) if default is not NODEFAULT
    }


def roomy[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Make a function run in a frame under which deep calls, such as those of imports, are cheap (decision 0037).

    CPython keeps frames in chunks of 16 KiB and returns a chunk to the system as soon as it is empty: a loop that calls
    across the end of a chunk maps and unmaps memory at each call. A frame that asks for a large stack gets a large
    chunk, which the functions that it calls share.
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
        """The class of the use case."""
        found: type[Struct] = getattr(import_module(self.module), self.kind_name)
        return found

    def _make(self, use_cases: PlatformUseCases) -> Struct:
        return use_cases.made(self.kind, **{field: use_cases.named(name) for field, name in self.called.items()})


def use_case(module: str, **called: str) -> Any:
    """A use case whose class is the annotation of the attribute, and is defined in ``module``.

    Each field without a default gets the use case or, if there is none, the port of the same name. ``called`` maps a
    field to that of another name, also where the field has a default. For every use case,
    tests/contract/project/test_wiring.py checks that names and types fit.
    """
    return UseCase(module, called)


def in_this_process[U: PlatformUseCases](kind: type[U], ports: Callable[[], Any]) -> Callable[[], U]:
    """A function that returns the use cases of this process over AWS; they are made at its first call."""

    def use_cases() -> U:
        made = AwsPorts.made
        if kind.__name__ not in made:
            made[kind.__name__] = kind(ports())
        found: U = made[kind.__name__]
        return found

    return use_cases


ports = AwsPlatformPorts

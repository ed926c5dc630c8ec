"""Where a stack on one machine lives and on which ports it listens."""

import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from local.stack.errors import StackError

REPOSITORY: Final = Path(__file__).parents[2]
AWS_PORT_SETTING: Final = "REBOUND_AWS_PORT"
TWIN_PORT_SETTING: Final = "REBOUND_TWIN_PORT"
LOOPBACK: Final = "127.0.0.1"
_LAST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class StackConfiguration:
    """One stack: its directory holds process ids, logs and ``stack.json``, and belongs to it alone."""

    directory: Path = REPOSITORY / ".local"
    aws_port: int = 4566
    twin_port: int = 4567
    region: str = "us-east-1"

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The developer's stack, with the ports the environment asks for. Raises ``StackError`` for what cannot be."""
        read = cls(
            aws_port=_port(environment, AWS_PORT_SETTING, cls().aws_port),
            twin_port=_port(environment, TWIN_PORT_SETTING, cls().twin_port),
        )
        if read.aws_port == read.twin_port:
            raise StackError(
                f"{AWS_PORT_SETTING} and {TWIN_PORT_SETTING} must be two ports, not {read.aws_port} twice."
            )
        return read

    @classmethod
    def beside_others(cls, directory: Path) -> Self:
        """A stack in ``directory`` on two ports that nobody listens on at the moment."""
        with socket.socket() as first, socket.socket() as second:
            first.bind((LOOPBACK, 0))
            second.bind((LOOPBACK, 0))
            return cls(directory=directory, aws_port=first.getsockname()[1], twin_port=second.getsockname()[1])

    @property
    def aws_endpoint_url(self) -> str:
        """Where the embedded AWS answers."""
        return f"http://{LOOPBACK}:{self.aws_port}"

    @property
    def twin_url(self) -> str:
        """Where SES's, SNS's and Twilio's stand-in answers."""
        return f"http://{LOOPBACK}:{self.twin_port}"

    @property
    def public_url(self) -> str:
        """The template's PublicUrl: how the embedded AWS addresses an API, with the id left open."""
        return f"{self.aws_endpoint_url}/restapis/{{api_id}}/live/_user_request_"

    @property
    def architecture(self) -> str:
        """The layer has compiled parts and the handlers run on this machine, so that it must be built for it."""
        return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"

    def environment(self) -> dict[str, str]:
        """What every process of the stack gets: this machine's environment without any real AWS account in it."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return inherited | {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.aws_endpoint_url,
            # A developer's own profile could name a region, a proxy or an endpoint.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": f"{LOOPBACK},localhost",
            "no_proxy": f"{LOOPBACK},localhost",
        }


def _port(environment: Mapping[str, str], setting: str, default: int) -> int:
    """An unset or empty setting means the default."""
    given = environment.get(setting) or str(default)
    if not given.isdecimal() or not 0 < int(given) <= _LAST_PORT:
        raise StackError(f"{setting}={given} is not a port.")
    return int(given)

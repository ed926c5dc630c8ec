"""The twin's settings, from arguments and the environment."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TwinSettings:
    """How one twin runs. Port 0 takes a free one; the secrets stay out of its repr.

    ``ses_identities`` are the domains and addresses verified in SES, ``twilio_services`` the messaging services of the
    account at Twilio.
    """

    port: int = 4567
    aws_endpoint_url: str = "http://127.0.0.1:4566"
    region: str = "us-east-1"
    account_id: str = "000000000000"
    aws_access_key_id: str = "test"
    aws_secret_access_key: str = field(default="test", repr=False)
    ses_topic_arn: str | None = None
    ses_identities: tuple[str, ...] = ("salon.example.com",)
    twilio_services: tuple[str, ...] = ("MG" + "0" * 32,)
    twilio_account_sid: str = "AC" + "0" * 32
    twilio_auth_token: str = field(default="twin-auth-token", repr=False)
    seed: int = 1
    delay_seconds: float = 0.1

    @classmethod
    def read(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> "TwinSettings":
        """Arguments stand above the environment; secrets are read from the environment only."""
        defaults = cls()
        parser = argparse.ArgumentParser(prog="python -m local.twin", description="The provider twin of Rebound.")
        parser.add_argument(
            "--port",
            type=int,
            default=environment.get("REBOUND_TWIN_PORT") or defaults.port,
            help="port on loopback (REBOUND_TWIN_PORT, %(default)s)",
        )
        parser.add_argument(
            "--aws-endpoint-url",
            default=environment.get("AWS_ENDPOINT_URL") or defaults.aws_endpoint_url,
            help="the embedded AWS, for callbacks (AWS_ENDPOINT_URL, %(default)s)",
        )
        parser.add_argument(
            "--seed",
            type=int,
            default=environment.get("REBOUND_TWIN_SEED") or defaults.seed,
            help="same seed, same ids and times (REBOUND_TWIN_SEED, %(default)s)",
        )
        parser.add_argument(
            "--delay",
            type=float,
            default=environment.get("REBOUND_TWIN_DELAY_SECONDS") or defaults.delay_seconds,
            help="mean seconds from one step in the life of a message to the next "
            "(REBOUND_TWIN_DELAY_SECONDS, %(default)s)",
        )
        chosen = parser.parse_args(arguments)
        if not chosen.aws_endpoint_url.startswith(("http://", "https://")):
            parser.error("the AWS endpoint must be an http URL")
        if chosen.delay < 0:
            parser.error("--delay must not be negative")
        return cls(
            port=chosen.port,
            aws_endpoint_url=chosen.aws_endpoint_url,
            region=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or defaults.region,
            account_id=environment.get("REBOUND_TWIN_ACCOUNT_ID") or defaults.account_id,
            aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID") or defaults.aws_access_key_id,
            aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY") or defaults.aws_secret_access_key,
            ses_topic_arn=environment.get("REBOUND_SES_TOPIC_ARN") or None,
            ses_identities=_listed(environment, "REBOUND_TWIN_SES_IDENTITIES", defaults.ses_identities),
            twilio_services=_listed(environment, "REBOUND_TWIN_TWILIO_SERVICES", defaults.twilio_services),
            twilio_account_sid=environment.get("TWILIO_ACCOUNT_SID") or defaults.twilio_account_sid,
            twilio_auth_token=environment.get("TWILIO_AUTH_TOKEN") or defaults.twilio_auth_token,
            seed=chosen.seed,
            delay_seconds=chosen.delay,
        )


def _listed(environment: Mapping[str, str], setting: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """What a setting names, separated by commas."""
    given = environment.get(setting)
    return tuple(given.split(",")) if given else default

"""The keys that sign links: one suite against the fake and the secret."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from rebound.messages.adapters.link_secret import SecretLinkKeyring
from rebound.messages.domain.links import LinkKeys
from rebound.messages.ports import LinkKeyring
from tests.contract.messages.fakes import MemoryLinkKeyring
from tests.contract.platform.fakes import FakeClock
from tests.fakes.aws import make


@dataclass
class Keys:
    """A keyring, and a rotation of its keys."""

    keyring: LinkKeyring
    rotate: Callable[[int, bytes], None]
    seconds: float = 0.0
    """Since the keyring was made."""


@pytest.fixture
def keys(on_aws: bool) -> Keys:
    if not on_aws:
        fake = MemoryLinkKeyring(1, {1: b"one"})
        return Keys(fake, fake.rotate)
    secrets = make("secretsmanager")
    stored = {"current": "1", "1": "one"}
    arn = secrets.create_secret(Name="links", SecretString=json.dumps(stored))["ARN"]

    def rotate(current: int, key: bytes) -> None:
        stored.update({"current": str(current), str(current): key.decode()})
        secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(stored))

    made = Keys(SecretLinkKeyring(secrets, arn, lambda: made.seconds), rotate)
    return made


def test_links_are_signed_with_the_current_key(keys: Keys) -> None:
    assert keys.keyring.keys() == LinkKeys(1, {1: b"one"})


def test_a_key_that_came_with_a_rotation_is_known_a_minute_later_at_most(keys: Keys) -> None:
    keys.keyring.keys()
    keys.rotate(2, b"two")
    keys.seconds = 61

    assert keys.keyring.keys(2) == LinkKeys(2, {1: b"one", 2: b"two"})


def test_the_secret_is_read_once_and_for_unknown_keys_once_a_minute() -> None:
    asked: list[str] = []
    counts: list[int] = []
    clock = FakeClock()

    class Secrets:
        def get_secret_value(self, SecretId: str) -> Mapping[str, str]:  # noqa: N803
            asked.append(SecretId)
            return {"SecretString": '{"current": "1", "1": "one"}'}

    keyring = SecretLinkKeyring(Secrets(), "links", lambda: clock.now().timestamp())
    for wait in (0, 59, 1, 1, 58, 1):
        clock.wait(timedelta(seconds=wait))
        for needed in (None, 1, 7, 8):
            keyring.keys(needed)
        counts.append(len(asked))

    assert counts == [1, 1, 2, 2, 2, 3]
